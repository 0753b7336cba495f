//! Folds: states computed from the log, each with the [`Position`] it stands at.
//!
//! [`Following`] is the one loop under all of them. Whenever it comes to the log, at the start and after each
//! interruption, it asks whether the log is the one that the state was folded from: the fact at the state's sequence has
//! the id that the position names. A log that ends earlier, holds another fact there or skips a sequence has another
//! history, an older copy put back perhaps: the fold says so and starts over from nothing.
//!
//! A state lives in memory with a snapshot somewhere ([`Memory`] and its [`Home`]s), or in a database that moves the
//! position in the transaction that writes its rows; then it is a [`Fold`] of its own.

mod kept;
mod map;
mod memory;
mod objects;
mod source;

pub use kept::Kept;
pub use map::Map;
pub use memory::{Home, Memory, State};
pub use objects::Objects;

use crate::attendance::Telling;
use crate::follow::Entry;
use crate::log::Log;
use crate::telemetry::metrics;
use events::Position;
use source::{Heard, Source};

/// A state that the log is folded into.
pub trait Fold: Send {
    /// Its name in logs and metrics.
    const NAME: &'static str;
    /// Why its home cannot take what was folded.
    type Error;

    /// Where the state stands.
    fn position(&self) -> Position;

    /// Forgets what was folded: it is of another log. Afterwards [`Fold::position`] tells from where to read.
    fn reset(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Takes in the next entries, which go on where the state stands, one after another.
    fn take(&mut self, entries: Vec<Entry>) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Whether everything is taken in that was in the log when it was reached: half a history is not worth keeping.
    fn level(&mut self, is_level: bool) {
        let _ = is_level;
    }

    /// Looks after its home beside everything else, for ever. Safe to cancel.
    fn keep(&mut self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }
}

/// What has happened to a fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It has reached its log, at the start or after an interruption.
    Reached,
    /// It has taken in what came.
    Taken,
    /// The log has another history: it has started over.
    StartedOver,
}

/// A fold and the log it follows.
pub struct Following<F> {
    fold: F,
    source: Source,
    /// Tells whoever looks after the installation how far it is, once it begins.
    telling: Option<Telling>,
}

impl<F: Fold> Following<F> {
    /// Goes on where `fold` stands.
    pub const fn new(log: Log, fold: F) -> Self {
        Self { fold, source: Source::new(log, false), telling: None }
    }

    /// The same where there is a long past to read before anything new: that costs the log's server less, which is asked
    /// for more at once.
    pub const fn past(log: Log, fold: F) -> Self {
        Self { fold, source: Source::new(log, true), telling: None }
    }

    /// Waits for something to happen, however long the log is away. Safe to cancel if [`Fold::take`] is.
    ///
    /// # Errors
    /// What the fold's home says. The state is then as [`Fold::position`] tells; the next call goes on from there.
    pub async fn next(&mut self) -> Result<Step, F::Error> {
        let position = self.fold.position();
        let heard = tokio::select! {
            heard = self.source.hear(position) => heard,
            () = self.fold.keep() => return Ok(Step::Taken),
        };
        let step = match heard {
            Heard::Reached => {
                // Told at once: a fold that is level may wait long for what comes next.
                let end = self.source.end().unwrap_or_default();
                self.tell(position.sequence, end.saturating_sub(position.sequence));
                Step::Reached
            }
            Heard::Entries(entries) => {
                self.take(entries).await?;
                Step::Taken
            }
            Heard::OtherHistory(difference) => {
                let reason = difference.label();
                tracing::error!(fold = F::NAME, position = position.sequence, %difference, "starting over from nothing");
                metrics::fold_started_over(F::NAME, reason);
                self.fold.reset().await?;
                Step::StartedOver
            }
        };
        let is_level = self.is_level();
        self.fold.level(is_level);
        Ok(step)
    }

    async fn take(&mut self, entries: Vec<Entry>) -> Result<(), F::Error> {
        let pending = entries.last().map_or(0, |entry| entry.pending);
        entries.iter().for_each(report::<F>);
        // Whatever comes of it, what comes next goes on where the fold stands then.
        let feed = self.source.suspend();
        self.fold.take(entries).await?;
        self.source.resume(feed);
        self.tell(self.fold.position().sequence, pending);
        Ok(())
    }

    fn tell(&mut self, position: u64, pending: u64) {
        metrics::fold_position(F::NAME, position, pending);
        let connection = self.source.connection();
        self.telling.get_or_insert_with(|| Telling::unnamed(connection)).position(position);
    }

    /// Whether the state holds everything that was in the log when it was last reached.
    pub fn is_level(&self) -> bool {
        self.source.end().is_some_and(|end| self.fold.position().sequence >= end)
    }

    /// The state and its home.
    pub const fn fold(&self) -> &F {
        &self.fold
    }

    /// The state and its home, to be changed by more than the log.
    pub const fn fold_mut(&mut self) -> &mut F {
        &mut self.fold
    }

    /// The fold alone, when it shall follow no longer.
    pub fn into_fold(self) -> F {
        self.fold
    }
}

/// Says what cannot be folded. It is never lost: it stays in the log, for a version that can read it.
fn report<F: Fold>(entry: &Entry) {
    let (fold, sequence) = (F::NAME, entry.sequence);
    let Err(error) = &entry.fact else { return };
    if let Some(type_name) = error.unknown_type() {
        tracing::warn!(fold, sequence, type_name, "a newer version has stated a fact that this one does not know");
        metrics::fold_passed_over(F::NAME, "newer_version");
    } else {
        tracing::error!(fold, sequence, %error, "a fact cannot be read and is passed over");
        metrics::fold_passed_over(F::NAME, "unreadable");
    }
}
