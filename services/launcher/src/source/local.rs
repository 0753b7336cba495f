//! A repository on this machine: found below the folders named for it, links resolved first, with nothing in it that
//! leads out again.

use super::address::Address;
use super::{Error, Rules};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What git reads of a repository that it serves.
const READ: [&str; 9] =
    ["HEAD", "config", "config.worktree", "packed-refs", "shallow", "info", "objects", "refs", "reftable"];
/// Where a repository says that some of it is elsewhere.
const ELSEWHERE: [&str; 3] = ["commondir", "objects/info/alternates", "objects/info/http-alternates"];
const OUTSIDE: &str = "it is not below a folder named for repositories";
/// Folders below `objects` and `refs` that are looked into for links.
const FOLDERS_MAX: usize = 100_000;

/// Why a path is not fetched from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// There is no repository.
    Missing,
    /// There may be one, and it is none of ours.
    Because(&'static str),
}

/// The folder that git itself would take for the repository at `path`, if it may be read. Blocks.
pub(super) fn admit(path: &str, rules: &Rules) -> Result<PathBuf, Refused> {
    rules.dialer.allowed.check_path(path).map_err(|_| Refused::Because(OUTSIDE))?;
    let path = path.trim_end_matches('/');
    let candidates = [format!("{path}/.git"), path.to_owned(), format!("{path}.git")];
    let is_repository = |folder: &PathBuf| folder.join("HEAD").exists() && folder.join("objects").is_dir();
    let found = candidates.map(PathBuf::from).into_iter().find(is_repository).ok_or(Refused::Missing)?;
    let real = found.canonicalize().map_err(|_| Refused::Missing)?;
    let folders = rules.dialer.allowed.folders.iter().filter_map(|folder| folder.canonicalize().ok());
    if !folders.into_iter().any(|folder| real.starts_with(folder)) {
        return Err(Refused::Because(OUTSIDE));
    }
    if rules.closed.iter().filter_map(|closed| closed.canonicalize().ok()).any(|closed| real.starts_with(closed)) {
        return Err(Refused::Because("it is in the platform's own folder"));
    }
    match is_whole(&real) {
        Ok(true) => Ok(real),
        Ok(false) => {
            Err(Refused::Because("the repository borrows objects or has links, so that it could lead elsewhere"))
        }
        Err(_) => Err(Refused::Missing),
    }
}

/// What an address that is not below a folder of repositories is refused by.
pub(super) fn outside(address: &Address) -> Error {
    Error::AddressRefused { address: address.to_string(), why: OUTSIDE }
}

/// Whether the repository is all in its own folder.
fn is_whole(repository: &Path) -> io::Result<bool> {
    if ELSEWHERE.iter().any(|name| fs::symlink_metadata(repository.join(name)).is_ok()) {
        return Ok(false);
    }
    let mut folders = Vec::new();
    for name in READ {
        match fs::symlink_metadata(repository.join(name)) {
            Ok(found) if found.is_symlink() => return Ok(false),
            Ok(found) if found.is_dir() => folders.push(repository.join(name)),
            Ok(_) | Err(_) => {}
        }
    }
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        seen += 1;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_symlink() || seen > FOLDERS_MAX {
                return Ok(false);
            }
            if kind.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    Ok(true)
}
