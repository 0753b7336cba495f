//! The words of notices: how receivers are told, what of, and what they are called.

use crate::ids::{Invalid, text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest name of a receiver, in characters.
pub const RECEIVER_NAME_MAX: usize = 60;

/// What a receiver is called: one line of at most [`RECEIVER_NAME_MAX`] characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("minLength" = 1, "maxLength" = 60))]
pub struct ReceiverName(String);

text!(ReceiverName);

impl TryFrom<String> for ReceiverName {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let is_plain = !text.contains(char::is_control) && text.trim() == text;
        if is_plain && (1..=RECEIVER_NAME_MAX).contains(&text.chars().count()) {
            Ok(Self(text))
        } else {
            Err(Invalid(format!("the name of a receiver is one line of 1 to {RECEIVER_NAME_MAX} characters")))
        }
    }
}

/// How somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A signed request to any server (Standard Webhooks).
    Webhook,
    /// A line in a chat, by an incoming webhook as Slack has them.
    Slack,
    /// Mail.
    Email,
    /// The state of a commit, and a comment on its pull requests.
    Github,
    /// An event as other tools of continuous delivery understand it (CDEvents).
    Cdevents,
}

/// What may be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// A build waits for its turn.
    BuildQueued,
    /// A build is worked on.
    BuildStarted,
    /// A build made something.
    BuildSucceeded,
    /// A build did not, by whoever's fault.
    BuildFailed,
    /// A build ended without a result: canceled, or not worth its while.
    BuildCanceled,
    /// An alias shows something else.
    Promoted,
    /// An alias shows nothing any more.
    Removed,
    /// What readers see stays.
    Locked,
    /// What readers see may change again.
    Unlocked,
    /// Somebody wanted to see a notice arrive.
    Test,
}

impl Kind {
    /// Every kind, in the order in which they are offered.
    pub const ALL: [Self; 5] = [Self::Webhook, Self::Slack, Self::Email, Self::Github, Self::Cdevents];

    /// The word for it, as the API writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::Email => "email",
            Self::Github => "github",
            Self::Cdevents => "cdevents",
        }
    }
}

impl Occasion {
    /// Everything that somebody may want to be told of.
    pub const WANTED: [Self; 9] = [
        Self::BuildQueued,
        Self::BuildStarted,
        Self::BuildSucceeded,
        Self::BuildFailed,
        Self::BuildCanceled,
        Self::Promoted,
        Self::Removed,
        Self::Locked,
        Self::Unlocked,
    ];

    /// The word for it, as the API writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BuildQueued => "build_queued",
            Self::BuildStarted => "build_started",
            Self::BuildSucceeded => "build_succeeded",
            Self::BuildFailed => "build_failed",
            Self::BuildCanceled => "build_canceled",
            Self::Promoted => "promoted",
            Self::Removed => "removed",
            Self::Locked => "locked",
            Self::Unlocked => "unlocked",
            Self::Test => "test",
        }
    }

    /// The same in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::BuildQueued => "a build is queued",
            Self::BuildStarted => "a build has started",
            Self::BuildSucceeded => "a build succeeded",
            Self::BuildFailed => "a build failed",
            Self::BuildCanceled => "a build was canceled or skipped",
            Self::Promoted => "something else is shown",
            Self::Removed => "something is not shown any more",
            Self::Locked => "the site is locked",
            Self::Unlocked => "the site is unlocked",
            Self::Test => "a test",
        }
    }
}
