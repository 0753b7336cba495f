//! An aggregate as the log has it: where its facts are, and what they add up to.

use crate::codec;
use crate::error::Error;
use crate::read::Stored;
use events::{Aggregate, Recorded, subject};

/// Which aggregate it is about, and where its facts are.
#[derive(Debug, Clone)]
pub(crate) struct About {
    pub(crate) id: String,
    pub(crate) subject: String,
}

impl About {
    pub(crate) fn of<A: Aggregate>(id: &str) -> Self {
        Self { id: id.to_owned(), subject: subject::events(A::KIND, id) }
    }
}

/// An aggregate's state and the sequence of its last fact (0 for none).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded<A> {
    /// The state.
    pub state: A,
    /// Where it stands.
    pub sequence: u64,
}

impl<A: Default> Default for Loaded<A> {
    fn default() -> Self {
        Self { state: A::default(), sequence: 0 }
    }
}

impl<A: Aggregate> Loaded<A> {
    /// The same with what the log has after it.
    pub(crate) fn read_on(self, news: Vec<Stored>) -> Result<Self, Error> {
        news.into_iter().try_fold(self, |loaded, Stored { sequence, headers, payload, .. }| {
            let recorded = codec::recorded(sequence, &headers, &payload).map_err(|source| unread(sequence, source))?;
            Ok(Self { state: loaded.state.fold(&recorded.event), sequence })
        })
    }

    /// The same with what was just appended.
    pub(crate) fn advanced(self, recorded: &[Recorded]) -> Self {
        let fold =
            |loaded: Self, fact: &Recorded| Self { state: loaded.state.fold(&fact.event), sequence: fact.sequence };
        recorded.iter().fold(self, fold)
    }
}

/// Why a fact cannot be read: a newer version wrote it, or it is damaged.
pub(crate) fn unread(sequence: u64, source: codec::Error) -> Error {
    match source.unknown_type() {
        Some(type_name) => Error::Newer { sequence, type_name: type_name.to_owned() },
        None => Error::Unreadable { sequence, source },
    }
}
