//! Facts about what is stored of a site and what of it is shown.

use crate::building::Keeping;
use crate::{AliasName, Branch, BuildId, CommitId, DeployId, Digest, SiteId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A deploy whose bytes and manifest are all stored, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Synced {
    /// The site it belongs to.
    pub site: SiteId,
    /// The build that made it.
    pub build: BuildId,
    /// That build's number in the site.
    pub number: u64,
    /// The sequence in the log of the fact that caused that build: a greater one is newer source.
    pub source_sequence: u64,
    /// The branch it was built from.
    pub branch: Branch,
    /// The alias it was made for.
    pub alias: AliasName,
    /// The commit it was built from.
    pub commit: CommitId,
    /// Digest of its file list (paths and content digests): equal content, equal digest.
    pub content: Digest,
    /// Files in it.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Files whose content the bucket did not have yet.
    pub uploaded_files: u64,
    /// Bytes sent for them.
    pub uploaded_bytes: u64,
    /// Requests to the object store that it took.
    pub requests: u64,
}

/// The life of a deploy: one immutable version of a site's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeployEvent {
    /// All its bytes and its manifest are in the site's bucket.
    #[serde(rename = "synced.v1")]
    Synced(Synced),
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
    /// It is kept no longer: nothing shows it, and its site keeps others. Bytes that no other deploy of the site has go.
    #[serde(rename = "collected.v1")]
    Collected {
        /// The site it belonged to.
        site: SiteId,
        /// What its site kept when that was decided.
        keeping: Keeping,
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
    /// From now on the alias stays at what it shows.
    #[serde(rename = "locked.v1")]
    Locked {
        /// The site it belongs to.
        site: SiteId,
        /// Which name stays.
        alias: AliasName,
        /// Why, in the words of whoever locked it.
        reason: String,
    },
    /// The alias may move again.
    #[serde(rename = "unlocked.v1")]
    Unlocked {
        /// The site it belongs to.
        site: SiteId,
        /// Which name may move.
        alias: AliasName,
    },
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
