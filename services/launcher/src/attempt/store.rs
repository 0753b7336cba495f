//! The artifact of a build, from its workspace to the store.

use super::Attempt;
use super::contain::Built;
use super::fault::{Cut, Fault, platform};
use super::pack::{self, Output};
use crate::interruption::Interruption;
use crate::output::Packed;
use events::Outcome;
use runtime::error::chain;
use std::path::Path;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The rest between two tries to store what was built, doubled from try to try, and the longest.
const AGAIN: Duration = Duration::from_millis(500);
const AGAIN_MAX: Duration = Duration::from_secs(15);

impl Attempt<'_> {
    pub(super) async fn pack(&self, built: &Built, tar: &Path, halt: &CancellationToken) -> Result<Packed, Cut> {
        let from = Output { site: built.workspace.site(), brought: built.brought.clone() };
        let packing = pack::packing(from, tar.to_owned(), self.launcher.config.output.clone(), halt.clone());
        let packed = tokio::task::spawn_blocking(packing).await.map_err(|error| platform("pack the site", &error))?;
        packed.map_err(|error| {
            if error.is_about_disk() {
                return Cut::Interrupted(Interruption::Disk);
            }
            let outcome = if error.is_retryable() { Outcome::Error } else { Outcome::Failure };
            let message = format!("The site cannot be published: {}.", chain(&error));
            Fault { outcome, message, commit: None, hint: None }.into()
        })
    }

    /// Stores the archive, as often as it takes: what was built is not built again because the store is away for a while.
    pub(super) async fn store(&self, key: &str, tar: &Path) -> Result<(), Cut> {
        let mut pause = AGAIN;
        loop {
            // The future of the store's client is large and lives on the heap.
            match Box::pin(self.launcher.platform.put_artifact(key, tar)).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_transient() => {
                    tracing::warn!(build = %self.task.build, error = chain(&error), ?pause, "an artifact waits for the store");
                    self.record.say("the artifact cannot be stored yet; trying again").await;
                }
                Err(error) => {
                    tracing::error!(build = %self.task.build, error = chain(&error), "the store refuses an artifact");
                    return Err(Cut::Interrupted(Interruption::StoreRefuses));
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(AGAIN_MAX);
        }
    }
}
