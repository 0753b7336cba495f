//! Why an attempt has no artifact.

use crate::disk;
use crate::interruption::Interruption;
use events::build::Report;
use events::event::Artifact;
use events::{CommitId, Outcome};
use std::io;

/// What ends the work of an attempt early.
#[derive(Debug)]
pub(super) enum Cut {
    /// It ends the build too.
    Fault(Fault),
    /// Another attempt shall go on.
    Interrupted(Interruption),
}

/// What is wrong with a build, for the person who reads it.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) outcome: Outcome,
    pub(super) message: String,
    pub(super) commit: Option<CommitId>,
    /// What usually helps.
    pub(super) hint: Option<&'static str>,
}

impl From<Fault> for Cut {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Cut {
    /// The same, once the commit is known.
    pub(super) fn at(self, commit: &CommitId) -> Self {
        match self {
            Self::Fault(fault) => Self::Fault(Fault { commit: Some(commit.clone()), ..fault }),
            Self::Interrupted(why) => Self::Interrupted(why),
        }
    }
}

/// A failure with the files of an attempt: a disk that is full is waited for, anything else is a fault of ours.
pub(super) fn of_files(doing: &str, error: &io::Error) -> Cut {
    if disk::is_full(error) { Cut::Interrupted(Interruption::Disk) } else { platform(doing, error).into() }
}

/// A fault of ours, not of the source.
pub(super) fn platform(doing: &str, error: &(dyn std::error::Error + 'static)) -> Fault {
    tracing::error!(error, doing, "a build ends in an error of the platform");
    Fault { outcome: Outcome::Error, message: format!("The platform failed to {doing}."), commit: None, hint: None }
}

/// What its repository is read by was sealed with a key that is no more.
pub(super) fn locked_out() -> Cut {
    let message = "The site's deploy key or token cannot be read any more: make another.".to_owned();
    Cut::Fault(Fault { outcome: Outcome::Error, message, commit: None, hint: None })
}

/// What the site gives its builds was sealed with a key that is no more.
pub(super) fn unreadable() -> Cut {
    let message = "The site's variables cannot be read any more: set them again.".to_owned();
    Cut::Fault(Fault { outcome: Outcome::Error, message, commit: None, hint: None })
}

/// Nobody reads it: what ended the attempt has its own words.
pub(super) const fn halted() -> Cut {
    Cut::Fault(Fault { outcome: Outcome::Error, message: String::new(), commit: None, hint: None })
}

/// The attempt and how long it took are filled in by whoever knows them.
pub(super) fn report(
    outcome: Outcome,
    message: String,
    commit: Option<CommitId>,
    artifact: Option<Artifact>,
) -> Report {
    Report {
        attempt: 0,
        commit,
        outcome,
        reason: message,
        hint: None,
        artifact,
        duration_ms: 0,
        steps: Vec::new(),
        resources: None,
    }
}
