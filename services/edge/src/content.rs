//! Manifests and file contents: from memory, from disk, from the bucket. What is cached never changes, so it is served
//! whether or not the bucket can be reached. Many who wait for the same wait for one fetch.

mod purge;

use crate::Config;
use crate::body::{self, Body};
use crate::disk::Disk;
use crate::encoding;
use crate::error::Error;
use crate::kept::Kept;
use crate::variants::{Variant, Variants};
use bytes::Bytes;
use events::{DeployId, Digest, SiteId};
use http::HeaderMap;
use http::header::{ACCEPT_ENCODING, RANGE};
use moka::future::Cache;
use rules::Matcher;
use std::ops::{Deref, Range};
use std::sync::Arc;
use std::time::Duration;
use storage::{Manifest, SiteFile, Storage};
use tokio::time::timeout;

/// Larger files are not cached but sent as they arrive.
const CACHED_MAX_BYTES: u64 = 1024 * 1024;
/// The part of the cache that is for manifests: one in so many bytes.
const MANIFESTS_PART: u64 = 4;
/// The same for files in other encodings.
const VARIANTS_PART: u64 = 4;
/// What a file of a manifest takes in memory beside its path, roughly.
const FILE_BYTES: usize = 200;
/// What a rule takes in memory, as it was read and made ready, roughly.
const RULE_BYTES: usize = 800;
/// What a cached file takes beside its bytes, roughly.
const BLOB_BYTES: usize = 200;
/// How long a request waits for the bucket.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);
/// How long, and for how many deploys, it is known that there is no such deploy: anyone may ask for any id.
const ABSENT_FOR: Duration = Duration::from_secs(10);
const ABSENT_MAX: u64 = 10_000;

/// How long it holds good that a deploy is there, where nothing but its own host shows it.
const STANDS_FOR: Duration = Duration::from_secs(30);
const STANDING_MAX: u64 = 10_000;

type Key = (SiteId, DeployId);

pub(crate) use purge::Pages;

pub(crate) struct Content {
    storage: Storage,
    kept: Kept,
    manifests: Cache<Key, Arc<Deployed>>,
    absent: Cache<Key, ()>,
    standing: Cache<Key, ()>,
    blobs: Cache<Digest, Bytes>,
    disk: Disk,
    variants: Variants,
}

/// A deploy's files, and its rules made ready for requests.
pub(crate) struct Deployed {
    manifest: Manifest,
    rules: Option<Matcher>,
}

impl Deployed {
    /// Many rules take a while to make ready.
    async fn of(manifest: Manifest) -> Self {
        let Some(rules) = manifest.rules().cloned() else { return Self { manifest, rules: None } };
        let ready = tokio::task::spawn_blocking(move || Matcher::new(&rules)).await;
        let ready = ready.inspect_err(|error| tracing::error!(%error, "the rules of a deploy were not made ready"));
        Self { manifest, rules: ready.ok() }
    }

    pub(crate) const fn rules(&self) -> Option<&Matcher> {
        self.rules.as_ref()
    }
}

impl Deref for Deployed {
    type Target = Manifest;

    fn deref(&self) -> &Manifest {
        &self.manifest
    }
}

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the site's bucket has no manifest of the deploy")]
    Absent,
    #[error("the store did not answer in {} seconds", FETCH_TIMEOUT.as_secs())]
    TimedOut,
    #[error("the store failed")]
    Storage(#[source] storage::Error),
    #[error("the content of `{path}` does not have the size its manifest states")]
    Size { path: String },
}

impl Failure {
    /// Whether the same may succeed later.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::TimedOut => true,
            Self::Storage(error) => error.is_transient(),
            Self::Absent | Self::Size { .. } => false,
        }
    }
}

