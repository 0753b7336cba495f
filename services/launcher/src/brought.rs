//! What a repository says of its own builds, in its `pages.json`.

use rules::pages::{FILES, PAGES, PAGES_MAX, Pages, read};
use std::fs::{File, FileType};
use std::io::{self, Read as _};
use std::path::Path;

/// What the file is called in what is published with it.
pub const FILE: &str = PAGES;

/// What it says, and the file as it is, which goes with the pages.
#[derive(Debug, Clone, Default)]
pub struct Brought {
    pub pages: Pages,
    pub file: Option<Vec<u8>>,
}

impl Brought {
    /// Reads the file in the folder of a site, as it was checked out. No link is followed. Blocks.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn from(folder: &Path) -> io::Result<Self> {
        let is_there = |path: &std::path::PathBuf| path.symlink_metadata().is_ok_and(|found| found.is_file());
        let Some(path) = FILES.iter().map(|name| folder.join(name)).find(is_there) else { return Ok(Self::default()) };
        let mut file = Vec::new();
        File::open(path)?.take(PAGES_MAX).read_to_end(&mut file)?;
        Ok(Self { pages: read(&file), file: Some(file) })
    }

    /// Whether what is at this path of the pages is published: a file, a link, or something in a folder.
    #[must_use]
    pub fn wants(&self, path: &str, kind: FileType) -> bool {
        if kind.is_dir() { self.pages.paths.enters(path) } else { self.pages.paths.publishes(path) }
    }

    /// What is wrong with it, in a line each.
    pub(crate) fn complaints(&self) -> impl Iterator<Item = String> {
        let told = self.pages.diagnostics.iter();
        told.map(|told| format!("not used: {}:{} {}: {}", told.file, told.line, told.text, told.message))
    }
}

#[cfg(test)]
mod tests {
    use super::Brought;
    use std::fs;

    #[test]
    fn pages_json_goes_before_federalist_json_and_a_link_is_neither() {
        let folder = tempfile::tempdir().unwrap();
        let full_clone = || Brought::from(folder.path()).unwrap().pages.full_clone;
        assert!(!full_clone());
        fs::write(folder.path().join("federalist.json"), r#"{"fullClone": true}"#).unwrap();
        assert!(full_clone());
        fs::write(folder.path().join("pages.json"), r#"{"fullClone": 1}"#).unwrap();
        let brought = Brought::from(folder.path()).unwrap();
        assert!(!brought.pages.full_clone && brought.file.is_some());
        let told: Vec<String> = brought.complaints().collect();
        assert_eq!(told, ["not used: pages.json:1 fullClone: it is neither `true` nor `false`"]);
        fs::remove_file(folder.path().join("pages.json")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("pages.json")).unwrap();
        assert!(full_clone());
    }
}
