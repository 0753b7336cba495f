//! Contents of files on disk, so that what was served once is served after a restart too, whether or not the bucket can be reached.
//!
//! A file is named by the digest of its content, and checked against it whenever it is read: one that a power cut left half is as if
//! it was not there, so nothing waits for the disk. When there is no more room, what came first goes first, unless it is in use.

use bytes::Bytes;
use events::Digest;
use runtime::clock;
use std::collections::{HashSet, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tokio::sync::Semaphore;

/// Bytes that may wait to be written: what finds no room is kept when it is fetched the next time.
const WAITING_BYTES: usize = 64 << 20;
/// What a file takes on a disk at least.
const BLOCK_BYTES: u64 = 4096;
/// How many bytes a permit stands for.
const PERMIT_BYTES: usize = 1024;
/// How often what came first is passed over because it is in use, before something in use goes too.
const PASSED_OVER_MAX: usize = 1_000;

/// A clone is the same folder.
#[derive(Clone)]
pub(crate) struct Disk {
    folder: PathBuf,
    bytes_max: u64,
    held: Arc<Mutex<Held>>,
    room: Arc<Semaphore>,
    /// How files are called that this process has not written to their end.
    partial: Arc<str>,
}

/// What is in the folder, as far as that is known.
#[derive(Debug, Default)]
struct Held {
    bytes: u64,
    /// The first came first.
    order: VecDeque<(Digest, u64)>,
    known: HashSet<Digest>,
}

impl Disk {
    /// With room for so many bytes. What is in the folder from before can be read at once, and is counted meanwhile.
    pub(crate) fn open(data_dir: &Path, bytes_max: u64) -> Self {
        let folder = data_dir.join("contents");
        let room = Arc::new(Semaphore::new(WAITING_BYTES / PERMIT_BYTES));
        let partial = format!("part-{}", clock::new_id()).into();
        let disk = Self { folder, bytes_max, held: Arc::default(), room, partial };
        let counted = disk.clone();
        tokio::task::spawn_blocking(move || counted.count());
        disk
    }

    /// The content with this digest, if it is there as it was.
    pub(crate) async fn read(&self, digest: Digest) -> Option<Bytes> {
        let path = self.path(digest);
        let read = tokio::task::spawn_blocking(move || {
            let bytes = fs::read(&path).ok()?;
            let whole = Digest::of(&bytes) == digest;
            if !whole {
                tracing::warn!(path = %path.display(), "a kept content is damaged and is fetched again");
                let _ = fs::remove_file(&path);
            }
            whole.then(|| Bytes::from(bytes))
        });
        read.await.ok().flatten()
    }

    /// Keeps a content, beside whoever goes on with it; `in_use` tells what is not to go for it.
    pub(crate) fn keep(&self, digest: Digest, bytes: Bytes, in_use: impl Fn(&Digest) -> bool + Send + 'static) {
        let permits = u32::try_from(bytes.len().div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX);
        if taken(bytes.len()) > self.bytes_max || self.held().known.contains(&digest) {
            return;
        }
        let Ok(permit) = Arc::clone(&self.room).try_acquire_many_owned(permits) else { return };
        let disk = self.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = disk.write(digest, &bytes) {
                tracing::debug!(%error, %digest, "a content was not kept on disk");
            } else {
                disk.hold(digest, taken(bytes.len()), in_use);
            }
            drop(permit);
        });
    }

    /// Whether it may be there.
    pub(crate) fn has(&self, digest: &Digest) -> bool {
        self.held().known.contains(digest)
    }

    /// Keeps a content no longer.
    pub(crate) async fn forget(&self, digest: Digest) {
        self.held().forget(digest);
        // Removed as well if it was not counted yet.
        let _ = tokio::fs::remove_file(self.path(digest)).await;
    }

    fn write(&self, digest: Digest, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(digest);
        let folder = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder)?;
        let partial = path.with_extension(&*self.partial);
        let written = fs::write(&partial, bytes).and_then(|()| fs::rename(&partial, &path));
        if written.is_err() {
            let _ = fs::remove_file(&partial);
        }
        written
    }

    /// Counts a file, and makes room for it.
    fn hold(&self, digest: Digest, bytes: u64, in_use: impl Fn(&Digest) -> bool) {
        let gone = {
            let mut held = self.held();
            held.add(digest, bytes);
            held.make_room(self.bytes_max, in_use)
        };
        for digest in gone {
            if let Err(error) = fs::remove_file(self.path(digest)) {
                tracing::debug!(%error, %digest, "a kept content was not removed");
            }
        }
    }

    /// Counts what is there from before, the oldest first.
    fn count(&self) {
        let inside = |folder: &Path| fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
        let files = inside(&self.folder).flat_map(|part| inside(&part.path()).collect::<Vec<_>>());
        let mut found: Vec<(SystemTime, Digest, u64)> = files
            .filter_map(|file| {
                let digest = file.file_name().to_str().and_then(|name| name.parse().ok());
                let Some(digest) = digest else {
                    // What an earlier process has not written to its end; this one is writing already.
                    if file.path().extension().is_none_or(|extension| extension != &*self.partial) {
                        let _ = fs::remove_file(file.path());
                    }
                    return None;
                };
                let about = file.metadata().ok()?;
                Some((about.modified().ok()?, digest, taken(usize::try_from(about.len()).ok()?)))
            })
            .collect();
        found.sort_by_key(|(at, ..)| *at);
        for (_, digest, bytes) in found {
            self.hold(digest, bytes, |_| false);
        }
    }

    fn path(&self, digest: Digest) -> PathBuf {
        let name = digest.to_string();
        self.folder.join(name.get(..2).unwrap_or_default()).join(&name)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn add(&mut self, digest: Digest, bytes: u64) {
        if self.known.insert(digest) {
            self.order.push_back((digest, bytes));
            self.bytes += bytes;
        }
    }

    fn forget(&mut self, digest: Digest) {
        if self.known.remove(&digest)
            && let Some(at) = self.order.iter().position(|(held, _)| *held == digest)
            && let Some((_, bytes)) = self.order.remove(at)
        {
            self.bytes -= bytes;
        }
    }

    /// What goes so that the rest takes no more than `bytes_max`.
    fn make_room(&mut self, bytes_max: u64, in_use: impl Fn(&Digest) -> bool) -> Vec<Digest> {
        let (mut gone, mut passed_over) = (Vec::new(), 0);
        while self.bytes > bytes_max {
            let Some((digest, bytes)) = self.order.pop_front() else { break };
            if passed_over < PASSED_OVER_MAX && in_use(&digest) {
                passed_over += 1;
                self.order.push_back((digest, bytes));
                continue;
            }
            self.known.remove(&digest);
            self.bytes -= bytes;
            gone.push(digest);
        }
        gone
    }
}

