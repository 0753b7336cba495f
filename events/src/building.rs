//! When and how a site is built, beyond where its source is: each of these has a default, which most sites keep.

use crate::AliasName;
use crate::ids::Invalid;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What the people of a site may change about its builds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Building {
    /// Which builds that run are ended when a newer one of their branch is queued.
    pub cancel_running: CancelRunning,
}

/// Which builds that run are ended when a newer one of their branch is queued. Those that wait always are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CancelRunning {
    /// Those of previews.
    #[default]
    Previews,
    /// Those of the live and the demo branch too.
    All,
    /// None.
    None,
}

impl Building {
    /// Whether everything is as most sites keep it.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What is not as most sites keep it, in a few words each.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let Self { cancel_running } = self;
        let mut told = Vec::new();
        if *cancel_running != CancelRunning::default() {
            told.push(format!("a newer push ends what runs: {cancel_running}"));
        }
        told
    }
}

impl CancelRunning {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Previews, Self::All, Self::None];

    /// Whether a build for `alias` that runs is ended by a newer one of its branch.
    #[must_use]
    pub const fn ends(self, alias: &AliasName) -> bool {
        match (self, alias) {
            (Self::All, _) | (Self::Previews, AliasName::Preview(_)) => true,
            (Self::None, _) | (Self::Previews, AliasName::Live | AliasName::Demo) => false,
        }
    }
}

impl fmt::Display for CancelRunning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Previews => "previews",
            Self::All => "all",
            Self::None => "none",
        })
    }
}

impl FromStr for CancelRunning {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let found = Self::ALL.into_iter().find(|choice| choice.to_string() == text);
        found.ok_or_else(|| Invalid(format!("`{}` is none of previews, all, none", text.escape_debug())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previews_are_ended_by_default_and_what_readers_see_only_if_asked_for() {
        let (live, preview): (AliasName, AliasName) = ("live".parse().unwrap(), "preview/x".parse().unwrap());
        let ends = |choice: CancelRunning| [choice.ends(&live), choice.ends(&preview)];
        assert_eq!(ends(CancelRunning::default()), [false, true]);
        assert_eq!(ends(CancelRunning::All), [true, true]);
        assert_eq!(ends(CancelRunning::None), [false, false]);
    }

    #[test]
    fn only_what_is_not_the_default_is_told() {
        assert_eq!(Building::default().told(), Vec::<String>::new());
        let all = Building { cancel_running: CancelRunning::All };
        assert_eq!(all.told(), ["a newer push ends what runs: all"]);
    }
}
