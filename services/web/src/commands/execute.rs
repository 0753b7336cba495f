//! Decides commands within the time a caller waits, and gives the read model a moment to show what came of them.

use crate::app::Shared;
use crate::problem::Problem;
use events::{Aggregate, Cause, Recorded};
use runtime::{ExecuteError, Transaction};
use std::time::Duration;
use tokio::time::Instant;

/// How long a command may take; GitHub gives up on a delivery after 10 seconds.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(8);
/// How long an answer waits for the read model.
const READ_MODEL_PATIENCE: Duration = Duration::from_secs(2);
const READ_MODEL_POLL: Duration = Duration::from_millis(20);

/// Decides a command and appends what follows, within the time a caller waits. When that runs out the append may still
/// happen; every command here is safe to repeat.
pub(crate) async fn execute<A: Aggregate>(
    app: &Shared,
    id: &str,
    command: &A::Command,
    cause: &Cause,
) -> Result<Vec<Recorded>, Problem> {
    in_time(app, app.log.execute::<A>(id, command, cause)).await
}

async fn in_time(
    app: &Shared,
    deciding: impl Future<Output = Result<Vec<Recorded>, ExecuteError>>,
) -> Result<Vec<Recorded>, Problem> {
    let operation = "append";
    let silent = |source: &str| runtime::Error::Unavailable { operation, source: source.into() };
    if !app.log.connection().is_up().await {
        return Err(silent("the connection is down").into());
    }
    let outcome = tokio::time::timeout(COMMAND_TIMEOUT, Box::pin(deciding)).await;
    Ok(outcome.map_err(|_| silent("the command took too long"))??)
}

/// Decides commands together, and waits for the read model; answers whether anything came of them.
pub(crate) async fn commit(app: &Shared, transaction: Transaction<'_>) -> Result<bool, Problem> {
    let recorded = in_time(app, transaction.commit()).await?;
    seen(app, &recorded).await;
    Ok(!recorded.is_empty())
}

pub(crate) async fn ask<A: Aggregate>(
    app: &Shared,
    id: &str,
    command: &A::Command,
    cause: &Cause,
) -> Result<(), Problem> {
    let recorded = execute::<A>(app, id, command, cause).await?;
    seen(app, &recorded).await;
    Ok(())
}

/// What the read model answers, if it does so soon: a command does not hang on it.
pub(crate) async fn soon<T>(asking: impl Future<Output = Result<T, projections::Error>>) -> Option<T> {
    tokio::time::timeout(READ_MODEL_PATIENCE, asking).await.ok()?.ok()
}

/// Waits until the read model shows what was recorded, but not for long, and not at all if it is down.
pub(super) async fn seen(app: &Shared, recorded: &[Recorded]) {
    if let Some(Recorded { sequence, .. }) = recorded.last() {
        shown(app, *sequence).await;
    }
}

/// Waits until the read model shows the fact at `sequence`, in the same way.
pub(crate) async fn shown(app: &Shared, sequence: u64) {
    let deadline = Instant::now() + READ_MODEL_PATIENCE;
    let caught_up = async {
        while app.model.position().await.is_ok_and(|position| position < sequence) {
            tokio::time::sleep(READ_MODEL_POLL).await;
        }
    };
    if tokio::time::timeout_at(deadline, caught_up).await.is_err() {
        tracing::debug!(sequence, "the read model lags behind an answer");
    }
}
