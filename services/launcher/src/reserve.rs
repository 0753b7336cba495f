//! Whether the disk of this launcher has room for builds. It is looked at all the time, and while it has none, none is taken
//! and caches and mirrors give way.

use crate::cache::Caches;
use crate::disk;
use crate::source::Mirror;
use runtime::health::Reporter;
use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::watch;

/// How often the disk is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the disk keeps for others, and whether that is still there.
pub(crate) struct Reserve {
    folder: PathBuf,
    bytes: u64,
    /// Until it was looked at, nobody counts on it.
    short: watch::Sender<bool>,
    part: Reporter,
}

impl Reserve {
    pub(crate) fn new(folder: PathBuf, bytes: u64, part: Reporter) -> Self {
        Self { folder, bytes, short: watch::Sender::new(true), part }
    }

    /// Looks at the disk, and tells what is found. What cannot be looked at is tried.
    pub(crate) async fn is_short(&self) -> bool {
        let left = disk::left(&self.folder).await;
        let left = left.filter(|left| disk::is_short(*left, self.bytes));
        match left {
            Some(left) => self.part.failing(format!(
                "disk full: `{}` has {left} bytes left, too few for builds (`--build-disk-reserve-bytes {}`)",
                self.folder.display(),
                self.bytes
            )),
            None => self.part.ok(),
        }
        self.short.send_if_modified(|short| std::mem::replace(short, left.is_some()) != left.is_some());
        left.is_some()
    }

    /// Whether it was short when somebody looked last.
    pub(crate) fn was_short(&self) -> bool {
        *self.short.borrow()
    }

    /// Tells of every change.
    pub(crate) fn changes(&self) -> watch::Receiver<bool> {
        self.short.subscribe()
    }

    /// Ends when there is room.
    pub(crate) async fn there(&self) {
        // Who is told lives as long as who tells.
        let _ = self.changes().wait_for(|short| !short).await;
    }

    /// Looks again and again, and has caches and mirrors give way while there is no room.
    pub(crate) async fn look(&self, mirror: &Mirror, caches: &Caches) -> Infallible {
        loop {
            if self.is_short().await {
                caches.trim().await;
                mirror.make_room().await;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
