//! The last good table on disk: what the edge serves until it has heard more.

use crate::files;
use crate::routes::{self, Routes};
use events::Recorded;
use runtime::error::BoxError;
use runtime::fold::{Home, State};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a change of the table may go unsaved.
const SAVE_AFTER: Duration = Duration::from_secs(1);

/// The file that holds it.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    path: PathBuf,
}

impl Disk {
    pub(crate) fn new(data_dir: &Path) -> Self {
        Self { path: data_dir.join("routes.json") }
    }
}

impl Home for Disk {
    async fn read(&self) -> Result<Option<Vec<u8>>, BoxError> {
        Ok(files::read(&self.path).await?)
    }

    async fn write(&self, snapshot: Vec<u8>) -> Result<(), BoxError> {
        Ok(files::write(self.path.clone(), snapshot).await?)
    }
}

impl State for Routes {
    const NAME: &'static str = "edge";
    const VERSION: u32 = routes::VERSION;
    const SAVE_AFTER: Duration = SAVE_AFTER;

    fn apply(&mut self, recorded: &Recorded) -> bool {
        let concerns = Self::concerns(&recorded.event);
        if concerns {
            Self::apply(self, recorded);
        }
        concerns
    }
}
