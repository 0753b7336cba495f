//! The list of an uploaded folder: a line for each file, `<digest> <size> <path>`, sorted by path. Equal folders have equal lists,
//! and the digest of a list names the folder.

use crate::path::{Paths, Unfit};
use events::Digest;
use std::fmt::Write as _;

/// Files of a folder at most.
pub const FILES_MAX: usize = 100_000;
/// Longest file in bytes.
pub const FILE_BYTES_MAX: u64 = 64 << 20;
/// All files together, in bytes.
pub const BYTES_MAX: u64 = 4 << 30;

/// A file of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its path from the folder.
    pub path: String,
    /// SHA-256 of its content.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// The files of a folder, by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder(Vec<Listed>);

/// Why a list cannot be published.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// A line is no `<digest> <size> <path>`.
    #[error("line {0} of the list is not `<digest> <size> <path>`")]
    Line(usize),
    /// Whoever made it did not sort it.
    #[error("line {0} of the list is not in the order of paths")]
    Order(usize),
    /// A path cannot be published.
    #[error("the path of `{path}` {why}")]
    Path {
        /// Which.
        path: String,
        /// Why not.
        why: Unfit,
    },
    /// There is nothing to publish.
    #[error("the folder has no files")]
    Empty,
    /// There is too much.
    #[error("the folder has more than {FILES_MAX} files")]
    ManyFiles,
    /// There is too much.
    #[error("the files have more than {BYTES_MAX} bytes together, or one of them has more than {FILE_BYTES_MAX}")]
    ManyBytes,
}

impl Folder {
    /// The folder that has these files.
    ///
    /// # Errors
    /// [`Refused`] says why it cannot be published.
    pub fn new(mut files: Vec<Listed>) -> Result<Self, Refused> {
        files.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        if files.is_empty() {
            return Err(Refused::Empty);
        }
        if files.len() > FILES_MAX {
            return Err(Refused::ManyFiles);
        }
        let mut paths = Paths::default();
        for Listed { path, .. } in &files {
            paths.add(path).map_err(|why| Refused::Path { path: path.escape_debug().to_string(), why })?;
        }
        let folder = Self(files);
        let is_long = |file: &Listed| file.size > FILE_BYTES_MAX;
        if folder.0.iter().any(is_long) || folder.bytes() > BYTES_MAX { Err(Refused::ManyBytes) } else { Ok(folder) }
    }

    /// Reads a list.
    ///
    /// # Errors
    /// [`Refused`] says what is wrong with it.
    pub fn read(list: &[u8]) -> Result<Self, Refused> {
        let mut files: Vec<Listed> = Vec::new();
        for (number, line) in (1..).zip(list.split_inclusive(|byte| *byte == b'\n')) {
            if number > FILES_MAX {
                return Err(Refused::ManyFiles);
            }
            let file = listed(line).ok_or(Refused::Line(number))?;
            if files.last().is_some_and(|last| last.path > file.path) {
                return Err(Refused::Order(number));
            }
            files.push(file);
        }
        Self::new(files)
    }

    /// The list.
    #[must_use]
    pub fn list(&self) -> String {
        let mut list = String::new();
        for Listed { path, digest, size } in &self.0 {
            // Writing to a text does not fail.
            let _ = writeln!(list, "{digest} {size} {path}");
        }
        list
    }

    /// Its files, by path.
    #[must_use]
    pub fn files(&self) -> &[Listed] {
        &self.0
    }

    /// The size of all files together, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.iter().fold(0, |sum, file| sum.saturating_add(file.size))
    }
}

fn listed(line: &[u8]) -> Option<Listed> {
    let line = std::str::from_utf8(line.strip_suffix(b"\n")?).ok()?;
    let (digest, rest) = line.split_once(' ')?;
    let (size, path) = rest.split_once(' ')?;
    Some(Listed { path: path.to_owned(), digest: digest.parse().ok()?, size: size.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> Listed {
        Listed { path: path.to_owned(), digest: Digest::of(path.as_bytes()), size: 7 }
    }

    #[test]
    fn a_list_reads_back_and_is_the_same_for_the_same_folder() {
        let folder = Folder::new(vec![file("b c.html"), file("a/é.css")]).unwrap();
        assert_eq!(Folder::read(folder.list().as_bytes()).unwrap(), folder);
        assert_eq!(Folder::new(vec![file("a/é.css"), file("b c.html")]).unwrap().list(), folder.list());
        assert_eq!((folder.files().len(), folder.bytes()), (2, 14));
    }

    #[test]
    fn what_cannot_be_published_is_no_folder() {
        let digest = Digest::of(b"x");
        for list in [
            String::new(),
            "x".to_owned(),
            format!("{digest} 1 a"),
            format!("{digest} -1 a\n"),
            format!("{digest} 1 ../a\n"),
            format!("{digest} 1 a\n{digest} 1 a\n"),
            format!("{digest} 1 b\n{digest} 1 a\n"),
            format!("{digest} 1 a\n{digest} 1 a/b\n"),
            format!("{digest} {} a\n", FILE_BYTES_MAX + 1),
        ] {
            assert!(Folder::read(list.as_bytes()).is_err(), "{list}");
        }
    }
}
