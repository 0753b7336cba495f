//! What is asked of a build, and what is told of one.

use crate::event::{Artifact, Resources, Source, Step, Upload};
use crate::{
    AliasName, Branch, BuildId, CommitId, Lane, Outcome, PullRequest, Recipe, RepositoryUrl, SiteEngine, SiteId,
};
use time::OffsetDateTime;

/// What there is to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The site.
    pub site: SiteId,
    /// Its number in the site.
    pub number: u64,
    /// The log sequence of the fact that caused it: a greater one is newer source.
    pub source_sequence: u64,
    /// Where the source is.
    pub repository: RepositoryUrl,
    /// The branch.
    pub branch: Branch,
    /// The alias its deploy will move.
    pub alias: AliasName,
    /// The exact commit, or the branch's tip.
    pub commit: Option<CommitId>,
    /// How source becomes pages.
    pub engine: SiteEngine,
    /// What of the source is built, and by what.
    pub recipe: Recipe,
    /// How urgent it is.
    pub lane: Lane,
    /// What it is about.
    pub summary: String,
    /// The folder that was uploaded for it, which is shown as it is. Whoever asked said so; whoever queues a build need not.
    pub upload: Option<Upload>,
    /// The pull request it is built for.
    pub pull_request: Option<PullRequest>,
    /// The number of the first build whose cache is good; any if absent.
    pub cache_from: Option<u64>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Report {
    /// The attempt that reports; 0 for the scheduler, which may end any.
    pub attempt: u32,
    /// The commit that was built.
    pub commit: Option<CommitId>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, for people.
    pub reason: String,
    /// What usually helps, for people.
    #[serde(default)]
    pub hint: Option<String>,
    /// What it made.
    pub artifact: Option<Artifact>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What the attempt did.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// What the attempt took.
    #[serde(default)]
    pub resources: Option<Resources>,
}

/// What may be asked of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A person wants it.
    Request {
        /// The site to build.
        site: SiteId,
        /// The branch.
        branch: Branch,
        /// The exact commit, or the branch's tip.
        commit: Option<CommitId>,
        /// The folder that was uploaded, in the place of a commit.
        upload: Option<Upload>,
        /// The pull request that it was built for before.
        pull_request: Option<PullRequest>,
        /// Whether what was kept of earlier builds is used no more.
        clear_cache: bool,
    },
    /// Its moment has come.
    Schedule {
        /// The site to build.
        site: SiteId,
        /// The branch.
        branch: Branch,
        /// The moment that was meant.
        due: OffsetDateTime,
    },
    /// Put it in the queue.
    Queue(Job),
    /// Record that it is not worth building.
    Skip {
        /// What it would have built.
        job: Job,
        /// Why not, for people.
        reason: String,
    },
    /// Give it a slot.
    Dispatch,
    /// Work on it: the first attempt, or the next when a launcher was lost or gave it back.
    Start {
        /// Which launcher asks.
        worker: String,
    },
    /// Tell what the attempt builds.
    CheckOut {
        /// The attempt that has its source.
        attempt: u32,
        /// What was checked out.
        source: Source,
    },
    /// Give it back: the platform cannot go on with this attempt, and another shall.
    Interrupt {
        /// The attempt that is over.
        attempt: u32,
        /// Why, for people.
        reason: String,
    },
    /// End it.
    Finish(Report),
    /// End it from outside.
    Cancel {
        /// Why, for people.
        reason: String,
        /// The newer build, if that is why.
        superseded_by: Option<BuildId>,
    },
    /// Record that its log was archived.
    ArchiveLog {
        /// The object's key.
        key: String,
        /// Size in bytes.
        bytes: u64,
    },
}
