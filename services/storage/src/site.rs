//! A site's bucket: deploys, the packs that hold their bytes, and the file lists they share.

use crate::body::Body;
use crate::bucket::{Bucket, Object, Put, Written};
use crate::error::Error;
use crate::keys;
use crate::manifest::document::{self, Delta, Deploy, List};
use crate::manifest::{Manifest, SiteFile};
use crate::mark::{Rhythm, Sightings};
use bytes::Bytes;
use events::{DeployId, Digest};
use futures::{Stream, StreamExt as _, stream};
use moka::future::Cache;
use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

const JSON: &str = "application/json";
/// Memory for bases; about 300,000 entries.
const BASES_MAX_BYTES: u64 = 64 * 1024 * 1024;
/// What an entry takes beside its path, roughly.
const ENTRY_BYTES: usize = 200;

/// One site's bucket. A clone is cheap.
#[derive(Debug, Clone)]
pub struct SiteBucket {
    pub(crate) bucket: Bucket,
    pub(crate) bases: Bases,
    pub(crate) sightings: Sightings,
    pub(crate) rhythm: Rhythm,
    pub(crate) spool: Arc<Path>,
}

/// Bases read lately. They never change, so none is ever stale.
#[derive(Clone)]
pub(crate) struct Bases(Cache<(Arc<str>, Digest), List>);

impl fmt::Debug for Bases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bases").finish_non_exhaustive()
    }
}

pub(crate) fn bases() -> Bases {
    let bytes = |list: &List| list.iter().map(|entry| entry.path.len() + ENTRY_BYTES).sum::<usize>();
    let weigh = move |_: &(Arc<str>, Digest), list: &List| u32::try_from(bytes(list)).unwrap_or(u32::MAX);
    Bases(Cache::builder().max_capacity(BASES_MAX_BYTES).weigher(weigh).build())
}

