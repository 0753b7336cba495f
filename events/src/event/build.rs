//! Facts about source and what is made of it.

use super::{Resources, SiteEngine, Step};
use crate::{AliasName, Branch, BuildId, CommitId, Digest, PullRequest, Recipe, RepositoryUrl, SiteId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// What a source repository told us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RepositoryEvent {
    /// Commits arrived on a branch.
    #[serde(rename = "push_received.v1")]
    PushReceived {
        /// The repository as the sender names it.
        repository: RepositoryUrl,
        /// The branch pushed to.
        branch: Branch,
        /// The tip before the push; absent for a new branch.
        before: Option<CommitId>,
        /// The tip after the push.
        commit: CommitId,
        /// First line of the tip's commit message, at most 200 characters.
        summary: String,
        /// The sender's delivery id: the same delivery is recorded once.
        delivery: String,
        /// Whether the tip's commit message asks not to build it: `[skip ci]` or `[ci skip]`, in any case, anywhere in it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        skip: bool,
        /// The only site it is for, whose own secret signed it; every site of the repository if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        site: Option<SiteId>,
        /// The files that it changed, each once; absent if the sender does not tell all of them, or they are more than
        /// [`PATHS_MAX`](crate::repository::PATHS_MAX).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        paths: Option<Vec<String>>,
        /// The pull request that was opened, or brought to this commit, where that told of it; absent for a push itself. The branch
        /// is its own, or `pull/<number>` if it is a fork's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pull_request: Option<PullRequest>,
    },
    /// A branch was deleted; its preview goes with it.
    #[serde(rename = "branch_deleted.v1")]
    BranchDeleted {
        /// The repository as the sender names it.
        repository: RepositoryUrl,
        /// The branch that is gone.
        branch: Branch,
        /// The tip that went with it; absent in facts that were stated before it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<CommitId>,
        /// The sender's delivery id.
        delivery: String,
        /// The only site it is for, as of a push.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        site: Option<SiteId>,
        /// The pull request that was closed, where that is all that happened to its branch; absent for a deletion itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pull_request: Option<PullRequest>,
    },
}

