//! Every fact Pagefold can state, in the order of its story: a site is created and claims its host, a push is received, a
//! build runs, a deploy is synced, an alias is promoted.
//!
//! A variant's serde name is `<fact>.v<major>`; with the aggregate's token it makes the CloudEvents type
//! `dev.pagefold.<aggregate>.<fact>.v<major>`. Facts are never changed or deleted: a new shape is a new version with
//! a golden sample in `schemas/history`.

use crate::{
    AliasName, Branch, BuildId, CommitId, DeployId, Digest, OrganizationId, OrganizationName, RepositoryUrl, SiteId,
    SiteName, decode, decode::DecodeError,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A fact: something that happened and stays true.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Event {
    /// About an organization. Aggregate id: the organization's id.
    Organization(OrganizationEvent),
    /// About the name of an organization. Aggregate id: the name.
    Handle(HandleEvent),
    /// About a site. Aggregate id: the site's id.
    Site(SiteEvent),
    /// About a host below the sites' domain. Aggregate id: its label.
    Host(HostEvent),
    /// About a source repository. Aggregate id: the repository's canonical name.
    Repository(RepositoryEvent),
    /// About one build. Aggregate id: the build id.
    Build(BuildEvent),
    /// About one immutable deploy. Aggregate id: the deploy id.
    Deploy(DeployEvent),
    /// About a movable name of a site. Aggregate id: site and alias.
    Alias(AliasEvent),
}

/// The life of an organization, which owns sites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OrganizationEvent {
    /// An organization was created.
    #[serde(rename = "created.v1")]
    Created {
        /// What it is called; claimed at the same moment.
        name: OrganizationName,
    },
}

/// Who is called by a name that organizations share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum HandleEvent {
    /// From now on the name means this organization.
    #[serde(rename = "claimed.v1")]
    Claimed {
        /// Which one.
        organization: OrganizationId,
    },
    /// The name means nobody any more.
    #[serde(rename = "released.v1")]
    Released {
        /// Who gave it up.
        organization: OrganizationId,
    },
}

/// The life of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SiteEvent {
    /// A site was created from a repository.
    #[serde(rename = "created.v1")]
    Created {
        /// What it is called; its host is claimed at the same moment.
        name: SiteName,
        /// Who owns it; builds are shared fairly between organizations.
        organization: OrganizationId,
        /// How it is built and published.
        settings: SiteSettings,
    },
    /// From now on it is built and published by these settings. Builds that were queued before keep theirs.
    #[serde(rename = "settings_changed.v1")]
    SettingsChanged {
        /// All settings, the unchanged among them.
        settings: SiteSettings,
    },
    /// The site has another name. Its former host stays its own and leads to the new one.
    #[serde(rename = "renamed.v1")]
    Renamed {
        /// What it is called now.
        name: SiteName,
        /// What it was called.
        previous: SiteName,
    },
    /// The site was deleted; its hosts are released at the same moment.
    #[serde(rename = "deleted.v1")]
    Deleted {},
}

/// Who a host below the sites' domain belongs to. A site's name is such a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum HostEvent {
    /// From now on the host shows this site.
    #[serde(rename = "claimed.v1")]
    Claimed {
        /// Which site.
        site: SiteId,
        /// Who owns the site.
        organization: OrganizationId,
    },
    /// The host shows nothing any more. It is kept for its organization, so that nobody else takes over old links.
    #[serde(rename = "released.v1")]
    Released {
        /// The site it showed.
        site: SiteId,
        /// Who may claim it again.
        organization: OrganizationId,
    },
}

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
    },
    /// A branch was deleted; its preview goes with it.
    #[serde(rename = "branch_deleted.v1")]
    BranchDeleted {
        /// The repository as the sender names it.
        repository: RepositoryUrl,
        /// The branch that is gone.
        branch: Branch,
        /// The sender's delivery id.
        delivery: String,
    },
}

