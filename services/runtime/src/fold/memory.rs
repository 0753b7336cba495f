//! A state in memory, with a copy of it kept somewhere, so that a restart need not read the log from its start.
//!
//! Copies are kept beside the fold, one at a time, and never while it catches up. How often depends on time and on size: a
//! change is kept soon if that costs no more than reading again what it saves from being read, else later, so that what is
//! written for a fact does not grow with the state. A copy names the types of facts that its writer did not know: a version
//! that knows one of them does not go on from it.

use super::Fold;
use super::kept::Kept;
use crate::error::BoxError;
use crate::follow::Entry;
use crate::vocabulary;
use events::{Position, Recorded};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// How much may be written for each fact that need not be read again, in bytes: about what a fact takes in the log.
const SAVE_BYTES: u64 = 512;
/// How long a change may go unsaved, however much is written for it.
const SAVE_AT_LATEST: Duration = Duration::from_secs(5 * 60);
/// How long a mere change of position may go unsaved.
const SAVE_POSITION: Duration = Duration::from_secs(60);
/// The rest after a copy that could not be kept.
const SAVE_AGAIN: Duration = Duration::from_secs(5);

/// A state that fits in memory. The state after a fact depends on the state before it and the fact alone. To clone it must
/// be cheap, for that is done between two facts: what grows belongs in a [`Map`](super::Map).
pub trait State: Default + Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name of its fold.
    const NAME: &'static str;
    /// Bumped when its shape or meaning changes: what was kept of another version is not read.
    const VERSION: u32;
    /// How long a change may go unsaved that costs little to save.
    const SAVE_AFTER: Duration;

    /// Takes in a fact; answers whether it may have changed anything.
    fn apply(&mut self, recorded: &Recorded) -> bool;
}

/// Where a state is kept.
pub trait Home<S>: Clone + Send + Sync + 'static {
    /// What was kept last, if there is anything of use.
    fn read(&self) -> impl Future<Output = Result<Option<Kept<S>>, BoxError>> + Send;

    /// Keeps this from now on; what was kept last stays whole until then. Answers how many bytes it took.
    fn write(&self, kept: Kept<S>) -> impl Future<Output = Result<u64, BoxError>> + Send;
}

/// A [`State`] and its [`Home`].
pub struct Memory<S, H> {
    home: H,
    kept: Kept<S>,
    last: Option<Arc<S>>,
    is_level: bool,
    saved: Saved,
    /// When what has changed shall be saved; none if nothing has.
    due: Option<Instant>,
    saving: Option<JoinHandle<Result<u64, BoxError>>>,
}

/// What was kept last.
struct Saved {
    sequence: u64,
    at: Instant,
    bytes: u64,
}

impl<S: State, H: Home<S>> Memory<S, H> {
    /// The state as it was kept last, or that of an empty log.
    ///
    /// # Errors
    /// What `home` says if it cannot be read now. What is no use is reported and passed over.
    pub async fn load(home: H) -> Result<Self, BoxError> {
        let kept = home.read().await?;
        let mut memory = Self::empty(home);
        let Some(kept) = kept else { return Ok(memory) };
        memory.last = Some(Arc::clone(&kept.state));
        if let Some(learned) = kept.unknown.keys().find(|name| vocabulary::knows(name)) {
            tracing::info!(
                fold = S::NAME,
                learned,
                "the snapshot lacks facts that its writer did not know: starting over"
            );
        } else {
            memory.saved.sequence = kept.position.sequence;
            memory.kept = kept;
        }
        Ok(memory)
    }

    /// The state of an empty log.
    pub fn empty(home: H) -> Self {
        let saved = Saved { sequence: 0, at: Instant::now(), bytes: 0 };
        Self { home, kept: Kept::nothing(), last: None, is_level: false, saved, due: None, saving: None }
    }

    /// The state.
    pub const fn state(&self) -> &Arc<S> {
        &self.kept.state
    }

