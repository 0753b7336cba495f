//! Makes the read model anew beside the live one, and puts it in its place without a failed read.

use crate::{BATCH_MAX, Error, applied};
use futures::StreamExt;
use projections::{Applied, Error as ModelError, Rebuild, Store};
use runtime::Log;

/// Rebuilds the model from the whole log and swaps it in; answers its position. The live one serves until then, and
/// goes on being written.
///
/// # Errors
/// [`Error`] if the log or Postgres fails, or another rebuild is under way; the live model is untouched then.
pub async fn rebuild(log: &Log, store: &Store) -> Result<u64, Error> {
    let mut rebuild = Rebuild::begin(store).await.map_err(Error::Model)?;
    let mut target = log.last_sequence().await.map_err(Error::Log)?;
    let (mut entries, mut position) = (log.follow(0).ready_chunks(BATCH_MAX), 0);
    loop {
        while position < target {
            let Some(entries) = entries.next().await else { break };
            let batch: Vec<Applied> = entries.into_iter().map(applied).collect();
            position = rebuild.apply(&batch).await.map_err(Error::Model)?;
        }
        match rebuild.swap().await {
            Ok(position) => return Ok(position),
            // The live model went on meanwhile; a few facts more and it is level.
            Err(ModelError::Behind { live, .. }) => target = live,
            Err(error) => return Err(Error::Model(error)),
        }
    }
}
