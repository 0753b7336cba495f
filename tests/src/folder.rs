//! The folders of stories. PostgreSQL runs as another user than root and has to pass them, so they are not closed.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const PARENT: &str = "/var/tmp";
const PREFIX: &str = "pagefold-journeys-";

/// A folder that ends with its platform. Its name tells which process of tests it belongs to.
///
/// # Panics
/// If it cannot be made.
#[must_use]
pub fn temporary() -> TempDir {
    let prefix = format!("{PREFIX}{}-", std::process::id());
    let folder = tempfile::Builder::new().prefix(&prefix).tempdir_in(PARENT).unwrap();
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o711)).unwrap();
    folder
}

/// Removes the folders of tests that have ended: the shared platform outlives the test that started it, so none of them
/// could.
pub(crate) fn sweep() {
    for entry in std::fs::read_dir(PARENT).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        if owner.is_some_and(|owner| !Path::new(&format!("/proc/{owner}")).exists()) {
            // Somebody else may sweep at the same time.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// The folder of the whole project.
///
/// # Panics
/// If this crate is not where it belongs.
#[must_use]
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
