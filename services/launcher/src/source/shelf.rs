//! The mirrors of a launcher together: who has which in hand, what they take, and which one goes when they take too much.

use super::{digest, leftovers};
use crate::blocking;
use crate::disk::{is_short, left, taken};
use crate::workspace::Workspace;
use rustix::fs::{Timespec, Timestamps, UTIME_NOW, futimens};
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

/// What the folder of a mirror ends with.
const END: &str = ".git";
/// Where mirrors are moved before they are removed, so that no run of git sees half of one.
const TRASH: &str = "trash";

/// All mirrors below one folder.
pub(super) struct Shelf {
    root: PathBuf,
    /// What they may take together, as long as none of them is in hand.
    most_bytes: u64,
    /// What the disk keeps for others.
    reserve_bytes: u64,
    mirrors: Mutex<HashMap<String, Shelved>>,
    trimming: Turn<()>,
}

#[derive(Default)]
struct Shelved {
    turn: Arc<Turn<()>>,
    /// What it took when it was measured last.
    bytes: u64,
    /// Whether somebody had it in hand since.
    stale: bool,
}

/// A mirror in hand: nobody else runs git on it, and it is not removed.
pub(super) struct Held {
    pub(super) folder: PathBuf,
    _turn: OwnedMutexGuard<()>,
}

impl Shelf {
    /// Finds the mirrors of an earlier life below `root`, and removes what was to be removed then.
    pub(super) fn open(root: &Path, most_bytes: u64, reserve_bytes: u64) -> io::Result<Self> {
        Workspace::at(root.join(TRASH)).remove()?;
        let names = fs::read_dir(root)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let names = names.filter_map(|name| name.strip_suffix(END).map(str::to_owned));
        let found = names.map(|name| (name, Shelved { stale: true, ..Shelved::default() })).collect();
        let root = root.to_owned();
        Ok(Self { root, most_bytes, reserve_bytes, mirrors: Mutex::new(found), trimming: Turn::default() })
    }

    /// Waits for the turn on the mirror of `repository`, which may not be there yet.
    pub(super) async fn hold(&self, repository: &str) -> Held {
        let name = digest(repository);
        let turn = Arc::clone(&self.mirrors().entry(name.clone()).or_default().turn);
        let turn = turn.lock_owned().await;
        self.mirrors().entry(name.clone()).or_default().stale = true;
        Held { folder: self.folder(&name), _turn: turn }
    }

    /// Measures the mirrors that were in hand, and removes those that nobody has used for longest until the rest takes no more
    /// than it may and the disk has its reserve. What is in hand stays.
    pub(super) async fn trim(&self) {
        let _one_at_a_time = self.trimming.lock().await;
        self.measure().await;
        for name in self.by_last_use().await {
            if !self.is_too_full().await {
                return;
            }
            let Some(_turn) = self.turn_if_free(&name) else { continue };
            if let Err(error) = discard(self.folder(&name), self.root.join(TRASH)).await {
                tracing::warn!(%error, mirror = name, "a mirror that must give way could not be removed");
                continue;
            }
            tracing::info!(mirror = name, "a mirror gave way to others");
            self.forget(&name);
        }
    }

    async fn measure(&self) {
        let stale: Vec<String> =
            self.mirrors().iter().filter(|(_, entry)| entry.stale).map(|(name, _)| name.clone()).collect();
        for name in stale {
            let Some(_turn) = self.turn_if_free(&name) else { continue };
            let folder = self.folder(&name);
            let cleared = blocking({
                let folder = folder.clone();
                move || {
                    leftovers::remove(&folder);
                    Ok(folder.exists())
                }
            });
            let bytes = match cleared.await {
                Ok(true) => taken(&folder).await.unwrap_or_default(),
                Ok(false) | Err(_) => 0,
            };
            if let Some(entry) = self.mirrors().get_mut(&name) {
                (entry.bytes, entry.stale) = (bytes, false);
            }
        }
    }

    async fn is_too_full(&self) -> bool {
        let taken: u64 = self.mirrors().values().map(|entry| entry.bytes).sum();
        taken > self.most_bytes || left(&self.root).await.is_some_and(|left| is_short(left, self.reserve_bytes))
    }

    /// The mirrors there are, the one that was used last at the end.
    async fn by_last_use(&self) -> Vec<String> {
        let folders: Vec<(String, PathBuf)> =
            self.mirrors().keys().map(|name| (name.clone(), self.folder(name))).collect();
        let sort = move || {
            let mut used: Vec<(SystemTime, String)> =
                folders.into_iter().filter_map(|(name, folder)| Some((last_use(&folder)?, name))).collect();
            used.sort_unstable();
            Ok(used.into_iter().map(|(_, name)| name).collect())
        };
        blocking(sort).await.unwrap_or_default()
    }

