//! Which launcher this is: the one of its data directory, and the only one that works there.
//!
//! Whatever it starts carries its name, so that a later life of it knows what an earlier one left, and leaves alone what
//! belongs to another launcher of the same machine.

use sha2::{Digest as _, Sha256};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The variable by which every process that a launcher starts names it.
pub const MARK: &str = "PAGEFOLD_LAUNCHER";
/// Digits of a name: enough that two of one machine never share it.
const NAME_DIGITS: usize = 12;

/// A data directory that is ours as long as this lives.
#[derive(Debug)]
pub struct Installation {
    name: String,
    root: PathBuf,
    _lock: File,
}

impl Installation {
    /// Takes the folder for this process alone. [`io::ErrorKind::ResourceBusy`] if another has it.
    pub fn open(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        let root = root.canonicalize()?;
        let lock = File::create(root.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::ResourceBusy.into()),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let seed = seed(&root.join("installation"))?;
        // The path is part of the name, since a copied folder has the same seed.
        let digest = Sha256::digest([seed.as_bytes(), root.as_os_str().as_encoded_bytes()].concat());
        let name: String = hex::encode(digest).chars().take(NAME_DIGITS).collect();
        Ok(Self { name, root, _lock: lock })
    }

    /// Its name: the same in every life of it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the workspaces are, one folder for each attempt in hand.
    pub fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// Where workspaces go that are to be removed.
    pub fn trash(&self) -> PathBuf {
        self.root.join("trash")
    }

    /// Where the mirrors are.
    pub fn mirrors(&self) -> PathBuf {
        self.root.join("mirrors")
    }

    /// Where it is what builds keep for later ones.
    pub fn caches(&self) -> PathBuf {
        self.root.join("caches")
    }

    /// Where it is noted how far attempts have come.
    pub fn attempts(&self) -> PathBuf {
        self.root.join("attempts")
    }
}

fn seed(file: &Path) -> io::Result<String> {
    match fs::read_to_string(file) {
        Ok(seed) if !seed.is_empty() => Ok(seed),
        Ok(_) => write_seed(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => write_seed(file),
        Err(error) => Err(error),
    }
}

fn write_seed(file: &Path) -> io::Result<String> {
    let seed = runtime::clock::new_id().simple().to_string();
    fs::write(file, &seed)?;
    Ok(seed)
}

#[cfg(test)]
mod tests {
    use super::Installation;
    use std::fs;
    use std::io;

    #[test]
    fn a_folder_has_one_launcher_and_gives_it_the_same_name_in_every_life() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        let first = Installation::open(&one).unwrap();
        assert_eq!(Installation::open(&one).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        let name = first.name().to_owned();
        drop(first);
        assert_eq!(Installation::open(&one).unwrap().name(), name);
        fs::create_dir(&other).unwrap();
        fs::copy(one.join("installation"), other.join("installation")).unwrap();
        assert_ne!(Installation::open(&other).unwrap().name(), name, "a copy is another installation");
    }
}