/// The life of a build. Exactly one of `finished` and `canceled` ends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum BuildEvent {
    /// A person asked for a build without a push.
    #[serde(rename = "requested.v1")]
    Requested {
        /// The site to build.
        site: SiteId,
        /// The branch to build.
        branch: Branch,
        /// The exact commit, or the tip of the branch when the build starts.
        commit: Option<CommitId>,
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
        /// The site's repository when it was queued.
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
        /// What it made; present exactly on success.
        artifact: Option<Artifact>,
        /// From the attempt's start to its end, in milliseconds.
        duration_ms: u64,
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

/// The life of a deploy: one immutable version of a site's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeployEvent {
    /// All its bytes and its manifest are in the site's bucket.
    #[serde(rename = "synced.v1")]
    Synced {
        /// The site it belongs to.
        site: SiteId,
        /// The build that made it.
        build: BuildId,
        /// That build's number in the site.
        number: u64,
        /// The sequence in the log of the fact that caused that build: a greater one is newer source.
        source_sequence: u64,
        /// The branch it was built from.
        branch: Branch,
        /// The alias it was made for.
        alias: AliasName,
        /// The commit it was built from.
        commit: CommitId,
        /// Digest of its file list (paths and content digests): equal content, equal digest.
        content: Digest,
        /// Files in it.
        files: u64,
        /// Their size in bytes.
        bytes: u64,
        /// Files whose content the bucket did not have yet.
        uploaded_files: u64,
        /// Bytes sent for them.
        uploaded_bytes: u64,
        /// Requests to the object store that it took.
        requests: u64,
    },
    /// The plain tree of an alias shows it.
    #[serde(rename = "mirrored.v1")]
    Mirrored {
        /// The site it belongs to.
        site: SiteId,
        /// The alias whose tree was written.
        alias: AliasName,
        /// Objects written.
        written: u64,
        /// Objects removed.
        removed: u64,
    },
}

/// The life of an alias: the only switch of what a reader sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AliasEvent {
    /// From now on the alias shows this deploy.
    #[serde(rename = "promoted.v1")]
    Promoted {
        /// The site it belongs to.
        site: SiteId,
        /// Which name moved.
        alias: AliasName,
        /// What it shows now.
        deploy: DeployId,
        /// The number of the build that made it.
        number: u64,
        /// The sequence in the log of the fact that caused that build.
        source_sequence: u64,
        /// What it showed before.
        previous: Option<DeployId>,
        /// Why it moved.
        reason: PromotionReason,
    },
    /// The alias shows nothing any more.
    #[serde(rename = "removed.v1")]
    Removed {
        /// The site it belongs to.
        site: SiteId,
        /// Which name is gone.
        alias: AliasName,
        /// What it showed last.
        previous: DeployId,
    },
}

/// How a site is built and published: what its people may change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SiteSettings {
    /// Where its source is fetched from.
    pub repository: RepositoryUrl,
    /// The branch published as `live`.
    pub branch: Branch,
    /// The branch published as `demo`, if there is one.
    pub demo_branch: Option<Branch>,
    /// How its source becomes pages.
    pub engine: SiteEngine,
}

/// How source becomes pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum SiteEngine {
    /// The files as they are.
    #[serde(rename = "static")]
    Static,
    /// The npm script `pages`, else `federalist`.
    #[serde(rename = "node.js")]
    NodeJs,
    /// The Hugo site generator.
    #[serde(rename = "hugo")]
    Hugo,
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

/// Why an alias moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PromotionReason {
    /// A newer build of its branch was synced.
    Built,
    /// A person chose the deploy.
    Chosen,
}

/// What a successful build left in the artifact store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Artifact {
    /// The object's key in the platform bucket; the object is a POSIX tar.
    pub key: String,
    /// Files in it.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
}

/// The prefix of every CloudEvents type of ours.
pub const TYPE_PREFIX: &str = "dev.pagefold";

