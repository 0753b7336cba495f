//! Files that are there whole or not at all, even after a power cut.

use crate::error::Error;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Writes `bytes` to `path` in place of what was there.
pub(crate) async fn write(path: PathBuf, bytes: Vec<u8>) -> Result<(), Error> {
    let written = path.clone();
    let done = tokio::task::spawn_blocking(move || replace(&path, &bytes)).await;
    done.map_err(std::io::Error::other).and_then(|result| result).map_err(Error::file("write", &written))
}

/// The same, on a thread that may block.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut partial = path.as_os_str().to_owned();
    partial.push(".part");
    let mut file = File::create(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    File::open(folder)?.sync_all()
}

/// The bytes at `path`, or `None` if there is no such file.
pub(crate) async fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match tokio::fs::read(path).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file("read", path)(error)),
    }
}