    /// The state as it was kept last, even if this version does not go on from it: better than nothing, to be shown
    /// until there is more.
    pub const fn last(&self) -> Option<&Arc<S>> {
        self.last.as_ref()
    }

    /// The first fact that is missing in the state because this version does not know its type.
    pub fn newer(&self) -> Option<(&str, Position)> {
        let first = self.kept.unknown.iter().min_by_key(|(_, position)| position.sequence);
        first.map(|(name, position)| (name.as_str(), *position))
    }

    /// Changes the state by what is not in the log.
    pub fn change(&mut self, change: impl FnOnce(&mut S)) {
        change(Arc::make_mut(&mut self.kept.state));
        self.save_within(S::SAVE_AFTER);
    }

    /// Keeps what has changed, and ends.
    ///
    /// # Errors
    /// What the home says if it could not be kept.
    pub async fn close(mut self) -> Result<(), BoxError> {
        if let Some(saving) = self.saving.take() {
            saving.await??;
        }
        if self.due.is_some() && self.is_level {
            self.save().await??;
        }
        Ok(())
    }

    fn save_within(&mut self, delay: Duration) {
        let at = Instant::now() + delay;
        self.due = Some(self.due.map_or(at, |earlier| earlier.min(at)));
    }

    /// When it is time to save, as far as is known now.
    fn time_to_save(&self) -> Option<Instant> {
        let due = self.due.filter(|_| self.is_level)?;
        let spared = self.kept.position.sequence.saturating_sub(self.saved.sequence) * SAVE_BYTES;
        Some(if spared >= self.saved.bytes { due } else { due.max(self.saved.at + SAVE_AT_LATEST) })
    }

    /// Keeps the state beside the fold, which goes on.
    fn save(&mut self) -> JoinHandle<Result<u64, BoxError>> {
        let (home, kept) = (self.home.clone(), self.kept.clone());
        self.due = None;
        (self.saved.sequence, self.saved.at) = (kept.position.sequence, Instant::now());
        tokio::spawn(async move { home.write(kept).await })
    }
}

impl<S: State, H: Home<S>> Fold for Memory<S, H> {
    const NAME: &'static str = S::NAME;
    type Error = Infallible;

    fn position(&self) -> Position {
        self.kept.position
    }

    async fn reset(&mut self) -> Result<(), Infallible> {
        (self.kept, self.saved.sequence, self.due, self.is_level) = (Kept::nothing(), 0, None, false);
        Ok(())
    }

    async fn take(&mut self, entries: Vec<Entry>) -> Result<(), Infallible> {
        let (state, mut is_changed) = (Arc::make_mut(&mut self.kept.state), false);
        for entry in entries {
            self.kept.position = entry.position();
            match &entry.fact {
                Ok(recorded) => is_changed |= state.apply(recorded),
                Err(error) => {
                    if let Some(name) = error.unknown_type() {
                        self.kept.unknown.entry(name.to_owned()).or_insert(entry.position());
                        is_changed = true;
                    }
                }
            }
        }
        self.save_within(if is_changed { S::SAVE_AFTER } else { SAVE_POSITION });
        Ok(())
    }

    fn level(&mut self, is_level: bool) {
        self.is_level = is_level;
    }

    async fn keep(&mut self) {
        loop {
            if let Some(saving) = &mut self.saving {
                let saved = saving.await.map_err(BoxError::from).flatten();
                self.saving = None;
                match saved {
                    Ok(bytes) => self.saved.bytes = bytes,
                    Err(error) => {
                        tracing::warn!(fold = S::NAME, error = &*error as &dyn std::error::Error, "nothing was kept");
                        self.saved.bytes = 0;
                        self.save_within(SAVE_AGAIN);
                    }
                }
            }
            let Some(time) = self.time_to_save() else { return std::future::pending().await };
            sleep_until(time).await;
            self.saving = Some(self.save());
        }
    }
}

#[cfg(test)]
mod tests;
