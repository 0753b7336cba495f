//! The plain trees `site/…`, `demo/…`, `preview/<branch>/…`: each file under its own key, for CDNs that read the bucket.
//!
//! A tree is no switch: while it is written, a reader may see files of two deploys. So assets come before the pages
//! that name them, and what is gone goes last.
//!
//! The tree of branch `a` contains the keys of branch `a/b`. Git refuses two such branches at one time, and a marked tree
//! is removed file by file.

use crate::bucket::Put;
use crate::error::Error;
use crate::keys;
use crate::manifest::{Entry, Manifest};
use crate::site::SiteBucket;
use crate::upload::Body;
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tempfile::{NamedTempFile, TempPath};
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

/// How long a CDN may show a file before it asks again. Keys of a tree are overwritten, so not long.
const CACHE_CONTROL: &str = "max-age=60";
const WRITES_AT_ONCE: usize = 16;
const READS_AT_ONCE: usize = 2;
/// Neighbours in a pack are read together up to this size; a larger file goes through a temporary file.
const READ_BYTES: u64 = 8 * 1024 * 1024;

/// What a mirror run changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mirrored {
    /// Objects written.
    pub written: u64,
    /// Objects removed.
    pub removed: u64,
}

impl SiteBucket {
    /// Makes the plain tree `tree` (no trailing slash) show `manifest`. A mark beside the tree says which deploy it shows
    /// whole, so that only the difference is written; without one every file is written and what else lies in the tree
    /// is removed.
    ///
    /// # Errors
    /// When a pack does not have a file, or the store fails or refuses; the tree may then show files of both deploys
    /// until it is mirrored again.
    pub async fn mirror(&self, tree: &str, manifest: &Manifest) -> Result<Mirrored, Error> {
        let previous = self.take_mark(tree).await?;
        let previous = previous.as_ref();
        let shown =
            |entry: &Entry| previous.and_then(|previous| previous.get(&entry.path)).is_some_and(|old| same(old, entry));
        let changed: Vec<&Entry> = manifest.iter().filter(|entry| !shown(entry)).collect();
        let (pages, assets): (Vec<_>, Vec<_>) =
            changed.iter().partition(|entry| entry.content_type.starts_with("text/html"));
        self.write_files(tree, assets).await?;
        self.write_files(tree, pages).await?;
        let stale: Vec<String> = match previous {
            Some(previous) => {
                let gone = previous.iter().filter(|entry| manifest.get(&entry.path).is_none());
                gone.map(|entry| format!("{tree}/{}", entry.path)).collect()
            }
            None => self.others(tree, manifest).await?,
        };
        let mirrored = Mirrored { written: changed.len() as u64, removed: stale.len() as u64 };
        self.bucket.delete_all(stale).await?;
        let mark = Body::Bytes(manifest.head().deploy.to_string().into());
        self.bucket.put(&keys::mark(tree), mark, Put::default()).await?;
        Ok(mirrored)
    }

    /// Removes a plain tree; returns how many objects it had. A marked tree loses exactly the files it shows, so that the
    /// tree of a branch `a/b` survives the removal of the tree of `a`.
    ///
    /// # Errors
    /// When the store fails or refuses.
    pub async fn remove_tree(&self, tree: &str) -> Result<u64, Error> {
        let keys: Vec<String> = match self.take_mark(tree).await? {
            Some(shown) => shown.iter().map(|entry| format!("{tree}/{}", entry.path)).collect(),
            None => self.bucket.list(&format!("{tree}/")).await?.into_iter().map(|object| object.key).collect(),
        };
        let removed = keys.len() as u64;
        self.bucket.delete_all(keys).await?;
        Ok(removed)
    }

    /// What the tree shows whole, if it is marked. The mark is gone before the tree changes: a run that dies half way
    /// leaves a tree that nobody takes for whole.
    async fn take_mark(&self, tree: &str) -> Result<Option<Manifest>, Error> {
        let key = keys::mark(tree);
        let Some(mark) = self.bucket.get(&key).await? else { return Ok(None) };
        let deploy = String::from_utf8_lossy(&mark).parse();
        let shown = match deploy {
            Ok(deploy) => self.manifest(&deploy).await?,
            Err(_) => None,
        };
        self.bucket.delete_all([key]).await?;
        Ok(shown)
    }

