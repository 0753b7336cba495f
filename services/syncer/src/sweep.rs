//! Artifacts that were stored after their build had ended, by a launcher that was thought lost: nothing that happens leads to
//! them any more, so they are looked for.

use events::{Build, Deploy, DeployId, Outcome};
use runtime::Log;
use std::convert::Infallible;
use std::time::Duration;
use storage::Storage;

/// How often that is done.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// What kept a sweep from its end. The next one begins anew.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log did not tell of a build.
    #[error(transparent)]
    Log(#[from] runtime::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] storage::Error),
}

pub(crate) async fn keep_sweeping(log: Log, storage: Storage) -> Infallible {
    loop {
        if let Err(error) = sweep(&log, &storage).await {
            tracing::warn!(%error, "artifacts of ended builds are left to the next sweep");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Removes the artifacts of every build that has ended and needs them no more: one that succeeded does until its deploy is
/// synced, also while that waits for an operator.
///
/// # Errors
/// [`Error`] if the log or the store cannot be asked.
pub async fn sweep(log: &Log, storage: &Storage) -> Result<(), Error> {
    let platform = storage.platform();
    for build in platform.builds_with_artifacts().await? {
        let needed = match log.load::<Build>(&build.to_string()).await?.state {
            Build::Unknown | Build::Requested { .. } | Build::Open(..) => true,
            Build::Ended { outcome: Some(Outcome::Success), .. } => {
                log.load::<Deploy>(&DeployId::of(build).to_string()).await?.state == Deploy::Unknown
            }
            Build::Ended { .. } => false,
        };
        if !needed {
            platform.delete_artifacts(build).await?;
        }
    }
    Ok(())
}