impl Content {
    pub(crate) async fn open(config: &Config, storage: Storage) -> Result<Self, Error> {
        let weigh_manifest = |_: &Key, manifest: &Arc<Deployed>| {
            let files: usize = manifest.iter().map(|file| file.path.len() + FILE_BYTES).sum();
            let rules = manifest.manifest.rules().map_or(0, |rules| rules.redirects.len() + rules.headers.len());
            let bytes = files + rules * RULE_BYTES;
            u32::try_from(bytes + FILE_BYTES).unwrap_or(u32::MAX)
        };
        let weigh_blob = |_: &Digest, blob: &Bytes| u32::try_from(blob.len() + BLOB_BYTES).unwrap_or(u32::MAX);
        let (for_manifests, for_variants) = (config.cache_bytes / MANIFESTS_PART, config.cache_bytes / VARIANTS_PART);
        let for_blobs = config.cache_bytes - for_manifests - for_variants;
        Ok(Self {
            storage,
            kept: Kept::open(&config.data_dir).await?,
            manifests: Cache::builder().max_capacity(for_manifests).weigher(weigh_manifest).build(),
            absent: Cache::builder().max_capacity(ABSENT_MAX).time_to_live(ABSENT_FOR).build(),
            standing: Cache::builder().max_capacity(STANDING_MAX).time_to_live(STANDS_FOR).build(),
            blobs: Cache::builder().max_capacity(for_blobs).weigher(weigh_blob).build(),
            disk: Disk::open(&config.data_dir, config.disk_bytes),
            variants: Variants::new(for_variants),
        })
    }

    pub(crate) fn kept(&self) -> &Kept {
        &self.kept
    }

    /// The files of a deploy. Requests for the same one wait for one fetch.
    pub(crate) async fn manifest(&self, site: &SiteId, deploy: &DeployId) -> Result<Arc<Deployed>, Arc<Failure>> {
        let key = (*site, deploy.clone());
        // Nearly every request finds what it needs; its future need not have room for a fetch.
        match self.manifests.get(&key).await {
            Some(manifest) => Ok(manifest),
            None => Box::pin(self.load_manifest(key)).await,
        }
    }

    /// The same of a deploy that its own host is asked for: what no alias shows may be kept no longer. While the store is away, what
    /// is known holds good.
    pub(crate) async fn standing(&self, site: &SiteId, deploy: &DeployId) -> Result<Arc<Deployed>, Arc<Failure>> {
        let key = (*site, deploy.clone());
        if self.standing.contains_key(&key) || self.absent.contains_key(&key) {
            return self.manifest(site, deploy).await;
        }
        let there = fetched(Box::pin(self.storage.site(*site).has(deploy))).await;
        if matches!(there, Ok(false)) {
            self.manifests.invalidate(&key).await;
            self.absent.insert(key, ()).await;
            return Err(Arc::new(Failure::Absent));
        }
        self.standing.insert(key, ()).await;
        let manifest = self.manifest(site, deploy).await?;
        if there.is_ok() {
            self.keep_for_a_while(Arc::clone(&manifest));
        }
        Ok(manifest)
    }

    /// Keeps the files of a deploy that no alias shows, beside whoever asks for it: a restart without the store shows it on.
    fn keep_for_a_while(&self, manifest: Arc<Deployed>) {
        let kept = self.kept.clone();
        tokio::spawn(async move {
            if let Err(error) = kept.store(&manifest).await {
                tracing::debug!(error = &error as &dyn std::error::Error, "the files of a deploy were not kept");
            }
        });
    }

    async fn load_manifest(&self, key: Key) -> Result<Arc<Deployed>, Arc<Failure>> {
        if self.absent.contains_key(&key) {
            return Err(Arc::new(Failure::Absent));
        }
        let (site, deploy) = &key;
        let fetched = self.manifests.try_get_with(key.clone(), self.find_manifest(site, deploy)).await;
        if fetched.as_ref().is_err_and(|failure| matches!(**failure, Failure::Absent)) {
            self.absent.insert(key, ()).await;
        }
        fetched
    }

    async fn find_manifest(&self, site: &SiteId, deploy: &DeployId) -> Result<Arc<Deployed>, Failure> {
        if let Some(manifest) = self.kept.load(site, deploy).await {
            return Ok(Arc::new(Deployed::of(manifest).await));
        }
        let manifest = fetched(Box::pin(self.storage.site(*site).manifest(deploy))).await?;
        Ok(Arc::new(Deployed::of(manifest.ok_or(Failure::Absent)?).await))
    }

