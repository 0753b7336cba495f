//! Where builds stand, and what began them.

use events::Outcome;
use serde::{Deserialize, Serialize};

/// Where a build stands. The last six are ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits for a slot.
    Queued,
    /// It waits for a launcher.
    Dispatched,
    /// A launcher works on it, or what it made is being stored.
    Started,
    /// What it made is stored and can be shown: a build is not called a success before its pages are there.
    Success,
    /// The source is at fault.
    Failure,
    /// The platform is at fault.
    Error,
    /// It ran longer than it may.
    Timeout,
    /// Somebody or something newer ended it.
    Canceled,
    /// It was not worth building.
    Skipped,
}

/// What began the story of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerKind {
    /// A push arrived.
    Push,
    /// A pull request was opened, or brought to another commit.
    PullRequest,
    /// Its moment came, as the site's schedules have it.
    Schedule,
    /// A person asked for it, or for a site or settings that lead to it.
    Request,
}

impl State {
    /// Whether the build has ended.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        match self {
            Self::Queued | Self::Dispatched | Self::Started => false,
            Self::Success | Self::Failure | Self::Error | Self::Timeout | Self::Canceled | Self::Skipped => true,
        }
    }

    /// Where it stands once what it made is stored.
    pub(super) const fn stored(self) -> Self {
        if self.has_ended() { self } else { Self::Success }
    }
}

impl From<Outcome> for State {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Success => Self::Success,
            Outcome::Failure => Self::Failure,
            Outcome::Error => Self::Error,
            Outcome::Timeout => Self::Timeout,
            Outcome::Skipped => Self::Skipped,
        }
    }
}
