//! A manifest: which files a deploy has, and where in the packs their bytes are.
//!
//! # Format
//!
//! Two kinds of JSON objects in a site's bucket, both immutable, version 1. Readers pass over fields they do not know.
//!
//! * `manifests/<sha256 of the object>`, a base: `{"version":1,"list":LIST}`, a complete file list that deploys share.
//! * `deploys/<deploy id>`: `{"version":1,"deploy","site","build","content","files","bytes","uploaded":{"files","bytes"},
//!   "base":"<sha256>"|null,"put":LIST,"removed":[paths],"rules"?}`. The deploy's files are those of the base (none, if null),
//!   those in `put` instead of or in addition to them, without those in `removed`. Its rules are those of [`rules::Rules`],
//!   and a deploy without files of rules has none.
//! * LIST is `{"packs":[sha256…],"types":[content types…],"files":[{"p","d","s","t","k","o"}…]}`, files sorted by path:
//!   path, SHA-256, size, index into `types`, index into `packs`, and the offset in that pack.
//!
//! So a deploy is read with at most two requests, and a deploy that changes one page of thousands writes a few hundred
//! bytes. A list more than a quarter of which changes becomes a base of its own.

mod difference;
pub(crate) mod document;
mod rows;

pub use difference::Difference;

use document::Deploy;
use events::{BuildId, DeployId, Digest, SiteId};
use rules::Rules;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// One file of a deploy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteFile {
    /// Its path from the site's root, without a leading slash.
    pub path: String,
    /// SHA-256 of its content.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// The `Content-Type` it is served with.
    pub content_type: Arc<str>,
    /// The pack that has its content.
    pub pack: Digest,
    /// Where in the pack its content starts, in bytes.
    pub offset: u64,
}

/// What a deploy added to its bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Uploaded {
    /// Files whose content the bucket did not have; files of equal content count once.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Whose files a manifest lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The deploy.
    pub deploy: DeployId,
    /// The site it belongs to.
    pub site: SiteId,
    /// The build that made it.
    pub build: BuildId,
    /// What it added.
    pub uploaded: Uploaded,
}

/// All files of one deploy, sorted by path. Manifests read with the same base share its entries in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    head: Head,
    base: Option<Digest>,
    content: Digest,
    bytes: u64,
    entries: Vec<Arc<SiteFile>>,
    rules: Option<Arc<Rules>>,
}

impl Manifest {
    /// The manifest of these files, in any order. Of two with one path the first stays.
    #[must_use]
    pub fn new(head: Head, files: impl IntoIterator<Item = SiteFile>) -> Self {
        let mut entries: Vec<_> = files.into_iter().map(Arc::new).collect();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        entries.dedup_by(|later, first| later.path == first.path);
        Self::of_sorted(head, None, entries, None)
    }

    pub(crate) fn of_sorted(
        head: Head,
        base: Option<Digest>,
        entries: Vec<Arc<SiteFile>>,
        rules: Option<Arc<Rules>>,
    ) -> Self {
        let bytes = entries.iter().map(|entry| entry.size).sum();
        let content = content(&entries, rules.as_deref());
        Self { head, base, content, bytes, entries, rules }
    }

    /// The same with rules of its own.
    #[must_use]
    pub fn with_rules(self, rules: Option<Rules>) -> Self {
        Self::of_sorted(self.head, self.base, self.entries, rules.map(Arc::new))
    }

    /// What its files of rules say, if it had any.
    #[must_use]
    pub fn rules(&self) -> Option<&Arc<Rules>> {
        self.rules.as_ref()
    }

    pub(crate) fn with_base(self, base: Digest) -> Self {
        Self { base: Some(base), ..self }
    }

    pub(crate) fn without_base(self) -> Self {
        Self { base: None, ..self }
    }

    /// All of it as one document, in the form of a deploy that has no base: for whoever keeps a copy.
    ///
    /// # Errors
    /// If it cannot be written as JSON.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        document::encode_whole(self)
    }

    /// The manifest that [`Self::to_json`] was asked of, without its base; none if `json` is anything else, or damaged.
    #[must_use]
    pub fn from_json(json: &[u8]) -> Option<Self> {
        Deploy::decode(json).ok().filter(|deploy| deploy.base.is_none())?.onto(&[]).ok()
    }

    /// Whose files these are.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The base it was read with or written against.
    #[must_use]
    pub fn base(&self) -> Option<Digest> {
        self.base
    }

    /// SHA-256 over the sorted paths and digests, and the rules if there are any: equal content, equal digest.
    #[must_use]
    pub fn content(&self) -> Digest {
        self.content
    }

    /// How many files it has.
    #[must_use]
    pub fn files(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Their size in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The file at exactly this path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&SiteFile> {
        let found = self.entries.binary_search_by(|entry| entry.path.as_str().cmp(path));
        found.ok().and_then(|index| self.entries.get(index)).map(Arc::as_ref)
    }

    /// All files, sorted by path.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &SiteFile> {
        self.entries.iter().map(Arc::as_ref)
    }

    pub(crate) fn entries(&self) -> &[Arc<SiteFile>] {
        &self.entries
    }
}

/// Paths have no NUL and are not empty, and digests have one length, so no two deploys meet in one text.
fn content(sorted: &[Arc<SiteFile>], rules: Option<&Rules>) -> Digest {
    let mut hasher = Sha256::new();
    for entry in sorted {
        hasher.update(entry.path.as_bytes());
        hasher.update([0]);
        hasher.update(entry.digest.as_bytes());
    }
    if let Some(rules) = rules {
        hasher.update([0]);
        hasher.update(rules.source.as_bytes());
    }
    Digest::from_bytes(hasher.finalize().into())
}
