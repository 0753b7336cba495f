//! A state in memory, with a snapshot of it somewhere, so that a restart need not read the log from its start.
//!
//! Snapshots are written beside the fold, one at a time, and never while it catches up. A snapshot names the types of
//! facts that its writer did not know: a version that knows one of them does not go on from it.

use super::Fold;
use crate::error::BoxError;
use crate::follow::Entry;
use crate::vocabulary;
use events::{Position, Recorded};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// Entries after which a snapshot is due at once.
const SAVE_ENTRIES: u64 = 1000;
/// How long a mere change of position may go unsaved.
const SAVE_POSITION: Duration = Duration::from_secs(60);
/// The rest after a snapshot that could not be written.
const SAVE_AGAIN: Duration = Duration::from_secs(5);

/// A state that fits in memory. The state after a fact depends on the state before it and the fact alone.
pub trait State: Default + Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name of its fold.
    const NAME: &'static str;
    /// Bumped when its shape or meaning changes: a snapshot of another version is not read.
    const VERSION: u32;
    /// How long a change may go unsaved.
    const SAVE_AFTER: Duration;

    /// Takes in a fact; answers whether it may have changed anything.
    fn apply(&mut self, recorded: &Recorded) -> bool;
}

/// Where snapshots are kept: one, in place of the last.
pub trait Home: Clone + Send + Sync + 'static {
    /// The last snapshot, if there is one.
    fn read(&self) -> impl Future<Output = Result<Option<Vec<u8>>, BoxError>> + Send;

    /// Keeps this one from now on; the last stays whole until then.
    fn write(&self, snapshot: Vec<u8>) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// A [`State`] and its [`Home`].
pub struct Memory<S, H> {
    home: H,
    kept: Kept<S>,
    last: Option<Arc<S>>,
    is_level: bool,
    saved: u64,
    /// When what has changed shall be saved; none if nothing has.
    due: Option<Instant>,
    saving: Option<JoinHandle<Result<(), BoxError>>>,
}

#[derive(Serialize, Deserialize)]
#[serde(bound = "S: State")]
struct Kept<S> {
    version: u32,
    position: Position,
    /// Types of facts that are not in the state because its writer did not know them, and where the first stands.
    unknown: BTreeMap<String, Position>,
    #[serde(with = "shared")]
    state: Arc<S>,
}

/// A state is shared in memory and whole in its snapshot.
mod shared {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::sync::Arc;

    pub(super) fn serialize<S: Serialize, T: Serializer>(state: &Arc<S>, to: T) -> Result<T::Ok, T::Error> {
        (**state).serialize(to)
    }

    pub(super) fn deserialize<'d, S: Deserialize<'d>, T: Deserializer<'d>>(from: T) -> Result<Arc<S>, T::Error> {
        S::deserialize(from).map(Arc::new)
    }
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl<S: State> Kept<S> {
    fn nothing() -> Self {
        Self { version: S::VERSION, position: Position::START, unknown: BTreeMap::new(), state: Arc::default() }
    }

    /// What a snapshot holds. One that cannot be used is reported.
    fn read(snapshot: &[u8]) -> Option<Self> {
        let version = serde_json::from_slice::<Version>(snapshot).map(|found| found.version);
        let read = match version {
            Ok(found) if found != S::VERSION => {
                tracing::info!(fold = S::NAME, found, wanted = S::VERSION, "snapshot of another version is not used");
                return None;
            }
            Ok(_) => serde_json::from_slice(snapshot),
            Err(error) => Err(error),
        };
        read.inspect_err(|error| tracing::error!(fold = S::NAME, %error, "snapshot cannot be read and is not used"))
            .ok()
    }
}

impl<S: State, H: Home> Memory<S, H> {
    /// The state as it was kept last, or that of an empty log.
    ///
    /// # Errors
    /// What `home` says if it cannot be read now. A snapshot that is no use is reported and passed over.
    pub async fn load(home: H) -> Result<Self, BoxError> {
        let snapshot = home.read().await?;
        let mut memory = Self::empty(home);
        let Some(kept) = snapshot.and_then(|snapshot| Kept::<S>::read(&snapshot)) else { return Ok(memory) };
        memory.last = Some(Arc::clone(&kept.state));
        if let Some(learned) = kept.unknown.keys().find(|name| vocabulary::knows(name)) {
            tracing::info!(
                fold = S::NAME,
                learned,
                "the snapshot lacks facts that its writer did not know: starting over"
            );
        } else {
            memory.saved = kept.position.sequence;
            memory.kept = kept;
        }
        Ok(memory)
    }

    /// The state of an empty log.
    pub fn empty(home: H) -> Self {
        Self { home, kept: Kept::nothing(), last: None, is_level: false, saved: 0, due: None, saving: None }
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

    /// Writes a snapshot beside the fold, which goes on: the state is copied only if it changes meanwhile.
    fn save(&mut self) -> JoinHandle<Result<(), BoxError>> {
        let Kept { version, position, unknown, state } = &self.kept;
        let kept = Kept { version: *version, position: *position, unknown: unknown.clone(), state: Arc::clone(state) };
        (self.due, self.saved) = (None, position.sequence);
        let home = self.home.clone();
        tokio::spawn(async move {
            let snapshot = tokio::task::spawn_blocking(move || serde_json::to_vec(&kept)).await??;
            home.write(snapshot).await
        })
    }
}

impl<S: State, H: Home> Fold for Memory<S, H> {
    const NAME: &'static str = S::NAME;
    type Error = Infallible;

    fn position(&self) -> Position {
        self.kept.position
    }

    async fn reset(&mut self) -> Result<(), Infallible> {
        (self.kept, self.saved, self.due, self.is_level) = (Kept::nothing(), 0, None, false);
        Ok(())
    }

    async fn take(&mut self, entries: Vec<Entry>) -> Result<(), Infallible> {
        let mut is_changed = false;
        for entry in entries {
            self.kept.position = entry.position();
            match &entry.fact {
                Ok(recorded) => is_changed |= Arc::make_mut(&mut self.kept.state).apply(recorded),
                Err(error) => {
                    if let Some(name) = error.unknown_type() {
                        self.kept.unknown.entry(name.to_owned()).or_insert(entry.position());
                        is_changed = true;
                    }
                }
            }
        }
        let many = self.kept.position.sequence - self.saved >= SAVE_ENTRIES;
        let after = if is_changed { S::SAVE_AFTER } else { SAVE_POSITION };
        self.save_within(if many { Duration::ZERO } else { after });
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
                if let Err(error) = saved {
                    tracing::warn!(fold = S::NAME, error = &*error as &dyn std::error::Error, "no snapshot was kept");
                    self.save_within(SAVE_AGAIN);
                }
            }
            let Some(due) = self.due.filter(|_| self.is_level) else { return std::future::pending().await };
            sleep_until(due).await;
            self.saving = Some(self.save());
        }
    }
}
