//! Why a private nats-server does not run, and what to do about it.

use std::fmt::Display;
use std::io;
use std::path::Path;

/// A private server could not be started, or its secrets could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot start nats-server: {reason}")]
pub struct Error {
    reason: String,
}

impl Error {
    /// `reason` names the remedy if there is one.
    pub(super) fn because(reason: impl Display) -> Self {
        Self { reason: reason.to_string() }
    }

    pub(super) fn cannot(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::because(format!("cannot {doing} `{}`: {error}", path.display()))
    }
}
