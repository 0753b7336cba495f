//! Files that only their owner can read.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// Makes a folder that is closed to others, unless it is there.
pub(crate) fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// An empty file in the place of what was there.
pub(crate) fn empty(path: &Path) -> io::Result<File> {
    let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

/// A file that holds `text`, and does so after a crash of the machine.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = empty(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
