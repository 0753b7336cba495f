//! Where the programs of PostgreSQL are.

use super::Error;
use std::path::{Path, PathBuf};

/// Where Debian keeps each major version, outside PATH.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The programs of one installation, so that they are of one version.
#[derive(Debug)]
pub(super) struct Binaries {
    pub(super) initdb: PathBuf,
    pub(super) postgres: PathBuf,
    /// Ties the server's life to ours where util-linux is there; without it only an orderly end stops the server.
    pub(super) setpriv: Option<PathBuf>,
}

impl Binaries {
    pub(super) fn find() -> Result<Self, Error> {
        let path: Vec<PathBuf> = std::env::var_os("PATH").iter().flat_map(std::env::split_paths).collect();
        let candidates = path.iter().cloned().chain(versions());
        let complete = |directory: &PathBuf| directory.join("initdb").is_file() && directory.join("postgres").is_file();
        let directory = candidates.into_iter().find(complete).ok_or(Error::Missing)?;
        let setpriv = path.iter().map(|directory| directory.join("setpriv")).find(|program| program.is_file());
        Ok(Self { initdb: directory.join("initdb"), postgres: directory.join("postgres"), setpriv })
    }
}

/// Debian's directories, the newest major version first.
fn versions() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let mut majors: Vec<u32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    majors.sort_unstable_by(|a, b| b.cmp(a));
    majors.iter().map(|major| Path::new(VERSIONS).join(major.to_string()).join("bin")).collect()
}
