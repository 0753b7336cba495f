//! What the queue is made of.

use super::gone::Gone;
use crate::branches::Branches;
use events::{
    AliasName, Branch, BuildId, CommitId, EventId, Lane, OrganizationId, PullRequest, PullRequests, Recorded, SiteId,
    SiteSettings,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;

/// Branches of a site of which it is remembered that their push is still to come; of any other the push is built again.
pub(super) const AHEAD_MAX: usize = 100;

/// What there is to know of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownSite {
    /// Who owns it.
    pub organization: OrganizationId,
    /// How it is built and published.
    pub settings: SiteSettings,
    /// The number of its newest build.
    pub last_number: u64,
    /// Branches whose preview shows something, and since when, in seconds since 1970.
    pub previews: BTreeMap<Branch, i64>,
    /// Whether what its readers see is locked.
    pub locked: bool,
    /// Branches of its repository that were deleted: whenever something is synced for one after all, it is taken down.
    pub gone: Gone,
    /// Commits of which a pull request told before the push did, by the branch: built already when that arrives. At most
    /// [`AHEAD_MAX`].
    #[serde(default)]
    pub ahead: BTreeMap<Branch, CommitId>,
    /// The number of the first build whose cache is good.
    #[serde(default)]
    pub cache_from: Option<u64>,
}

/// A site that was deleted and can be restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedSite {
    /// As it was.
    pub site: KnownSite,
    /// When it was deleted, in seconds since 1970.
    pub deleted_s: i64,
    /// The fact that it was.
    pub origin: Origin,
}

/// A repository that sites are built from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KnownRepository {
    /// These sites.
    pub sites: BTreeSet<SiteId>,
    /// Its branches, as far as pushes told.
    pub branches: Branches,
    /// The same by pushes that were for one site alone, which are not believed of any other.
    #[serde(default)]
    pub told_to: BTreeMap<SiteId, Branches>,
}

/// A build that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// The build it will be.
    pub build: BuildId,
    /// Why it is wished for.
    pub reason: Reason,
    /// The site.
    pub site: SiteId,
    /// The branch.
    pub branch: Branch,
    /// The exact commit, or the tip.
    pub commit: Option<CommitId>,
    /// What it is about.
    pub summary: String,
    /// The fact that asked for it.
    pub origin: Origin,
    /// The pull request it is for.
    #[serde(default)]
    pub pull_request: Option<PullRequest>,
    /// Whether the caches of earlier builds are cleared.
    #[serde(default)]
    pub clear_cache: bool,
}

/// Why a build is wished for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// A push arrived.
    Push,
    /// A push arrived whose commit message asks not to build it: it is told, and not built.
    UnwantedPush,
    /// A push arrived after one that followed it: it is told, and not built.
    LatePush,
    /// A push arrived after the deletion of its branch that followed it: it is told, and not built.
    PushBeforeDeletion,
    /// A push arrived of a branch that the site does not build: it is told, and not built.
    IgnoredPush,
    /// A push arrived that changed nothing the site watches: it is told, and not built.
    UnwatchedPush,
    /// A pull request arrived from a fork: whether it is built is up to the site.
    Fork,
    /// A moment came that the site's schedules name.
    Schedule,
    /// A person asked, and waits for an answer whatever becomes of the site.
    Request,
    /// The site is new, or its source is.
    NewSource,
}

/// Why an open build is ended from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// Its site was deleted.
    SiteDeleted,
    /// Its branch was deleted.
    BranchDeleted,
    /// A newer build of its branch came while it waited, or while it ran for a site that wants it to end then.
    Replaced(BuildId),
    /// Its organization was suspended while it waited.
    Suspended,
}

/// The parts of an envelope that go on into what follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Its place in the log.
    pub sequence: u64,
    /// The fact.
    pub id: EventId,
    /// The story it belongs to.
    pub correlation: EventId,
    /// Its trace.
    pub traceparent: Option<String>,
    /// Its trace state.
    pub tracestate: Option<String>,
}

/// An open build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenBuild {
    /// The site.
    pub site: SiteId,
    /// Who owned the site when it was queued; none if it was deleted before.
    pub organization: Option<OrganizationId>,
    /// The branch.
    pub branch: Branch,
    /// The log sequence of the fact that caused it: a greater one is newer source.
    pub source_sequence: u64,
    /// How urgent it is.
    pub lane: Lane,
    /// Its place in line: the log sequence of the fact that queued it.
    pub place: u64,
    /// How far it is.
    pub progress: Progress,
    /// What follows from it belongs to this story.
    pub origin: Origin,
}

/// How far an open build is, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// It waits for a slot.
    Queued,
    /// It waits for a launcher.
    Dispatched(#[serde(with = "time::serde::rfc3339")] OffsetDateTime),
    /// A launcher works on it.
    Running(#[serde(with = "time::serde::rfc3339")] OffsetDateTime),
}

impl From<&Recorded> for Origin {
    fn from(Recorded { sequence, envelope, .. }: &Recorded) -> Self {
        Self {
            sequence: *sequence,
            id: envelope.id,
            correlation: envelope.correlation,
            traceparent: envelope.traceparent.clone(),
            tracestate: envelope.tracestate.clone(),
        }
    }
}

impl KnownSite {
    pub(super) fn new(organization: OrganizationId, settings: SiteSettings) -> Self {
        Self {
            organization,
            settings,
            last_number: 0,
            previews: BTreeMap::new(),
            locked: false,
            gone: Gone::default(),
            ahead: BTreeMap::new(),
            cache_from: None,
        }
    }

    /// Whether the branch is published under a name of its own; every other is a preview.
    #[must_use]
    pub fn publishes(&self, branch: &Branch) -> bool {
        !matches!(self.settings.alias_of(branch), AliasName::Preview(_))
    }

    /// Whether pull requests are anything to it.
    pub(super) fn builds_pulls(&self) -> bool {
        self.settings.building.pull_requests != PullRequests::None
    }

    /// Whether a build of the branch that runs is ended by a newer one.
    pub(super) fn ends_running(&self, branch: &Branch) -> bool {
        self.settings.building.cancel_running.ends(&self.settings.alias_of(branch))
    }
}