/// What a content takes on disk.
fn taken(bytes: usize) -> u64 {
    (bytes as u64).max(1).next_multiple_of(BLOCK_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: u8) -> Digest {
        Digest::of(&[number])
    }

    #[test]
    fn what_came_first_goes_first_unless_it_is_in_use() {
        let mut held = Held::default();
        (1..=4).for_each(|number| held.add(digest(number), BLOCK_BYTES));
        held.add(digest(4), BLOCK_BYTES);
        let in_use = |used: &Digest| *used == digest(1);
        assert_eq!(held.make_room(2 * BLOCK_BYTES, in_use), [digest(2), digest(3)]);
        assert_eq!((held.bytes, held.order.len()), (2 * BLOCK_BYTES, 2));
        held.forget(digest(4));
        held.forget(digest(4));
        assert_eq!(held.make_room(0, |_| true), [digest(1)], "room is made, whatever is in use");
        assert_eq!((held.bytes, held.order.len()), (0, 0));
    }

    #[tokio::test]
    async fn a_content_reads_back_in_the_next_process_and_a_damaged_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let (whole, damaged) = (Bytes::from_static(b"whole"), Bytes::from_static(b"damaged"));
        let disk = Disk::open(folder.path(), 1 << 20);
        for content in [&whole, &damaged] {
            disk.write(Digest::of(content), content).unwrap();
        }
        fs::write(disk.path(Digest::of(&damaged)), "dam").unwrap();
        let next = Disk::open(folder.path(), 1 << 20);
        assert_eq!(next.read(Digest::of(&whole)).await, Some(whole));
        assert_eq!(next.read(Digest::of(&damaged)).await, None);
        assert!(!next.path(Digest::of(&damaged)).exists(), "it makes room for a whole one");
        assert_eq!(next.read(digest(9)).await, None);
    }

    #[test]
    fn what_is_there_from_before_is_counted_and_what_broke_off_goes() {
        let folder = tempfile::tempdir().unwrap();
        let room = Arc::new(Semaphore::new(1));
        let folder_of = folder.path().join("contents");
        let disk = Disk {
            folder: folder_of,
            bytes_max: 2 * BLOCK_BYTES,
            held: Arc::default(),
            room,
            partial: "part-2".into(),
        };
        for number in 1..=3 {
            disk.write(digest(number), &[number]).unwrap();
            let file = fs::File::options().append(true).open(disk.path(digest(number))).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(number.into())).unwrap();
        }
        let [broken, under_way] = ["part-1", "part-2"].map(|part| disk.path(digest(1)).with_extension(part));
        fs::write(&broken, "br").unwrap();
        fs::write(&under_way, "un").unwrap();
        disk.count();
        assert_eq!(disk.held().order, [(digest(2), BLOCK_BYTES), (digest(3), BLOCK_BYTES)]);
        assert!(under_way.exists(), "this process writes it");
        assert!(!broken.exists() && !disk.path(digest(1)).exists() && disk.path(digest(3)).exists());
    }
}
