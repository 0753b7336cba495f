//! The way of files from the packs into a tree: neighbours are read together, and large ones go through the disk.

use crate::body::Body;
use crate::bucket::Put;
use crate::error::Error;
use crate::keys;
use crate::manifest::SiteFile;
use crate::site::SiteBucket;
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

impl SiteBucket {
    pub(super) async fn write_files(&self, tree: &str, files: Vec<&SiteFile>) -> Result<(), Error> {
        let runs = stream::iter(runs(files)).map(|run| self.read_run(run)).buffered(READS_AT_ONCE);
        let files = runs.map_ok(|files| stream::iter(files.into_iter().map(Ok::<_, Error>))).try_flatten();
        files.try_for_each_concurrent(WRITES_AT_ONCE, |taken| self.write_file(tree, taken)).await
    }

    /// One request for the files of a run, which lie side by side.
    async fn read_run(&self, run: Vec<SiteFile>) -> Result<Vec<Taken>, Error> {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            return Ok(Vec::new());
        };
        if first.size > READ_BYTES {
            return Ok(vec![Taken { file: first.clone(), content: self.spool(first).await? }]);
        }
        let start = first.offset;
        let bytes = match last.offset + last.size - start {
            0 => Bytes::new(),
            size => self.bucket.get_range(&keys::pack(first.pack), start..start + size).await?,
        };
        let part = |entry: &SiteFile| {
            let from = usize::try_from(entry.offset - start).unwrap_or(usize::MAX).min(bytes.len());
            let to = usize::try_from(entry.offset - start + entry.size).unwrap_or(usize::MAX).min(bytes.len());
            let content = Content::Memory(self.verified(entry, bytes.slice(from..to))?);
            Ok(Taken { file: entry.clone(), content })
        };
        run.iter().map(part).collect()
    }

    async fn spool(&self, entry: &SiteFile) -> Result<Content, Error> {
        tokio::fs::create_dir_all(&self.spool).await.map_err(Error::file(&self.spool))?;
        let path = NamedTempFile::new_in(&self.spool).map_err(Error::file(&self.spool))?.into_temp_path();
        let mut file = File::create(&path).await.map_err(Error::file(&path))?;
        let mut content = std::pin::pin!(self.blob_stream(entry, 0..entry.size).await?);
        while let Some(chunk) = content.try_next().await? {
            file.write_all(&chunk).await.map_err(Error::file(&path))?;
        }
        file.flush().await.map_err(Error::file(&path))?;
        Ok(Content::File(path))
    }

    async fn write_file(&self, tree: &str, taken: Taken) -> Result<(), Error> {
        let Taken { file, content } = taken;
        let key = format!("{tree}/{}", file.path);
        let with = Put {
            content_type: Some(&file.content_type),
            cache_control: Some(CACHE_CONTROL),
            sha256: Some(file.digest),
            only_new: false,
        };
        match content {
            Content::Memory(content) => self.bucket.put(&key, Body::Bytes(content), with).await.map(|_| ()),
            Content::File(path) => self.bucket.put_file(&key, &path, with).await,
        }
    }
}

/// A file that is on its way.
struct Taken {
    file: SiteFile,
    content: Content,
}

/// Where the content of a file is on its way from the pack to the tree.
enum Content {
    Memory(Bytes),
    File(TempPath),
}

/// Files grouped so that each group is one stretch of a pack without gaps, in the order of the packs.
fn runs(mut files: Vec<&SiteFile>) -> Vec<Vec<SiteFile>> {
    files.sort_by_key(|entry| (entry.pack, entry.offset, entry.size));
    let mut runs: Vec<Vec<SiteFile>> = Vec::new();
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