    /// The keys in the tree that the manifest does not have.
    async fn others(&self, tree: &str, manifest: &Manifest) -> Result<Vec<String>, Error> {
        let prefix = format!("{tree}/");
        let keys = self.bucket.list(&prefix).await?.into_iter().map(|object| object.key);
        let foreign = |key: &String| key.strip_prefix(&prefix).is_none_or(|path| manifest.get(path).is_none());
        Ok(keys.filter(foreign).collect())
    }

    async fn write_files(&self, tree: &str, files: Vec<&Entry>) -> Result<(), Error> {
        let runs = stream::iter(runs(files)).map(|run| self.read_run(run)).buffered(READS_AT_ONCE);
        let files = runs.map_ok(|files| stream::iter(files.into_iter().map(Ok::<_, Error>))).try_flatten();
        files.try_for_each_concurrent(WRITES_AT_ONCE, |(entry, source)| self.write_file(tree, entry, source)).await
    }

    /// One request for the files of a run, which lie side by side.
    async fn read_run(&self, run: Vec<Entry>) -> Result<Vec<(Entry, Source)>, Error> {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            return Ok(Vec::new());
        };
        if first.size > READ_BYTES {
            return Ok(vec![(first.clone(), self.spool(first).await?)]);
        }
        let start = first.offset;
        let bytes = match last.offset + last.size - start {
            0 => Bytes::new(),
            size => self.bucket.get_range(&keys::pack(first.pack), start..start + size).await?,
        };
        let part = |entry: &Entry| {
            let from = usize::try_from(entry.offset - start).unwrap_or(usize::MAX).min(bytes.len());
            let to = usize::try_from(entry.offset - start + entry.size).unwrap_or(usize::MAX).min(bytes.len());
            Ok((entry.clone(), Source::Memory(self.verified(entry, bytes.slice(from..to))?)))
        };
        run.iter().map(part).collect()
    }

    async fn spool(&self, entry: &Entry) -> Result<Source, Error> {
        let path = NamedTempFile::new().map_err(Error::file(&std::env::temp_dir()))?.into_temp_path();
        let mut file = File::create(&path).await.map_err(Error::file(&path))?;
        let mut content = std::pin::pin!(self.blob_stream(entry, 0..entry.size).await?);
        while let Some(chunk) = content.try_next().await? {
            file.write_all(&chunk).await.map_err(Error::file(&path))?;
        }
        file.flush().await.map_err(Error::file(&path))?;
        Ok(Source::File(path))
    }

    async fn write_file(&self, tree: &str, entry: Entry, source: Source) -> Result<(), Error> {
        let key = format!("{tree}/{}", entry.path);
        let with = Put {
            content_type: Some(&entry.content_type),
            cache_control: Some(CACHE_CONTROL),
            sha256: Some(entry.digest),
            only_new: false,
        };
        match source {
            Source::Memory(content) => self.bucket.put(&key, Body::Bytes(content), with).await.map(|_| ()),
            Source::File(path) => self.bucket.put_file(&key, &path, with).await,
        }
    }
}

/// Where the content of a file is on its way from the pack to the tree.
enum Source {
    Memory(Bytes),
    File(TempPath),
}

/// Whether a reader of the tree would see no difference.
fn same(a: &Entry, b: &Entry) -> bool {
    (a.digest, &a.content_type) == (b.digest, &b.content_type)
}

/// Files grouped so that each group is one stretch of a pack without gaps, in the order of the packs.
fn runs(mut files: Vec<&Entry>) -> Vec<Vec<Entry>> {
    files.sort_by_key(|entry| (entry.pack, entry.offset, entry.size));
    let mut runs: Vec<Vec<Entry>> = Vec::new();
    let mut start = 0;
    for entry in files {
        let joined = runs.last_mut().filter(|run| {
            run.last().is_some_and(|last| {
                let next =
                    entry.offset == last.offset + last.size || (entry.offset, entry.size) == (last.offset, last.size);
                next && last.pack == entry.pack && entry.offset + entry.size - start <= READ_BYTES
            })
        });
        match joined {
            Some(run) => run.push(entry.clone()),
            None => {
                start = entry.offset;
                runs.push(vec![entry.clone()]);
            }
        }
    }
    runs
}
