//! The output of a build: a POSIX tar that nobody trusts. Only regular files under plain relative paths, within named
//! limits, and whole: a tar that was cut off is refused even where it was cut between two files.

use crate::plan::{File, Pack};
use events::Digest;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use storage::path::{self, Paths};
use tar::EntryType;

/// Most files in a deploy.
pub const FILES_MAX: usize = 200_000;
/// Longest file in a deploy: what the S3 protocol takes in one request.
pub const FILE_MAX_BYTES: u64 = 5 * 1024 * 1024 * 1024;
const HASHERS: usize = 2;
const READ_BYTES: usize = 256 * 1024;
const BLOCK_BYTES: u64 = 512;
/// A tar ends with two blocks of zeros.
const END: [u8; 2 * BLOCK_BYTES as usize] = [0; 2 * BLOCK_BYTES as usize];

/// Why an artifact is not used.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It cannot be read here and now.
    #[error("failed to read `{}`", path.display())]
    File {
        /// The local file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is no tar.
    #[error("it is not a well-formed tar")]
    Malformed(#[source] io::Error),
    /// It ends too early.
    #[error("it is torn: it ends before its end mark")]
    Torn,
    /// It has nothing to show.
    #[error("it has no files")]
    Empty,
    /// It has too much.
    #[error("it has more than {FILES_MAX} files")]
    TooManyFiles,
    /// It has what a site may not have.
    #[error("its entry `{path}` {reason}")]
    Entry {
        /// The entry's path, escaped.
        path: String,
        /// Why not.
        reason: &'static str,
    },
    /// It has a file that cannot be published under its path.
    #[error("the path of its entry `{path}` {why}")]
    Path {
        /// The path, escaped.
        path: String,
        /// Why not.
        why: path::Unfit,
    },
    /// The process stops, or the work panicked.
    #[error("reading it was stopped")]
    Stopped(#[source] tokio::task::JoinError),
}

impl Refused {
    /// Whether reading it again may succeed.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::File { source, .. } => source.kind() != io::ErrorKind::NotFound,
            Self::Stopped(error) => error.is_cancelled(),
            Self::Malformed(_)
            | Self::Torn
            | Self::Empty
            | Self::TooManyFiles
            | Self::Entry { .. }
            | Self::Path { .. } => false,
        }
    }
}

/// An artifact whose every file was read once.
#[derive(Debug)]
pub(super) struct Artifact {
    pub path: PathBuf,
    pub files: Vec<File>,
    file: fs::File,
}

/// A file before its content was read.
struct Found {
    path: String,
    size: u64,
    position: u64,
}

impl Artifact {
    /// Reads, checks and hashes the tar at `path`.
    pub(super) fn open(path: &Path) -> Result<Self, Refused> {
        let unreadable = |source| Refused::File { path: path.to_owned(), source };
        let file = fs::File::open(path).map_err(unreadable)?;
        let found = scan(&file)?;
        let digests = hash(&file, &found).map_err(unreadable)?;
        let files = found.into_iter().zip(digests);
        let files =
            files.map(|(Found { path, size, position }, digest)| File { path, digest, size, position }).collect();
        Ok(Self { path: path.to_owned(), files, file })
    }

    /// The bytes of a file, from its beginning, at most so many.
    pub(super) fn head(&self, file: &File, bytes_max: u64) -> Result<Vec<u8>, Refused> {
        let mut bytes = vec![0; usize::try_from(file.size.min(bytes_max)).unwrap_or_default()];
        let read = self.file.read_exact_at(&mut bytes, file.position);
        read.map_err(|source| Refused::File { path: self.path.clone(), source })?;
        Ok(bytes)
    }

    /// The bytes of a pack.
    pub(super) fn pack(&self, pack: &Pack) -> Result<Vec<u8>, Refused> {
        let mut bytes = vec![0; usize::try_from(pack.size).unwrap_or(usize::MAX)];
        let mut rest = bytes.as_mut_slice();
        for blob in &pack.blobs {
            let (part, after) = rest.split_at_mut(usize::try_from(blob.size).unwrap_or(usize::MAX).min(rest.len()));
            let read = self.file.read_exact_at(part, blob.position);
            read.map_err(|source| Refused::File { path: self.path.clone(), source })?;
            rest = after;
        }
        Ok(bytes)
    }
}

