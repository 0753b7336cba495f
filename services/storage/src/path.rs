//! Which paths the files of a site may have: one rule, asked when a build's output is packed and again when a deploy is
//! made of it, so that what is packed is published.
//!
//! A path goes through a tar, a manifest, a key of the object store (whose listings are XML) and the path of a URL. What
//! one of them cannot carry, or a browser reads as something else, is refused. Case and the normal form of Unicode are
//! kept as they are: every part of the platform compares paths by their bytes.

use crate::keys::PATH_MAX_BYTES;
use std::collections::HashSet;

/// Why a path cannot be that of a published file. Its text goes on from the path: "`a//b` has an empty part".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// No URL has it.
    #[error("is not valid UTF-8")]
    Encoding,
    /// Its key in the longest plain tree would be longer than the object store takes.
    #[error("is longer than {PATH_MAX_BYTES} bytes")]
    Long,
    /// It begins with a slash.
    #[error("is absolute")]
    Absolute,
    /// Two slashes follow each other, or it ends with one, or it is empty.
    #[error("has an empty part")]
    Empty,
    /// One of its parts is `.` or `..`.
    #[error("has a part that is `.` or `..`")]
    Dots,
    /// It has a line end or something else below a space, or a character that XML cannot carry.
    #[error("has a control character, such as a line end")]
    Control,
    /// Browsers take a backslash for a slash.
    #[error("has a backslash")]
    Backslash,
    /// Another file has it.
    #[error("is there twice")]
    Twice,
    /// One file has it and another lies below it.
    #[error("is both a file and a folder")]
    FileAndFolder,
}

/// The paths of one site, checked against the rule and each other.
#[derive(Debug, Default)]
pub struct Paths {
    files: HashSet<String>,
    folders: HashSet<String>,
}

impl Paths {
    /// Adds the path of a file, relative to the site's root.
    ///
    /// # Errors
    /// [`Unfit`] if the file cannot be published under it beside those that were added before.
    pub fn add(&mut self, path: &str) -> Result<(), Unfit> {
        check(path.as_bytes())?;
        if self.files.contains(path) {
            return Err(Unfit::Twice);
        }
        let folders = || path.match_indices('/').filter_map(|(end, _)| path.get(..end));
        if self.folders.contains(path) || folders().any(|folder| self.files.contains(folder)) {
            return Err(Unfit::FileAndFolder);
        }
        for folder in folders() {
            if !self.folders.contains(folder) {
                self.folders.insert(folder.to_owned());
            }
        }
        self.files.insert(path.to_owned());
        Ok(())
    }
}

/// Checks one path by itself, whatever others there are.
///
/// # Errors
/// [`Unfit`] if no published file can have it.
pub fn check(path: &[u8]) -> Result<&str, Unfit> {
    if path.len() > PATH_MAX_BYTES {
        return Err(Unfit::Long);
    }
    let path = std::str::from_utf8(path).map_err(|_| Unfit::Encoding)?;
    if path.starts_with('/') {
        Err(Unfit::Absolute)
    } else if path.split('/').any(str::is_empty) {
        Err(Unfit::Empty)
    } else if path.split('/').any(|part| matches!(part, "." | "..")) {
        Err(Unfit::Dots)
    } else if path.contains('\\') {
        Err(Unfit::Backslash)
    } else if path.contains(|character: char| character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}')) {
        Err(Unfit::Control)
    } else {
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_relative_paths_are_taken() {
        for path in ["index.html", "a/b.css", "ü/..x/...", "with space/100%.txt", "a:b", "-", "Case", "case"] {
            assert_eq!(check(path.as_bytes()), Ok(path));
        }
        let long = "x".repeat(PATH_MAX_BYTES + 1);
        for (path, why) in [
            ("/etc/passwd", Unfit::Absolute),
            ("../x", Unfit::Dots),
            ("a/../b", Unfit::Dots),
            ("a/./b", Unfit::Dots),
            (".", Unfit::Dots),
            ("..", Unfit::Dots),
            ("a//b", Unfit::Empty),
            ("a/", Unfit::Empty),
            ("", Unfit::Empty),
            ("a\nb", Unfit::Control),
            ("a\0b", Unfit::Control),
            ("a\u{7f}b", Unfit::Control),
            ("a\u{85}b", Unfit::Control),
            ("a\u{ffff}b", Unfit::Control),
            ("a\\b", Unfit::Backslash),
            (&long, Unfit::Long),
        ] {
            assert_eq!(check(path.as_bytes()), Err(why), "{path:?}");
        }
        assert_eq!(check(b"a\xff"), Err(Unfit::Encoding));
        assert!(check("x".repeat(PATH_MAX_BYTES).as_bytes()).is_ok());
    }

    #[test]
    fn paths_of_one_site_do_not_collide() {
        let add = |added: &[&str]| {
            let mut paths = Paths::default();
            added.iter().try_for_each(|path| paths.add(path))
        };
        assert_eq!(add(&["a/b", "a/c", "A/b", "b", "a.html"]), Ok(()));
        assert_eq!(add(&["a/b", "a/b"]), Err(Unfit::Twice));
        assert_eq!(add(&["a", "a/b"]), Err(Unfit::FileAndFolder));
        assert_eq!(add(&["a/b/c", "a"]), Err(Unfit::FileAndFolder));
        assert_eq!(add(&["a/b/c", "a/b"]), Err(Unfit::FileAndFolder));
        // Two forms of one letter are two names here, as they are to the object store.
        assert_eq!(add(&["\u{e9}", "e\u{301}"]), Ok(()));
    }
}
