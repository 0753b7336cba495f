//! The mark beside a plain tree: which deploy the tree shows whole, or that somebody is writing it.
//!
//! Whoever writes a tree first puts their name on its mark, and renews it while they write. Every change of a mark names
//! the mark it replaces, so of two who come at once one is turned away, and one who was away too long cannot say in the
//! end that the tree is whole. A mark that does not move for [`Rhythm::takeover`] is a dead writer's. No clocks are
//! compared: each process counts from when it first saw the mark.

use crate::error::Resource;
use bytes::Bytes;
use events::DeployId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// How writers of plain trees keep apart.
#[derive(Debug, Clone, Copy)]
pub struct Rhythm {
    /// How often a writer renews its mark.
    pub renew_every: Duration,
    /// How long a writer goes on without a renewal; from then on it writes nothing more.
    pub trust: Duration,
    /// How long a mark stands still before its writer counts as dead. Longer than [`Self::trust`], by the time that a
    /// request already sent may take to reach the store.
    pub takeover: Duration,
}

impl Default for Rhythm {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { renew_every: seconds(4), trust: seconds(12), takeover: seconds(30) }
    }
}

/// What a mark says. One that says nothing we know is as good as none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mark {
    /// The tree is this deploy, whole.
    Shows(DeployId),
    /// The tree was removed, whole.
    Empty,
    /// The tree is being written. The beat makes each renewal an object of its own.
    Writing { writer: Uuid, beat: u64 },
}

impl Mark {
    pub(crate) fn encode(&self) -> Bytes {
        let text = match self {
            Self::Shows(deploy) => format!("shows {deploy}"),
            Self::Empty => "empty".to_owned(),
            Self::Writing { writer, beat } => format!("writing {writer} {beat}"),
        };
        text.into()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(bytes).ok()?.split(' ');
        match (words.next()?, words.next(), words.next()) {
            ("shows", Some(deploy), None) => deploy.parse().ok().map(Self::Shows),
            ("empty", None, None) => Some(Self::Empty),
            ("writing", Some(writer), Some(beat)) => {
                Some(Self::Writing { writer: writer.parse().ok()?, beat: beat.parse().ok()? })
            }
            _ => None,
        }
    }
}

/// Marks of writers at work as this process last saw them, by the object in which they lie.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sightings(Arc<Mutex<HashMap<String, Sighting>>>);

/// A version of a mark, and since when it is known.
#[derive(Debug)]
struct Sighting {
    tag: String,
    since: Instant,
}

impl Sightings {
    /// For how long the mark has stood as it is.
    pub(crate) fn stood(&self, resource: &Resource, tag: &str) -> Duration {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = || Sighting { tag: tag.to_owned(), since: Instant::now() };
        let sighting = seen.entry(resource.to_string()).or_insert_with(now);
        if sighting.tag != tag {
            *sighting = now();
        }
        sighting.since.elapsed()
    }

    pub(crate) fn forget(&self, resource: &Resource) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&resource.to_string());
    }
}
