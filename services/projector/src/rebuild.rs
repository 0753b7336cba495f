//! Makes the read model anew beside the live one, and puts it in its place without a failed read.

use crate::{Error, applied};
use events::Position;
use projections::{Applied, Error as ModelError, Rebuild, Store};
use runtime::fold::{Fold, Following};
use runtime::{Entry, Log};
use tokio::task::JoinHandle;

/// Entries that wait at most while those before them are written.
const WAITING_MAX: usize = 20_000;

/// Whoever is told how far a rebuild has come: the facts that were read, and all that are to be.
pub type Watch<'a> = &'a (dyn Fn(u64, u64) + Sync);

/// Rebuilds the model from the whole log and swaps it in; answers its position. The live one serves until then, and
/// goes on being written.
///
/// # Errors
/// [`Error`] if the log or Postgres fails, or another rebuild is under way; the live model is untouched then.
pub async fn rebuild(log: &Log, store: &Store) -> Result<u64, Error> {
    rebuild_watched(log, store, &|_, _| {}).await
}

/// The same, and tells `watch` how many facts were read, and of how many.
///
/// # Errors
/// As for [`rebuild`].
pub async fn rebuild_watched(log: &Log, store: &Store, watch: Watch<'_>) -> Result<u64, Error> {
    anew(log, store, Live::OfThisLog, watch).await
}

/// [`rebuild`] where the live model is of another log.
pub(crate) async fn replace(log: &Log, store: &Store) -> Result<u64, Error> {
    anew(log, store, Live::OfAnother, &|_, _| {}).await
}

/// What log the live model is of.
#[derive(Clone, Copy)]
enum Live {
    OfThisLog,
    OfAnother,
}

async fn anew(log: &Log, store: &Store, live: Live, watch: Watch<'_>) -> Result<u64, Error> {
    let target = log.last_sequence().await.map_err(Error::Log)?;
    let rebuild = Rebuild::begin(store).await.map_err(Error::Model)?;
    let mut next = Following::past(log.clone(), Next::of(rebuild));
    match finish(&mut next, target, live, watch).await {
        Err(Error::Model(error)) if error.is_of_the_fact() => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the read model cannot hold what a fact says: the rebuild begins again to find it"
            );
            let mut rebuild = next.into_fold().take_rebuild()?;
            rebuild.begin_again().await.map_err(Error::Model)?;
            finish(&mut Following::past(log.clone(), Next::of(rebuild)), target, live, watch).await
        }
        ended => ended,
    }
}

/// Reads at least until `target` and puts the model in its place.
async fn finish(next: &mut Following<Next>, mut target: u64, live: Live, watch: Watch<'_>) -> Result<u64, Error> {
    loop {
        while next.fold().position.sequence < target {
            next.next().await?;
            watch(next.fold().position.sequence, target);
        }
        let next = next.fold_mut();
        next.write().await?;
        next.written().await?;
        let rebuild = next.rebuild()?;
        let put = match live {
            Live::OfThisLog => rebuild.swap().await,
            Live::OfAnother => rebuild.replace().await,
        };
        match put {
            // The live model went on meanwhile; a few facts more and it is level.
            Err(ModelError::Behind { live, .. }) => target = live,
            ended => return ended.map_err(Error::Model),
        }
    }
}

/// The model under construction. It is written while the log is read on: in the end everything is there, and until then
/// nobody sees what is.
struct Next {
    /// Absent while it is written.
    rebuild: Option<Rebuild>,
    /// How far it was read.
    position: Position,
    /// What was read and is not being written yet.
    waiting: Vec<Applied>,
    writing: Option<JoinHandle<(Rebuild, Result<u64, ModelError>)>>,
}

impl Next {
    const fn of(rebuild: Rebuild) -> Self {
        Self { rebuild: Some(rebuild), position: Position::START, waiting: Vec::new(), writing: None }
    }

    /// Writes what waits, after what is being written.
    async fn write(&mut self) -> Result<(), Error> {
        self.written().await?;
        let (batch, mut rebuild) = (std::mem::take(&mut self.waiting), self.take_rebuild()?);
        self.writing = Some(tokio::spawn(async move {
            let written = rebuild.apply(&batch).await;
            (rebuild, written)
        }));
        Ok(())
    }

    async fn written(&mut self) -> Result<(), Error> {
        let Some(writing) = self.writing.take() else { return Ok(()) };
        let (rebuild, written) = writing.await.map_err(Error::Writer)?;
        self.rebuild = Some(rebuild);
        written.map(drop).map_err(Error::Model)
    }

    /// The model, which nobody writes now.
    fn rebuild(&mut self) -> Result<&mut Rebuild, Error> {
        self.rebuild.as_mut().ok_or(Error::Model(ModelError::RebuildFailed))
    }

    fn take_rebuild(&mut self) -> Result<Rebuild, Error> {
        self.rebuild.take().ok_or(Error::Model(ModelError::RebuildFailed))
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
