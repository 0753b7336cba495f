//! Points at which a writer of facts is held, so that something can be killed exactly there.

use crate::eventually;
use std::path::{Path, PathBuf};

/// A point in a story that somebody is to be held at.
#[derive(Debug)]
pub struct Hold {
    armed: PathBuf,
    reached: PathBuf,
}

impl Hold {
    /// Arms `before-<fact>` or `after-<fact>` for the processes that work below `folder`.
    ///
    /// # Panics
    /// If the folder cannot be written to.
    #[must_use]
    pub fn arm(folder: &Path, point: &str) -> Self {
        let folder = place(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let hold = Self { armed: folder.join(point), reached: folder.join(format!("{point}.reached")) };
        std::fs::write(&hold.armed, "").unwrap();
        hold
    }

    /// Waits until somebody is held.
    pub async fn reached(&self) {
        let what = format!("a writer at {}", self.armed.display());
        eventually(&what, async || self.reached.exists().then_some(())).await;
    }
}

impl Drop for Hold {
    /// Whoever is held goes on, and nobody else will be.
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.armed);
        let _ = std::fs::remove_file(&self.reached);
    }
}

/// What tells a process where to look.
pub(crate) fn variable(folder: &Path) -> (String, String) {
    ("PAGEFOLD_HOLD".to_owned(), place(folder).display().to_string())
}

fn place(folder: &Path) -> PathBuf {
    folder.join("hold")
}
