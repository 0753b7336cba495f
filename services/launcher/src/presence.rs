//! Whether the sandbox of this launcher is there. It is sought until one works, and looked at from then on: a machine whose
//! sandbox is away, or was never set up, is waited for like everything else.

use crate::sandbox::{Config, Sandbox};
use runtime::error::chain;
use runtime::health::Reporter;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often a sandbox is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The rest between two tries to find one, doubled from try to try, and the longest.
const SEEK_AGAIN: Duration = Duration::from_millis(500);
const SEEK_AGAIN_MAX: Duration = Duration::from_secs(8);

/// The sandbox of this launcher, while it is sought, there or away.
pub(crate) struct Presence {
    config: Config,
    /// Present while it works.
    sandbox: watch::Sender<Option<Arc<Sandbox>>>,
    part: Reporter,
}

impl Presence {
    pub(crate) fn new(config: Config, part: Reporter) -> Self {
        Self { config, sandbox: watch::Sender::new(None), part }
    }

    /// The sandbox if it works, as far as is known.
    pub(crate) fn sandbox(&self) -> Option<Arc<Sandbox>> {
        self.sandbox.borrow().clone()
    }

    /// Tells of every change.
    pub(crate) fn changes(&self) -> watch::Receiver<Option<Arc<Sandbox>>> {
        self.sandbox.subscribe()
    }

    /// Ends when the sandbox works.
    pub(crate) async fn there(&self) {
        // Who is told lives as long as who tells.
        let _ = self.changes().wait_for(Option::is_some).await;
    }

    /// Seeks a sandbox and then looks at it. The one that was found stays the one of this life: a site must not be built
    /// here by one sandbox and there by another from one hour to the next.
    pub(crate) async fn look(&self) -> Infallible {
        let found = Arc::new(self.seek().await);
        loop {
            match found.check().await {
                Ok(()) => {
                    self.part.ok();
                    self.sandbox.send_if_modified(|known| known.replace(Arc::clone(&found)).is_none());
                }
                Err(error) => {
                    self.part.failing(chain(&error));
                    self.sandbox.send_if_modified(|known| known.take().is_some());
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn seek(&self) -> Sandbox {
        let mut pause = SEEK_AGAIN;
        loop {
            match Sandbox::detect(&self.config).await {
                Ok(sandbox) => {
                    tracing::info!(sandbox = sandbox.name(), "builds can run here");
                    return sandbox;
                }
                Err(error) => self.part.failing(chain(&error)),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(SEEK_AGAIN_MAX);
        }
    }
}