/// All files of the tar, by its headers.
fn scan(file: &fs::File) -> Result<Vec<Found>, Refused> {
    let mut archive = tar::Archive::new(file);
    let (mut files, mut paths, mut end) = (Vec::new(), Paths::default(), 0);
    for entry in archive.entries_with_seek().map_err(Refused::Malformed)? {
        let entry = entry.map_err(Refused::Malformed)?;
        let (size, position) = (entry.size(), entry.raw_file_position());
        end = position.saturating_add(size).checked_next_multiple_of(BLOCK_BYTES).ok_or(Refused::Torn)?;
        let shown = || entry.path_bytes().escape_ascii().to_string();
        let refused = |reason| Refused::Entry { path: shown(), reason };
        let unfit = |why| Refused::Path { path: shown(), why };
        let kind = entry.header().entry_type();
        if matches!(kind, EntryType::Directory | EntryType::XGlobalHeader) {
            continue;
        }
        if kind != EntryType::Regular {
            return Err(refused("is neither a regular file nor a directory"));
        }
        let path = plain(&entry.path_bytes()).map_err(unfit)?;
        if size > FILE_MAX_BYTES {
            return Err(refused("is larger than 5 GiB"));
        }
        paths.add(&path).map_err(unfit)?;
        if files.len() == FILES_MAX {
            return Err(Refused::TooManyFiles);
        }
        files.push(Found { path, size, position });
    }
    let mut mark = [1; END.len()];
    match file.read_exact_at(&mut mark, end) {
        Ok(()) if mark == END && !files.is_empty() => Ok(files),
        Ok(()) if mark == END => Err(Refused::Empty),
        Ok(()) | Err(_) => Err(Refused::Torn),
    }
}

/// The path as a key has it; tar programs like to begin one with `./`.
fn plain(bytes: &[u8]) -> Result<String, path::Unfit> {
    path::check(bytes.strip_prefix(b"./").unwrap_or(bytes)).map(str::to_owned)
}

/// The digest of each file, in order.
fn hash(file: &fs::File, found: &[Found]) -> io::Result<Vec<Digest>> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let (mut buffer, mut digests) = (vec![0; READ_BYTES], Vec::new());
        while let index = next.fetch_add(1, Ordering::Relaxed)
            && let Some(found) = found.get(index)
        {
            digests.push((index, digest(file, found, &mut buffer)?));
        }
        io::Result::Ok(digests)
    };
    let mut all = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..HASHERS).map(|_| scope.spawn(worker)).collect();
        let done =
            workers.into_iter().map(|worker| worker.join().map_err(|_| io::Error::other("a hasher panicked"))?);
        done.collect::<io::Result<Vec<_>>>().map(|parts| parts.concat())
    })?;
    all.sort_unstable_by_key(|(index, _)| *index);
    Ok(all.into_iter().map(|(_, digest)| digest).collect())
}

fn digest(file: &fs::File, found: &Found, buffer: &mut [u8]) -> io::Result<Digest> {
    let mut hasher = Sha256::new();
    let (mut position, mut left) = (found.position, found.size);
    while left > 0 {
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let part = &mut buffer[..wanted];
        file.read_exact_at(part, position)?;
        hasher.update(&*part);
        position += wanted as u64;
        left -= wanted as u64;
    }
    Ok(Digest::from_bytes(hasher.finalize().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_begin_with_the_folder_that_was_packed() {
        assert_eq!(plain(b"./a/b.css").as_deref(), Ok("a/b.css"));
        assert_eq!(plain(b".//etc/passwd"), Err(path::Unfit::Absolute));
        assert_eq!(plain(b"./../x"), Err(path::Unfit::Dots));
    }
}
