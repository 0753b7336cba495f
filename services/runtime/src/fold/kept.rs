//! What is kept of a fold in memory, and its text as a snapshot.

use super::State;
use crate::error::BoxError;
use events::Position;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A state, where it stands, and what it lacks. To clone it is cheap: the state is shared.
#[derive(Debug)]
pub struct Kept<S> {
    /// Where the state stands.
    pub position: Position,
    /// Types of facts that are not in the state because its writer did not know them, and where the first of each stands.
    pub unknown: BTreeMap<String, Position>,
    /// The state.
    pub state: Arc<S>,
}

#[derive(Serialize)]
struct Written<'a, S> {
    version: u32,
    position: Position,
    unknown: &'a BTreeMap<String, Position>,
    state: &'a S,
}

#[derive(Deserialize)]
struct Read<S> {
    position: Position,
    unknown: BTreeMap<String, Position>,
    state: S,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl<S> Clone for Kept<S> {
    fn clone(&self) -> Self {
        Self { position: self.position, unknown: self.unknown.clone(), state: Arc::clone(&self.state) }
    }
}

impl<S: State> Kept<S> {
    pub(super) fn nothing() -> Self {
        Self { position: Position::START, unknown: BTreeMap::new(), state: Arc::default() }
    }

    /// All of it as one text. Slow for a large state: not for a thread that others wait for.
    ///
    /// # Errors
    /// If the state cannot be written as JSON.
    pub fn to_json(&self) -> Result<Vec<u8>, BoxError> {
        let Self { position, unknown, state } = self;
        Ok(serde_json::to_vec(&Written { version: S::VERSION, position: *position, unknown, state: &**state })?)
    }

    /// What a text holds. One that cannot be used is reported.
    #[must_use]
    pub fn from_json(text: &[u8]) -> Option<Self> {
        let version = serde_json::from_slice::<Version>(text).map(|found| found.version);
        let read = match version {
            Ok(found) if found != S::VERSION => {
                tracing::info!(fold = S::NAME, found, wanted = S::VERSION, "snapshot of another version is not used");
                return None;
            }
            Ok(_) => serde_json::from_slice::<Read<S>>(text),
            Err(error) => Err(error),
        };
        let read = read
            .inspect_err(|error| tracing::error!(fold = S::NAME, %error, "snapshot cannot be read and is not used"));
        read.ok().map(|Read { position, unknown, state }| Self { position, unknown, state: Arc::new(state) })
    }
}