    fn turn_if_free(&self, name: &str) -> Option<OwnedMutexGuard<()>> {
        let turn = Arc::clone(&self.mirrors().get(name)?.turn);
        turn.try_lock_owned().ok()
    }

    /// Call it with the turn in hand. Who waits for the turn keeps the entry.
    fn forget(&self, name: &str) {
        let mut mirrors = self.mirrors();
        match mirrors.get_mut(name) {
            Some(entry) if Arc::strong_count(&entry.turn) > 2 => entry.bytes = 0,
            Some(_) => drop(mirrors.remove(name)),
            None => {}
        }
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.root.join(format!("{name}{END}"))
    }

    fn mirrors(&self) -> MutexGuard<'_, HashMap<String, Shelved>> {
        self.mirrors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Whether the mirror has been made already.
    pub(super) async fn is_there(&self) -> bool {
        let folder = self.folder.clone();
        blocking(move || Ok(folder.exists())).await.unwrap_or_default()
    }

    /// Notes that the mirror is used now. Where that cannot be noted it gives way earlier than it should.
    pub(super) async fn touch(&self) {
        let folder = self.folder.clone();
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let times = Timestamps { last_access: now, last_modification: now };
        let _ = blocking(move || Ok(futimens(fs::File::open(folder)?, &times)?)).await;
    }

    /// Removes the mirror whole.
    pub(super) async fn remove(&self) -> io::Result<()> {
        let trash = self.folder.with_file_name(TRASH);
        discard(self.folder.clone(), trash).await
    }
}

async fn discard(folder: PathBuf, trash: PathBuf) -> io::Result<()> {
    let discard = move || match Workspace::at(folder).discard(&trash)? {
        Some(moved) => moved.remove(),
        None => Ok(()),
    };
    blocking(discard).await
}

fn last_use(folder: &Path) -> Option<SystemTime> {
    fs::metadata(folder).and_then(|found| found.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::{END, Shelf};
    use std::fs;
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    const KIB: u64 = 1 << 10;

    /// A mirror of 64 KiB that was used on that day.
    async fn put(shelf: &Shelf, repository: &str, day: u64) {
        let held = shelf.hold(repository).await;
        fs::create_dir(&held.folder).unwrap();
        fs::write(held.folder.join("pack"), vec![1; 64 << 10]).unwrap();
        let used = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400 * day);
        fs::File::open(&held.folder).unwrap().set_modified(used).unwrap();
    }

    fn mirrors(root: &Path) -> usize {
        let names = fs::read_dir(root).unwrap().flatten().map(|entry| entry.file_name());
        names.filter(|name| name.to_string_lossy().ends_with(END)).count()
    }

    #[tokio::test]
    async fn a_mirror_in_hand_stays_however_long_ago_it_was_used() {
        let root = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(root.path(), 100 * KIB, 0).unwrap();
        for (repository, day) in [("oldest", 1), ("older", 2), ("newest", 3)] {
            put(&shelf, repository, day).await;
        }
        let held = shelf.hold("oldest").await;
        fs::write(held.folder.join("tmp_pack_of_a_run"), "").unwrap();
        shelf.trim().await;
        assert!(held.folder.join("tmp_pack_of_a_run").exists() && shelf.hold("newest").await.folder.exists());
        assert!(!shelf.hold("older").await.folder.exists());
    }

    #[tokio::test]
    async fn mirrors_of_an_earlier_life_count_and_go_in_the_order_of_their_use() {
        let root = tempfile::tempdir().unwrap();
        let earlier = Shelf::open(root.path(), u64::MAX, 0).unwrap();
        for (repository, day) in [("newest", 3), ("oldest", 1), ("older", 2)] {
            put(&earlier, repository, day).await;
        }
        fs::create_dir_all(root.path().join("trash/half-removed")).unwrap();
        let shelf = Shelf::open(root.path(), 100 * KIB, 0).unwrap();
        assert!(!root.path().join("trash").exists());
        shelf.trim().await;
        assert_eq!(mirrors(root.path()), 1);
        assert!(shelf.hold("newest").await.folder.exists());
    }

    #[tokio::test]
    async fn mirrors_give_way_where_the_disk_is_short() {
        let root = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(root.path(), u64::MAX, u64::MAX).unwrap();
        put(&shelf, "one", 0).await;
        shelf.trim().await;
        assert_eq!(mirrors(root.path()), 0);
    }
}
