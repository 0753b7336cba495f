//! The projector writes the read model that the dashboard and the API ask.
//!
//! *Hears* everything. *Says* nothing. *Touches* Postgres. *Safe to repeat because* the position moves in the transaction
//! that writes the rows, so each fact is applied once, and the whole model can be made anew at any time.

mod rebuild;

use events::Position;
use projections::{Applied, Error as ModelError, Readiness, Store};
pub use rebuild::{Watch, rebuild, rebuild_watched};
use runtime::fold::{Fold, Following};
use runtime::{Entry, Log, vocabulary};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Its name in metrics and logs.
pub const NAME: &str = "projector";
/// How long it waits after Postgres failed.
const AGAIN: Duration = Duration::from_millis(500);
/// Facts from which on an empty model is filled by a rebuild, which is several times as fast as to follow the log.
const LONG_PAST: u64 = 10_000;

/// Why a rebuild ended without a new model.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The read model failed.
    #[error("failed to write the read model")]
    Model(#[source] ModelError),
    /// The log failed.
    #[error("failed to read the log")]
    Log(#[source] runtime::Error),
    /// What wrote the read model ended before it was done.
    #[error("the writer of the read model was lost")]
    Writer(#[source] tokio::task::JoinError),
    /// The log was replaced while it was read.
    #[error("the log has another history than it had a moment ago")]
    OtherHistory,
}

/// Keeps the live model up to date until `stop` fires. `reader` is the role that may read it.
pub async fn run(log: Log, store: Store, reader: &str, stop: CancellationToken) {
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => {}
            Err(error) = project(&log, &store, reader) => {
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
    let mut position = store.live().place().await.map_err(Error::Model)?;
    if position == Position::START && log.last_sequence().await.map_err(Error::Log)? >= LONG_PAST {
        tracing::info!("the read model is empty and is made from the whole log");
        rebuild(log, store).await?;
        position = store.live().place().await.map_err(Error::Model)?;
    }
    tracing::info!(position = position.sequence, "projecting");
    let mut live = Live { log: log.clone(), store: store.clone(), position };
    live.complete(0).await?;
    let mut following = Following::new(log.clone(), live);
    loop {
        // After an error the position in Postgres says where to go on.
        following.next().await?;
    }
}

/// The live model, which moves its position in the transaction that writes its rows.
struct Live {
    log: Log,
    store: Store,
    position: Position,
}

impl Live {
    /// Makes the model anew if it lacks facts after the sequence `after` that this version knows: an older one, which may
    /// run beside this one, has passed over them.
    async fn complete(&mut self, after: u64) -> Result<(), Error> {
        let lacking = self.store.live().unknown_types(after).await.map_err(Error::Model)?;
        if let Some(type_name) = lacking.iter().find(|name| vocabulary::knows(name)) {
            tracing::info!(type_name, "the read model lacks facts that its writer did not know and is made anew");
            rebuild(&self.log, &self.store).await?;
            self.position = self.store.live().place().await.map_err(Error::Model)?;
        }
        Ok(())
    }
}

impl Fold for Live {
    const NAME: &'static str = NAME;
    type Error = Error;

    fn position(&self) -> Position {
        self.position
    }

    /// Readers have the model of the other log until that of this one is made.
    async fn reset(&mut self) -> Result<(), Error> {
        rebuild::replace(&self.log, &self.store).await?;
        self.position = self.store.live().place().await.map_err(Error::Model)?;
        Ok(())
    }

    async fn take(&mut self, entries: Vec<Entry>) -> Result<(), Error> {
        let batch: Vec<Applied> = entries.into_iter().map(applied).collect();
        let (model, before) = (self.store.live(), self.position.sequence);
        let reached = model.apply(&batch).await.map_err(Error::Model)?;
        self.position = match batch.last().map(Applied::position) {
            Some(last) if last.sequence == reached => last,
            // Another projector is ahead.
            Some(_) | None => model.place().await.map_err(Error::Model)?,
        };
        self.complete(before).await
    }
}

/// What the model is told of an entry: what cannot be read is recorded there too.
fn applied(entry: Entry) -> Applied {
    let position = entry.position();
    match entry.fact {
        Ok(recorded) => Applied::Fact(recorded),
        Err(error) => match error.unknown_type() {
            Some(type_name) => Applied::Unknown { position, type_name: type_name.to_owned() },
            None => Applied::Poison { position, reason: error.to_string() },
        },
    }
}