impl Event {
    /// The CloudEvents type, for example `dev.pagefold.build.finished.v1`.
    #[must_use]
    pub fn type_name(&self) -> String {
        format!("{TYPE_PREFIX}.{}", self.name())
    }

    /// The type without the prefix, for example `build.finished.v1`: names schemas, metrics and feed lines.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.aggregate(), self.fact())
    }

    /// The aggregate's token, for example `build`.
    #[must_use]
    pub const fn aggregate(&self) -> &'static str {
        match self {
            Self::Organization(_) => "organization",
            Self::Handle(_) => "handle",
            Self::Site(_) => "site",
            Self::Host(_) => "host",
            Self::Repository(_) => "repository",
            Self::Build(_) => "build",
            Self::Deploy(_) => "deploy",
            Self::Alias(_) => "alias",
        }
    }

    /// The fact and its version, for example `finished.v1`.
    #[must_use]
    pub fn fact(&self) -> &'static str {
        let named = match self {
            Self::Organization(fact) => serde_variant::to_variant_name(fact),
            Self::Handle(fact) => serde_variant::to_variant_name(fact),
            Self::Site(fact) => serde_variant::to_variant_name(fact),
            Self::Host(fact) => serde_variant::to_variant_name(fact),
            Self::Repository(fact) => serde_variant::to_variant_name(fact),
            Self::Build(fact) => serde_variant::to_variant_name(fact),
            Self::Deploy(fact) => serde_variant::to_variant_name(fact),
            Self::Alias(fact) => serde_variant::to_variant_name(fact),
        };
        named.unwrap_or("unnamed")
    }

    /// The payload alone, as a JSON object.
    #[must_use]
    pub fn data(&self) -> serde_json::Value {
        // An externally tagged enum serializes as one `{"<fact>": {payload}}` pair.
        match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(tagged)) => {
                tagged.into_iter().next().map_or_else(Default::default, |(_, v)| v)
            }
            Ok(other) => other,
            Err(_) => serde_json::Value::Null,
        }
    }

    /// Reads a fact from its CloudEvents type and payload. Unknown fields are tolerated.
    ///
    /// # Errors
    /// [`DecodeError::UnknownType`] for a type this version does not know, [`DecodeError::Malformed`] for a payload
    /// that is not of its type.
    pub fn decode(type_name: &str, data: &[u8]) -> Result<Self, DecodeError> {
        let unknown = || DecodeError::UnknownType(type_name.to_owned());
        let name = type_name.strip_prefix(TYPE_PREFIX).and_then(|rest| rest.strip_prefix('.')).ok_or_else(unknown)?;
        let (aggregate, fact) = name.split_once('.').ok_or_else(unknown)?;
        let decoded = match aggregate {
            "organization" => decode::variant(fact, data).map(Self::Organization),
            "handle" => decode::variant(fact, data).map(Self::Handle),
            "site" => decode::variant(fact, data).map(Self::Site),
            "host" => decode::variant(fact, data).map(Self::Host),
            "repository" => decode::variant(fact, data).map(Self::Repository),
            "build" => decode::variant(fact, data).map(Self::Build),
            "deploy" => decode::variant(fact, data).map(Self::Deploy),
            "alias" => decode::variant(fact, data).map(Self::Alias),
            _ => return Err(unknown()),
        };
        decoded.map_err(|error| error.of_type(type_name))
    }
}

macro_rules! into_event {
    ($($fact:ty => $variant:ident),*) => {$(
        impl From<$fact> for Event {
            fn from(fact: $fact) -> Self {
                Self::$variant(fact)
            }
        }
    )*};
}

into_event!(
    OrganizationEvent => Organization, HandleEvent => Handle, SiteEvent => Site, HostEvent => Host,
    RepositoryEvent => Repository, BuildEvent => Build, DeployEvent => Deploy, AliasEvent => Alias
);
