//! The projector writes the read model that the dashboard and the API ask.
//!
//! *Hears* everything. *Says* nothing. *Touches* Postgres. *Safe to repeat because* the position moves in the transaction
//! that writes the rows, so each fact is applied once, and the whole model can be made anew at any time.

mod rebuild;

use futures::StreamExt;
use projections::{Applied, Error as ModelError, Readiness, Store};
pub use rebuild::rebuild;
use runtime::{Entry, Log, telemetry};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Its name in metrics and logs.
pub const NAME: &str = "projector";
/// Facts in one transaction at most.
const BATCH_MAX: usize = 1000;
/// How long it waits after Postgres failed.
const AGAIN: Duration = Duration::from_millis(500);

/// Why a rebuild ended without a new model.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The read model failed.
    #[error("failed to write the read model")]
    Model(#[source] ModelError),
    /// The log failed.
    #[error("failed to read the log")]
    Log(#[source] runtime::Error),
}

/// Keeps the live model up to date until `stop` fires. `reader` is the role that may read it.
pub async fn run(log: Log, store: Store, reader: &str, stop: CancellationToken) {
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => {}
            ended = project(&log, &store, reader) => if let Err(error) = ended {
                tracing::warn!(error = &error as &dyn std::error::Error, "the read model cannot be written, trying again");
                tokio::time::sleep(AGAIN).await;
            },
        }
    }
}

async fn project(log: &Log, store: &Store, reader: &str) -> Result<(), Error> {
    if let Readiness::Stale { found } = store.prepare(Some(reader)).await.map_err(Error::Model)? {
        tracing::info!(found, "the read model is of an older version and is made anew");
        rebuild(log, store).await?;
    }
    let model = store.live();
    let position = model.position().await.map_err(Error::Model)?;
    tracing::info!(position, "projecting");
    let mut batches = log.follow(position).ready_chunks(BATCH_MAX);
    while let Some(entries) = batches.next().await {
        let pending = entries.last().map_or(0, |entry| entry.pending);
        let batch: Vec<Applied> = entries.into_iter().map(applied).collect();
        // After an error, a gap among them, the position in Postgres says where to go on.
        let position = model.apply(&batch).await.map_err(Error::Model)?;
        telemetry::metrics::fold_position(NAME, position, pending);
    }
    Ok(())
}

/// What the model is told of an entry: what cannot be read is recorded there too.
fn applied(entry: Entry) -> Applied {
    let sequence = entry.sequence;
    match entry.fact {
        Ok(recorded) => Applied::Fact(recorded),
        Err(error) if error.unknown_type().is_some() => Applied::Unknown { sequence, reason: error.to_string() },
        Err(error) => {
            tracing::error!(%error, sequence, "a fact cannot be read; it is recorded and passed over");
            Applied::Poison { sequence, reason: error.to_string() }
        }
    }
}
