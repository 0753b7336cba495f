//! Makes the read model anew beside the live one, and puts it in its place without a failed read.

use crate::{Error, applied};
use events::Position;
use projections::{Applied, Error as ModelError, Rebuild, Store};
use runtime::fold::{Fold, Following};
use runtime::{Entry, Log};
use tokio::task::JoinHandle;

/// Entries that wait at most while those before them are written.
const WAITING_MAX: usize = 20_000;

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
    let next = Next { rebuild, position: Position::START, waiting: Vec::new(), writing: None };
    Ok(Following::new(log.clone(), next))
}

async fn read_until(next: &mut Following<Next>, target: u64) -> Result<(), Error> {
    while next.fold().position.sequence < target {
        next.next().await?;
    }
    next.fold_mut().settle().await
}

/// The model under construction. It is written while the log is read on: in the end everything is there, and until then
/// nobody sees what is.
struct Next {
    rebuild: Rebuild,
    /// How far it was read.
    position: Position,
    /// What was read and is not being written yet.
    waiting: Vec<Applied>,
    writing: Option<JoinHandle<Result<u64, ModelError>>>,
}

impl Next {
    /// Writes what waits, after what is being written.
    async fn write(&mut self) -> Result<(), Error> {
        self.written().await?;
        let (batch, model) = (std::mem::take(&mut self.waiting), self.rebuild.model().clone());
        self.writing = Some(tokio::spawn(async move { model.apply(&batch).await }));
        Ok(())
    }

    async fn written(&mut self) -> Result<(), Error> {
        let Some(writing) = self.writing.take() else { return Ok(()) };
        writing.await.map_err(Error::Writer)?.map(drop).map_err(Error::Model)
    }

    /// Writes everything that was read.
    async fn settle(&mut self) -> Result<(), Error> {
        self.write().await?;
        self.written().await
    }
}

impl Drop for Next {
    /// A rebuild that is given up writes no further.
    fn drop(&mut self) {
        if let Some(writing) = &self.writing {
            writing.abort();
        }
    }
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
        self.position = entries.last().map_or(self.position, Entry::position);
        self.waiting.extend(entries.into_iter().map(applied));
        let is_idle = self.writing.as_ref().is_none_or(JoinHandle::is_finished);
        if is_idle || self.waiting.len() >= WAITING_MAX { self.write().await } else { Ok(()) }
    }
}
