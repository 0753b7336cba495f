//! The only place that spells a key of the object store.

use events::name::BRANCH_MAX;
use events::{BuildId, DeployId, Digest, SiteId};

/// Longest key in bytes, by the S3 protocol.
pub const KEY_MAX_BYTES: usize = 1024;
/// Longest path of a file in bytes, so that it fits below the longest tree, `preview/<branch>/`.
pub const PATH_MAX_BYTES: usize = KEY_MAX_BYTES - "preview/".len() - BRANCH_MAX - "/".len();

/// What the keys of all outputs start with.
pub(crate) const DEPLOYS: &str = "deploys/";
pub(crate) const BASES: &str = "manifests/";
pub(crate) const PACKS: &str = "packs/";
pub(crate) const SYNCS: &str = "syncs/";
/// The mark of whoever collects.
pub(crate) const COLLECTING: &str = "collecting";
pub(crate) const ARTIFACTS: &str = "artifacts/";
/// What the keys of all that was uploaded start with.
pub const UPLOADS: &str = "uploads/";

/// The output of one attempt at a build, in the platform's bucket.
#[must_use]
pub fn artifact(build: BuildId, attempt: u32) -> String {
    format!("{}{attempt}.tar", artifacts(build))
}

/// What the keys of all outputs of a build start with.
#[must_use]
pub fn artifacts(build: BuildId) -> String {
    format!("{ARTIFACTS}{build}-")
}

/// Which build an output is of; none if the key is of something else.
pub(crate) fn build_of(artifact: &str) -> Option<BuildId> {
    let (build, _attempt) = artifact.strip_prefix(ARTIFACTS)?.rsplit_once('-')?;
    build.parse().ok()
}

/// The archived log of a build, in the platform's bucket.
#[must_use]
pub fn log(build: BuildId) -> String {
    format!("logs/{build}")
}

/// What was uploaded for a site, named by its digest, in the platform's bucket.
#[must_use]
pub fn upload(site: SiteId, digest: Digest) -> String {
    format!("{}{digest}", uploads(site))
}

/// What the keys of all that was uploaded for a site start with.
#[must_use]
pub fn uploads(site: SiteId) -> String {
    format!("{UPLOADS}{site}/")
}

/// Whether a key is of something that was uploaded.
#[must_use]
pub fn is_upload(key: &str) -> bool {
    key.starts_with(UPLOADS)
}

/// The manifest of a deploy.
#[must_use]
pub fn deploy(deploy: &DeployId) -> String {
    format!("{DEPLOYS}{deploy}")
}

/// A base manifest, named by the digest of its bytes.
#[must_use]
pub fn base(digest: Digest) -> String {
    format!("{BASES}{digest}")
}

/// A pack, named by the digest of its bytes.
#[must_use]
pub fn pack(digest: Digest) -> String {
    format!("{PACKS}{digest}")
}

/// The deploy of a manifest's key.
pub(crate) fn deploy_of(key: &str) -> Option<DeployId> {
    key.strip_prefix(DEPLOYS)?.parse().ok()
}

/// Says that a deploy is being stored.
pub(crate) fn sync(deploy: &DeployId) -> String {
    format!("{SYNCS}{deploy}")
}

/// Says which deploy a plain tree shows whole.
#[must_use]
pub fn mark(tree: &str) -> String {
    format!("trees/{tree}")
}

/// What the start-up probe writes and removes, in the platform's bucket.
pub(crate) fn probe(id: uuid::Uuid) -> String {
    format!("probe/{id}")
}