/// The life of a build. Exactly one of `finished` and `canceled` ends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum BuildEvent {
    /// A person asked for a build without a push.
    #[serde(rename = "requested.v1")]
    #[cfg_attr(feature = "older", serde(skip_deserializing))]
    Requested {
        /// The site to build.
        site: SiteId,
        /// The branch to build.
        branch: Branch,
        /// The exact commit, or the tip of the branch when the build starts.
        commit: Option<CommitId>,
        /// The folder that was uploaded to be shown, in the place of a commit; nothing is built then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        upload: Option<Upload>,
        /// The pull request that it was built for before, where its commit may be in a fork.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pull_request: Option<PullRequest>,
        /// Whether what builds of the site have kept until now is used no more, by this one and by all that follow.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        clear_cache: bool,
    },
    /// A moment came at which the site's schedules name a branch.
    #[serde(rename = "scheduled.v1")]
    #[cfg_attr(feature = "older", serde(skip_deserializing))]
    Scheduled {
        /// The site to build.
        site: SiteId,
        /// The branch to build, at its tip when the build starts.
        branch: Branch,
        /// The moment that was meant. It may be long over where nobody could state it in time: it counts once then.
        #[serde(with = "time::serde::rfc3339")]
        #[schemars(with = "String", extend("format" = "date-time"))]
        due: OffsetDateTime,
    },
    /// A build waits for its turn.
    #[serde(rename = "queued.v1")]
    Queued {
        /// The site it builds.
        site: SiteId,
        /// Its number in the site, from 1, for people. It says nothing about which source is newer.
        number: u64,
        /// The sequence in the log of the fact that caused it: a greater one is newer source.
        source_sequence: u64,
        /// The site's repository when it was queued, or the fork that a pull request comes from.
        repository: RepositoryUrl,
        /// The branch to build.
        branch: Branch,
        /// The alias its deploy will move, by the settings of the moment it was queued.
        alias: AliasName,
        /// The exact commit, or the tip of the branch when the build starts.
        commit: Option<CommitId>,
        /// The site's engine when it was queued.
        engine: SiteEngine,
        /// How urgent it is.
        lane: Lane,
        /// What it is about, for people: the commit summary or why it was asked for.
        summary: String,
        /// What of the source is built, and by what, as the site's settings had it; as its engine has it if absent.
        #[serde(default, skip_serializing_if = "Recipe::is_default")]
        recipe: Recipe,
        /// The pull request it is built for; of a fork it is given nothing of the site.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pull_request: Option<PullRequest>,
        /// The first build of the site whose cache is good, by its number: what those before have kept was cleared. Any is good
        /// if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cache_from: Option<u64>,
    },
    /// The scheduler gave it a slot; the next free launcher takes it.
    #[serde(rename = "dispatched.v1")]
    Dispatched {
        /// The site it builds.
        site: SiteId,
    },
    /// A launcher works on it.
    #[serde(rename = "started.v1")]
    Started {
        /// The site it builds.
        site: SiteId,
        /// 1 for the first try; another launcher takes over with the next number when one is lost.
        attempt: u32,
        /// Which launcher.
        worker: String,
    },
    /// An attempt has its source: what it builds is known from here on.
    #[serde(rename = "checked_out.v1")]
    CheckedOut {
        /// The site it builds.
        site: SiteId,
        /// The attempt that has it.
        attempt: u32,
        /// What was checked out.
        source: Source,
    },
    /// The platform could not go on with an attempt, and its launcher gave the build back: the next attempt follows.
    #[serde(rename = "interrupted.v1")]
    Interrupted {
        /// The site it builds.
        site: SiteId,
        /// The attempt that is over. It does not count as lost.
        attempt: u32,
        /// Why, for people.
        reason: String,
    },
    /// It ended by itself.
    #[serde(rename = "finished.v1")]
    Finished {
        /// The site it built.
        site: SiteId,
        /// Its number in the site.
        number: u64,
        /// The sequence in the log of the fact that caused it.
        source_sequence: u64,
        /// The branch it built.
        branch: Branch,
        /// The alias its deploy moves.
        alias: AliasName,
        /// The commit it built; absent if none could be fetched.
        commit: Option<CommitId>,
        /// The attempt that ended it; 0 when none had started.
        attempt: u32,
        /// How it ended.
        outcome: Outcome,
        /// Why, for people; empty on success.
        reason: String,
        /// What usually helps, for people; absent where nothing is known, and in facts of before it was told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
        /// What it made; present exactly on success.
        artifact: Option<Artifact>,
        /// From the attempt's start to its end, in milliseconds.
        duration_ms: u64,
        /// What the attempt did; empty where there was none, and in facts of before it was told.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        steps: Vec<Step>,
        /// What the attempt took; absent likewise.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resources: Option<Resources>,
    },
    /// Somebody or something newer ended it.
    #[serde(rename = "canceled.v1")]
    Canceled {
        /// The site it belonged to.
        site: SiteId,
        /// Why, for people.
        reason: String,
        /// The newer build of the same branch, if that is why.
        superseded_by: Option<BuildId>,
    },
    /// Its log left the log stream for the object store.
    #[serde(rename = "log_archived.v1")]
    LogArchived {
        /// The site it belonged to.
        site: SiteId,
        /// The object's key in the platform bucket.
        key: String,
        /// Size of the log in bytes.
        bytes: u64,
    },
}

/// How urgent a build is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// A person waits: a push or a pressed button.
    High,
    /// Nobody waits: scheduled or cascading builds.
    Low,
}

/// How a build ended by itself. Named after the results of the OpenTelemetry CI/CD conventions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It made an artifact.
    Success,
    /// The source is at fault.
    Failure,
    /// The platform is at fault.
    Error,
    /// It ran longer than it may.
    Timeout,
    /// It was not worth building.
    Skipped,
}

/// A commit as it tells of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// Which commit.
    pub commit: CommitId,
    /// First line of its message, at most 200 characters.
    pub title: String,
    /// Who wrote it; absent where the commit has no name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Author>,
}

/// Who wrote a commit. Whoever may push can put any name there: it is what the commit says, not who somebody is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// A name as the commit has it, at most 200 characters.
    Name(String),
    /// A person who edited a repository that the installation keeps, whose name is not in the log.
    Person(UserId),
}

/// A folder that was uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Upload {
    /// SHA-256 of its list: each file's digest, size and path. Equal folders have equal lists.
    pub list: Digest,
    /// Files in it.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
}

/// What a successful build left in the artifact store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Artifact {
    /// The object's key in the platform bucket; the object is a POSIX tar, or the list of an upload.
    pub key: String,
    /// Files in it.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
}
