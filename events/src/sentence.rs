//! Facts in words: one sentence each, for timelines and feeds. Identities the reader sees beside it are left out.

use crate::{AliasEvent, BuildEvent, DeployEvent, Event, Outcome, PromotionReason, RepositoryEvent, SiteEvent};

impl Event {
    /// What happened, in one short sentence without a full stop.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Site(fact) => site(fact),
            Self::Repository(fact) => repository(fact),
            Self::Build(fact) => build(fact),
            Self::Deploy(fact) => deploy(fact),
            Self::Alias(fact) => alias(fact),
        }
    }
}

fn site(fact: &SiteEvent) -> String {
    match fact {
        SiteEvent::Created { repository, branch, .. } => {
            format!("site created from {repository}, `{branch}` is live")
        }
        SiteEvent::BuildRequested { branch, commit } => match commit {
            Some(commit) => format!("build of `{branch}` at {} requested", commit.short()),
            None => format!("build of `{branch}` requested"),
        },
        SiteEvent::Deleted {} => "site deleted".to_owned(),
    }
}

fn repository(fact: &RepositoryEvent) -> String {
    match fact {
        RepositoryEvent::PushReceived { branch, commit, summary, .. } => {
            format!("push to `{branch}`: {} {summary}", commit.short())
        }
        RepositoryEvent::BranchDeleted { branch, .. } => format!("branch `{branch}` deleted"),
    }
}

fn build(fact: &BuildEvent) -> String {
    match fact {
        BuildEvent::Queued { site, number, branch, .. } => format!("build {number} of {site} queued for `{branch}`"),
        BuildEvent::Dispatched { site } => format!("build of {site} has a slot"),
        BuildEvent::Started { site, attempt: 1, worker } => format!("build of {site} started on {worker}"),
        BuildEvent::Started { site, attempt, worker } => {
            format!("build of {site} started again on {worker}, attempt {attempt}")
        }
        BuildEvent::Finished { site, number, outcome, duration_ms, message, .. } => {
            let (seconds, tenths) = (duration_ms / 1000, duration_ms % 1000 / 100);
            match outcome {
                Outcome::Success => format!("build {number} of {site} succeeded in {seconds}.{tenths} s"),
                Outcome::Failure => format!("build {number} of {site} failed: {message}"),
                Outcome::Error => format!("build {number} of {site} ended in an error of the platform: {message}"),
                Outcome::Timeout => format!("build {number} of {site} ran out of time: {message}"),
            }
        }
        BuildEvent::Canceled { site, reason, .. } => format!("build of {site} canceled: {reason}"),
        BuildEvent::LogArchived { site, bytes, .. } => format!("log of a build of {site} archived, {bytes} bytes"),
    }
}

fn deploy(fact: &DeployEvent) -> String {
    match fact {
        DeployEvent::Synced { site, number, files, uploaded_files, uploaded_bytes, .. } => format!(
            "deploy of build {number} of {site} stored: {files} files, {uploaded_files} uploaded ({uploaded_bytes} bytes)"
        ),
        DeployEvent::Mirrored { site, alias, written, removed } => {
            format!("plain tree of {site} `{alias}` written: {written} objects, {removed} removed")
        }
    }
}

fn alias(fact: &AliasEvent) -> String {
    match fact {
        AliasEvent::Promoted { site, alias, number, reason: PromotionReason::Built, .. } => {
            format!("{site} `{alias}` now shows build {number}")
        }
        AliasEvent::Promoted { site, alias, number, reason: PromotionReason::Chosen, .. } => {
            format!("{site} `{alias}` was set to build {number} by hand")
        }
        AliasEvent::Removed { site, alias, .. } => format!("{site} `{alias}` taken down"),
    }
}
