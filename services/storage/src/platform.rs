//! The platform's own bucket: what builds leave, and the logs of builds that ended.

use crate::body::Body;
use crate::bucket::{Bucket, Object, Put};
use crate::error::Error;
use crate::keys;
use bytes::Bytes;
use events::{BuildId, Digest, SiteId};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt as _;

/// The bucket of artifacts and logs. Keys come from [`crate::keys`].
#[derive(Debug, Clone)]
pub struct PlatformBucket {
    pub(crate) bucket: Bucket,
}

impl PlatformBucket {
    /// Creates the bucket unless it is there.
    ///
    /// # Errors
    /// When the store fails or refuses.
    pub async fn ensure(&self) -> Result<(), Error> {
        self.bucket.ensure().await
    }

    /// Writes the file at `path` as the artifact `key`, replacing what an earlier try left there.
    ///
    /// # Errors
    /// When the file cannot be read, or the store fails or refuses; the artifact is then as before.
    pub async fn put_artifact(&self, key: &str, path: &Path) -> Result<(), Error> {
        let with = Put { content_type: Some("application/x-tar"), ..Put::default() };
        // The client's futures are large: a caller need not hold them in its own.
        Box::pin(self.bucket.put_file(key, path, with)).await
    }

    /// Writes the artifact `key` to the file `into`, which appears only when it is whole.
    ///
    /// # Errors
    /// [`Error::Missing`] if there is no such artifact; else when the store or the file system fails.
    pub async fn get_artifact(&self, key: &str, into: &Path) -> Result<(), Error> {
        let object = self.bucket.open(key, None).await?;
        let mut object = object.ok_or_else(|| Error::Missing { resource: self.bucket.resource(key) })?;
        let length = object.content_length();
        let partial = partial(into);
        let mut file = File::create(&partial).await.map_err(Error::file(&partial))?;
        let mut received = 0;
        while let Some(chunk) = object.body.next().await {
            let chunk = chunk.map_err(|source| Error::body(self.bucket.resource(key), source))?;
            received += i64::try_from(chunk.len()).unwrap_or(i64::MAX);
            file.write_all(&chunk).await.map_err(Error::file(&partial))?;
        }
        if length.is_some_and(|length| length != received) {
            return Err(Error::body(self.bucket.resource(key), "the body ended early"));
        }
        file.flush().await.map_err(Error::file(&partial))?;
        fs::rename(&partial, into).await.map_err(Error::file(into))
    }

    /// The builds that artifacts are there of.
    ///
    /// # Errors
    /// When the store fails or refuses.
    pub async fn builds_with_artifacts(&self) -> Result<BTreeSet<BuildId>, Error> {
        let artifacts = self.bucket.list(keys::ARTIFACTS).await?;
        Ok(artifacts.iter().filter_map(|artifact| keys::build_of(&artifact.key)).collect())
    }

    /// Removes what the attempts at a build left: artifacts, and uploads that were never finished. Harmless if there is
    /// nothing.
    ///
    /// # Errors
    /// When the store fails or refuses.
    pub async fn delete_artifacts(&self, build: BuildId) -> Result<(), Error> {
        let prefix = keys::artifacts(build);
        self.bucket.abandon(&prefix).await?;
        let left = self.bucket.list(&prefix).await?;
        self.bucket.delete_all(left.into_iter().map(|object| object.key)).await
    }

    /// Keeps the file at `path`, whose digest this is, for a site. The store checks the two against each other.
    ///
    /// # Errors
    /// When the file cannot be read, or the store fails or refuses.
    pub async fn put_upload(&self, site: SiteId, digest: Digest, path: &Path) -> Result<(), Error> {
        let size = fs::metadata(path).await.map_err(Error::file(path))?.len();
        let body = Body::File { path: path.to_owned(), range: 0..size };
        let with = Put { sha256: Some(digest), ..Put::default() };
        Box::pin(self.bucket.put(&keys::upload(site, digest), body, with)).await.map(drop)
    }

    /// What was uploaded for a site under this digest; `None` if nothing was. For what fits in memory.
    ///
    /// # Errors
    /// When the store fails or refuses.
    pub async fn get_upload(&self, site: SiteId, digest: Digest) -> Result<Option<Bytes>, Error> {
        self.bucket.get(&keys::upload(site, digest)).await
    }

    /// The sizes of all that was uploaded for a site.
    ///
    /// # Errors
    /// When the store fails or refuses.
    pub async fn uploads(&self, site: SiteId) -> Result<HashMap<Digest, u64>, Error> {
        let prefix = keys::uploads(site);
        let listed = self.bucket.list(&prefix).await?;
        let known = |object: &Object| Some((object.key.strip_prefix(&prefix)?.parse().ok()?, object.size));
        Ok(listed.iter().filter_map(known).collect())
    }

    /// Removes all that was uploaded for a site. Harmless if there is nothing.
    ///
    /// # Errors
    /// When the store fails or refuses.
    pub async fn delete_uploads(&self, site: SiteId) -> Result<(), Error> {
        let left = self.bucket.list(&keys::uploads(site)).await?;
        self.bucket.delete_all(left.into_iter().map(|object| object.key)).await
    }

    /// Writes the log `key`, replacing it.
    ///
    /// # Errors
    /// When the store fails or refuses.
    pub async fn put_log(&self, key: &str, log: Bytes) -> Result<(), Error> {
        let with = Put { content_type: Some("text/plain; charset=utf-8"), ..Put::default() };
        Box::pin(self.bucket.put(key, Body::Bytes(log), with)).await.map(|_| ())
    }

    /// The log `key` from byte `from` on: empty past its end, `None` if there is none.
    ///
    /// # Errors
    /// When the store fails or refuses.
    pub async fn get_log(&self, key: &str, from: u64) -> Result<Option<Bytes>, Error> {
        self.bucket.get_from(key, from).await
    }
}

/// Where a file grows before it is whole.
fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}
