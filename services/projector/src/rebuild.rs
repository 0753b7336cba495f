//! Makes the read model anew beside the live one, and puts it in its place without a failed read.

use crate::{Error, applied};
use events::Position;
use projections::{Applied, Error as ModelError, Rebuild, Store};
use runtime::fold::{Fold, Following};
use runtime::{Entry, Log};

/// Rebuilds the model from the whole log and swaps it in; answers its position. The live one serves until then, and
/// goes on being written.
///
/// # Errors
/// [`Error`] if the log or Postgres fails, or another rebuild is under way; the live model is untouched then.
pub async fn rebuild(log: &Log, store: &Store) -> Result<u64, Error> {
    let mut target = log.last_sequence().await.map_err(Error::Log)?;
    let mut next = next(log, store).await?;
    loop {
        read_until(&mut next, target).await?;
        match next.fold_mut().rebuild.swap().await {
            Ok(position) => return Ok(position),
            // The live model went on meanwhile; a few facts more and it is level.
            Err(ModelError::Behind { live, .. }) => target = live,
            Err(error) => return Err(Error::Model(error)),
        }
    }
}

/// [`rebuild`] where the live model is of another log.
pub(crate) async fn replace(log: &Log, store: &Store) -> Result<u64, Error> {
    let target = log.last_sequence().await.map_err(Error::Log)?;
    let mut next = next(log, store).await?;
    read_until(&mut next, target).await?;
    next.fold_mut().rebuild.replace().await.map_err(Error::Model)
}

async fn next(log: &Log, store: &Store) -> Result<Following<Next>, Error> {
    let rebuild = Rebuild::begin(store).await.map_err(Error::Model)?;
    Ok(Following::new(log.clone(), Next { rebuild, position: Position::START }))
}

async fn read_until(next: &mut Following<Next>, target: u64) -> Result<(), Error> {
    while next.fold().position.sequence < target {
        next.next().await?;
    }
    Ok(())
}

/// The model under construction.
struct Next {
    rebuild: Rebuild,
    position: Position,
}

impl Fold for Next {
    const NAME: &'static str = "rebuild";
    type Error = Error;

    fn position(&self) -> Position {
        self.position
    }

    async fn reset(&mut self) -> Result<(), Error> {
        // A gap is no reason for it: what is read from nothing passes over one.
        Err(Error::OtherHistory)
    }

    async fn take(&mut self, entries: Vec<Entry>) -> Result<(), Error> {
        let batch: Vec<Applied> = entries.into_iter().map(applied).collect();
        self.rebuild.apply(&batch).await.map_err(Error::Model)?;
        self.position = batch.last().map_or(self.position, Applied::position);
        Ok(())
    }
}
