//! The data directory.

use crate::modes::{self, is_root};
use anyhow::{Context, Result, bail};
use std::fs::{File, TryLockError};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Where data is kept unless told otherwise. Root's is outside home folders, since PostgreSQL runs as another user then and
/// must reach it.
pub(crate) fn data_dir() -> PathBuf {
    PathBuf::from(if is_root() { "/var/lib/pagefold" } else { ".pagefold" })
}

/// Makes the folder, and takes it for this process alone as long as the lock lives.
pub(super) fn prepare(folder: PathBuf) -> Result<(PathBuf, File)> {
    // Others may pass through but not look: the parts that hold secrets are closed by themselves.
    let mode = if is_root() { 0o711 } else { 0o700 };
    let made = std::fs::DirBuilder::new().recursive(true).mode(mode).create(&folder);
    made.with_context(|| format!("cannot make the data directory `{}`", folder.display()))?;
    let folder = folder.canonicalize()?;
    if is_root()
        && let Some(closed) = folder.ancestors().find(|above| !passable(above))
    {
        bail!(
            "PostgreSQL runs as another user than root and cannot pass `{}`: choose another folder with --data",
            closed.display()
        );
    }
    let lock = File::options().write(true).create(true).truncate(false).mode(0o600).open(folder.join("lock"))?;
    match lock.try_lock() {
        Ok(()) => {
            modes::close_parts(&folder)?;
            Ok((folder, lock))
        }
        Err(TryLockError::WouldBlock) => {
            bail!("a platform runs with the data directory `{}` already", folder.display())
        }
        Err(TryLockError::Error(error)) => Err(error).context("the data directory cannot be locked"),
    }
}

fn passable(folder: &Path) -> bool {
    std::fs::metadata(folder).is_ok_and(|metadata| metadata.mode() & 0o001 != 0)
}
