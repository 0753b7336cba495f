//! How much is looked at beside the answers to webhooks: the read model is there for others too.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// Deliveries that wait to be looked at. Of a crowd beyond, none is.
const WAITING: usize = 1000;
/// Those that are looked at at the same time.
const TURNS: usize = 1;

/// A queue, and who has a turn.
#[derive(Debug)]
pub(crate) struct Looks {
    waiting: Arc<Semaphore>,
    turns: Semaphore,
}

impl Default for Looks {
    fn default() -> Self {
        Self { waiting: Arc::new(Semaphore::new(WAITING)), turns: Semaphore::new(TURNS) }
    }
}

impl Looks {
    /// A place in the queue, if there is one.
    pub(crate) fn queue(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.waiting).try_acquire_owned().ok()
    }

    /// A turn, when it comes.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turns.acquire().await.ok()
    }
}
