//! Who may look into what we write: nobody else. What others must pass through is opened by name.

use anyhow::{Context, Result};
use rustix::fs::Mode;
use std::fs::{DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

/// Everything this process makes from now on is its owner's alone, and so is what its servers make.
pub(crate) fn close() {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

/// Closes what an earlier version left open below the data directory. PostgreSQL and builds may run as other users, who
/// pass through to what is their own.
pub(crate) fn close_parts(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let passed = is_root() && ["postgres", "launcher"].iter().any(|part| entry.file_name() == *part);
        if entry.file_type()?.is_dir() {
            let mode = Permissions::from_mode(if passed { 0o711 } else { 0o700 });
            let closed = std::fs::set_permissions(entry.path(), mode);
            closed.with_context(|| format!("cannot close `{}`", entry.path().display()))?;
        }
    }
    Ok(())
}

pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// The launcher's folder, and that of its workspaces. Root gives builds up to another user, who has to pass through to what
/// is its own.
pub(crate) fn launcher(folder: &Path) -> Result<()> {
    let mode = if is_root() { 0o711 } else { 0o700 };
    for (folder, mode) in [(folder, mode), (&folder.join("work"), mode), (&folder.join("mirrors"), 0o700)] {
        let made = DirBuilder::new().recursive(true).mode(mode).create(folder);
        let opened = made.and_then(|()| std::fs::set_permissions(folder, Permissions::from_mode(mode)));
        opened.with_context(|| format!("cannot make `{}`", folder.display()))?;
    }
    Ok(())
}
