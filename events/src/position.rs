//! A place in one particular log.

use crate::EventId;
use serde::{Deserialize, Serialize};

/// Where a fold stands: the sequence of its last fact, and which fact that is. A sequence alone would fit every log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Position {
    /// The sequence of the last fact; 0 before the first.
    pub sequence: u64,
    /// The id of the fact there; nil before the first, and for a message that has none.
    pub id: EventId,
}

impl Position {
    /// Before the first fact of any log.
    pub const START: Self = Self { sequence: 0, id: EventId::nil() };
}
