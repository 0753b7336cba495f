//! Which version of a thing whoever changes it has seen.

/// The versions at which a change may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It does not matter to them.
    Any,
    /// One of these.
    Of(Vec<u64>),
}

impl Seen {
    pub(crate) const fn is_any(&self) -> bool {
        matches!(self, Self::Any)
    }

    /// The version that a change is made to, of a thing that is at `now`: if that is none they saw, one that is refused.
    pub(crate) fn version(&self, now: u64) -> u64 {
        match self {
            Self::Any => now,
            Self::Of(versions) if versions.contains(&now) => now,
            Self::Of(versions) => versions.first().copied().unwrap_or(0),
        }
    }
}

impl From<Option<u64>> for Seen {
    fn from(version: Option<u64>) -> Self {
        version.map_or(Self::Any, |version| Self::Of(vec![version]))
    }
}