    /// Loads the manifest of a deploy that is about to be shown, and keeps it on disk if that is possible.
    pub(crate) async fn prefetch(&self, site: &SiteId, deploy: &DeployId) -> Result<(), Arc<Failure>> {
        // Whoever asked for the deploy before it was there shall not keep it from being shown.
        self.absent.invalidate(&(*site, deploy.clone())).await;
        let manifest = self.manifest(site, deploy).await?;
        if let Err(error) = self.kept.store(&manifest).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "failed to keep a manifest, a restart fetches it");
        }
        Ok(())
    }

    /// The bytes of a file in `range`, which lies in it. An error here comes before anything is sent.
    pub(crate) async fn body(&self, site: &SiteId, file: &SiteFile, range: Range<u64>) -> Result<Body, Arc<Failure>> {
        if file.size > CACHED_MAX_BYTES {
            return Box::pin(self.stream(site, file, range)).await;
        }
        let blob = match self.blobs.get(&file.digest).await {
            Some(blob) => blob,
            None => Box::pin(self.load_blob(site, file)).await?,
        };
        let bounds = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
        match bounds {
            Some((start, end)) if blob.len() as u64 == file.size && start <= end && end <= blob.len() => {
                Ok(body::full(blob.slice(start..end)))
            }
            Some(_) | None => Err(Arc::new(Failure::Size { path: file.path.clone() })),
        }
    }

    /// The file in an encoding that the request likes, if it is there. What is not is made meanwhile, for those who come later.
    pub(crate) fn variant(self: &Arc<Self>, site: SiteId, file: &SiteFile, headers: &HeaderMap) -> Option<Variant> {
        // Who asks for a part counts the bytes of the content as it is.
        if !headers.contains_key(ACCEPT_ENCODING) || headers.contains_key(RANGE) || file.size > CACHED_MAX_BYTES {
            return None;
        }
        let mut missing = Vec::new();
        let found = self.variants.find(file.digest, encoding::liked(headers), &mut missing);
        // The best is enough.
        if let Some(encoding) = missing.into_iter().next() {
            let (content, of) = (Arc::clone(self), file.clone());
            let blob = async move { content.load_blob(&site, &of).await.ok() };
            self.variants.make(file.digest, encoding, blob);
        }
        found
    }

    async fn load_blob(&self, site: &SiteId, file: &SiteFile) -> Result<Bytes, Arc<Failure>> {
        self.blobs.try_get_with(file.digest, Box::pin(self.find_blob(site, file))).await
    }

    /// The content from disk, or from the bucket and then on disk.
    async fn find_blob(&self, site: &SiteId, file: &SiteFile) -> Result<Bytes, Failure> {
        if let Some(blob) = self.disk.read(file.digest).await {
            return Ok(blob);
        }
        let blob = fetched(Box::pin(self.storage.site(*site).blob(file))).await?;
        let blobs = self.blobs.clone();
        // What is in memory is asked for: it stays on disk while something else can go.
        self.disk.keep(file.digest, blob.clone(), move |digest| blobs.contains_key(digest));
        Ok(blob)
    }

    async fn stream(&self, site: &SiteId, file: &SiteFile, range: Range<u64>) -> Result<Body, Arc<Failure>> {
        let length_bytes = range.end - range.start;
        let bucket = self.storage.site(*site);
        let chunks = fetched(Box::pin(bucket.blob_stream(file, range))).await.map_err(Arc::new)?;
        Ok(body::streamed(chunks, length_bytes))
    }
}

/// Futures of the store are large and most requests have no use for one, so they come boxed.
async fn fetched<T>(fetch: impl Future<Output = Result<T, storage::Error>>) -> Result<T, Failure> {
    match timeout(FETCH_TIMEOUT, fetch).await {
        Ok(answer) => answer.map_err(Failure::Storage),
        Err(_) => Err(Failure::TimedOut),
    }
}