impl SiteBucket {
    /// The bucket's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.bucket.name
    }

    /// Creates the bucket unless it is there.
    ///
    /// # Errors
    /// When the store fails or refuses.
    pub async fn ensure(&self) -> Result<(), Error> {
        self.bucket.ensure().await
    }

    /// The manifest of a deploy, or `None` if there is no such deploy. At most two requests.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if it is not what was written, [`Error::Missing`] if its base is gone; else when the store
    /// fails or refuses.
    pub async fn manifest(&self, deploy: &DeployId) -> Result<Option<Manifest>, Error> {
        let key = keys::deploy(deploy);
        let Some(json) = self.bucket.get(&key).await? else {
            return Ok(None);
        };
        let corrupt = |reason| Error::corrupt(self.bucket.resource(&key), reason);
        let record = Deploy::decode(&json).map_err(corrupt)?;
        if record.deploy != *deploy {
            return Err(Error::corrupt(self.bucket.resource(&key), format!("it is about deploy `{}`", record.deploy)));
        }
        let base = match record.base {
            Some(digest) => self.base(digest).await?,
            None => List::from([]),
        };
        record.onto(&base).map(Some).map_err(corrupt)
    }

    async fn base(&self, digest: Digest) -> Result<List, Error> {
        let cached = (Arc::clone(&self.bucket.name), digest);
        if let Some(list) = self.bases.0.get(&cached).await {
            return Ok(list);
        }
        let key = keys::base(digest);
        let json = self.bucket.get(&key).await?;
        let json = json.ok_or_else(|| Error::Missing { resource: self.bucket.resource(&key) })?;
        if Digest::of(&json) != digest {
            return Err(Error::corrupt(self.bucket.resource(&key), "its bytes do not have the digest that names it"));
        }
        let list = document::decode_base(&json).map_err(|reason| Error::corrupt(self.bucket.resource(&key), reason))?;
        self.bases.0.insert(cached, List::clone(&list)).await;
        Ok(list)
    }

    /// Writes a manifest: as a small difference from the best of `bases` (of this site's earlier deploys), else with a
    /// new base. Everything the manifest names must be there before. Returns the manifest that stands: another writer
    /// of the same deploy and content may have been first.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the deploy is there with other content; else when the store fails or refuses.
    pub async fn put_manifest(&self, manifest: Manifest, bases: &[Digest]) -> Result<Manifest, Error> {
        let (manifest, delta) = self.upon_base(manifest, bases).await?;
        let key = keys::deploy(&manifest.head().deploy);
        let json = document::encode_deploy(&manifest, &delta)
            .map_err(|error| Error::corrupt(self.bucket.resource(&key), error))?;
        if self.put_json(&key, json).await? == Written::Yes {
            return Ok(manifest);
        }
        let standing = self.manifest(&manifest.head().deploy).await?;
        // A store answers so too when two writers meet and neither has won yet.
        let standing = standing.ok_or_else(|| {
            Error::body(self.bucket.resource(&key), "another writer was there, its object is not yet")
        })?;
        let ours = |manifest: &Manifest| (manifest.content(), manifest.head().build, manifest.head().site);
        if ours(&standing) == ours(&manifest) {
            Ok(standing)
        } else {
            Err(Error::Conflict { resource: self.bucket.resource(&key) })
        }
    }

    async fn upon_base(&self, manifest: Manifest, bases: &[Digest]) -> Result<(Manifest, Delta), Error> {
        let mut best: Option<(Digest, Delta)> = None;
        for digest in bases {
            let delta = Delta::between(&self.base(*digest).await?, manifest.entries());
            if best.as_ref().is_none_or(|(_, best)| delta.len() < best.len()) {
                best = Some((*digest, delta));
            }
        }
        if let Some((digest, delta)) = best.filter(|(_, delta)| delta.is_small(manifest.entries().len())) {
            return Ok((manifest.with_base(digest), delta));
        }
        let json = document::encode_base(manifest.entries())
            .map_err(|error| Error::corrupt(self.bucket.resource("manifests/"), error))?;
        let digest = Digest::of(&json);
        self.put_json(&keys::base(digest), json).await?;
        Ok((manifest.with_base(digest), Delta::default()))
    }

    async fn put_json(&self, key: &str, json: Vec<u8>) -> Result<Written, Error> {
        let with = Put { content_type: Some(JSON), only_new: true, ..Put::default() };
        self.bucket.put(key, Body::Bytes(json.into()), with).await
    }

    /// Writes a pack unless it is there. `digest` is the SHA-256 of `body`, which the store checks.
    ///
    /// # Errors
    /// When the store fails or refuses; a body that does not have the digest is refused.
    pub async fn put_pack(&self, digest: Digest, body: Body) -> Result<(), Error> {
        let key = keys::pack(digest);
        if self.bucket.size(&key).await? == Some(body.size()) {
            return Ok(());
        }
        self.bucket.put(&key, body, Put { sha256: Some(digest), ..Put::default() }).await.map(|_| ())
    }

    /// The whole content of a file, checked against its digest.
    ///
    /// # Errors
    /// [`Error::Missing`] or [`Error::Corrupt`] if the pack does not have it; else when the store fails or refuses.
    pub async fn blob(&self, entry: &SiteFile) -> Result<Bytes, Error> {
        let content = match entry.size {
            0 => Bytes::new(),
            size => self.bucket.get_range(&keys::pack(entry.pack), entry.offset..entry.offset + size).await?,
        };
        self.verified(entry, content)
    }

    pub(crate) fn verified(&self, entry: &SiteFile, content: Bytes) -> Result<Bytes, Error> {
        if Digest::of(&content) == entry.digest {
            return Ok(content);
        }
        let resource = self.bucket.resource(&keys::pack(entry.pack));
        Err(Error::corrupt(resource, format!("the bytes of `{}` do not have its digest", entry.path)))
    }

    /// A part of a file's content as it arrives; `range` is cut to the file's size. Only its length is checked.
    ///
    /// # Errors
    /// At once as [`Self::blob`]; later, in the stream, when the connection breaks.
    pub async fn blob_stream(
        &self,
        entry: &SiteFile,
        range: Range<u64>,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + use<>, Error> {
        let (start, end) = (range.start.min(entry.size), range.end.min(entry.size));
        if start >= end {
            return Ok(stream::empty().left_stream());
        }
        let key = keys::pack(entry.pack);
        let body = self.bucket.open_range(&key, entry.offset + start..entry.offset + end).await?;
        let resource = self.bucket.resource(&key);
        let next = move |mut body: aws_sdk_s3::primitives::ByteStream| {
            let resource = resource.clone();
            async move {
                let chunk = body.try_next().await.map_err(|source| Error::body(resource, source))?;
                Ok(chunk.map(|chunk| (chunk, body)))
            }
        };
        Ok(stream::try_unfold(body, next).right_stream())
    }

    /// The objects whose keys start with `prefix`, in order of keys; none if there is no bucket.
    ///
    /// # Errors
    /// When the store fails or refuses.
    pub async fn objects(&self, prefix: &str) -> Result<Vec<Object>, Error> {
        self.bucket.list(prefix).await
    }

    /// Removes everything of the site, and the bucket. Harmless if it is gone.
    ///
    /// # Errors
    /// When the store fails or refuses; the rest is then removed by the next try.
    pub async fn erase(&self) -> Result<(), Error> {
        self.bucket.abandon("").await?;
        let objects = self.bucket.list("").await?;
        self.bucket.delete_all(objects.into_iter().map(|object| object.key)).await?;
        self.bucket.remove().await
    }
}
