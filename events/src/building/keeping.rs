//! How many of a site's deploys are kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU16;
use std::time::Duration;

/// The most deploys that a site may keep by their number.
pub const KEEP_DEPLOYS_MAX: u16 = 10_000;
/// The longest that a site may keep its deploys by their age, in days.
pub const KEEP_DAYS_MAX: u16 = 3650;
/// How long a deploy that shall go may still be shown, and one that is stored may wait to be: the moment between a decision
/// and the fact that follows from it.
pub const SETTLING: Duration = Duration::from_secs(10);

/// Which deploys a site keeps: the newest ones, young ones, and always those that an alias shows, locked or not. Of any other
/// the bytes go, and the fact that it was there stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Keeping {
    /// How many of the newest, by their source, at most [`KEEP_DEPLOYS_MAX`].
    #[schemars(range(min = 1, max = 10_000))]
    pub deploys: NonZeroU16,
    /// For how many days each, however many there are; at most [`KEEP_DAYS_MAX`].
    #[schemars(range(max = 3650))]
    pub days: u16,
}

impl Default for Keeping {
    fn default() -> Self {
        Self { deploys: NonZeroU16::new(100).unwrap_or(NonZeroU16::MAX), days: 0 }
    }
}

impl Keeping {
    /// Whether it is as most sites keep it.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// In a few words.
    #[must_use]
    pub fn told(self) -> String {
        let Self { deploys, days } = self;
        let noun = if deploys.get() == 1 { "deploy is" } else { "deploys are" };
        let young = match days {
            0 => String::new(),
            1 => ", and those of the last day".to_owned(),
            days => format!(", and those of the last {days} days"),
        };
        format!("the newest {deploys} {noun} kept{young}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_told_in_words() {
        for (deploys, days, told) in [
            (1, 0, "the newest 1 deploy is kept"),
            (20, 1, "the newest 20 deploys are kept, and those of the last day"),
            (20, 30, "the newest 20 deploys are kept, and those of the last 30 days"),
        ] {
            assert_eq!(Keeping { deploys: NonZeroU16::new(deploys).unwrap(), days }.told(), told);
        }
    }
}
