//! An artifact made of a folder that was uploaded: its list and, each by its digest, what its files have.

use crate::stored;
use events::{Digest, SiteId};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use runtime::Failure;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use storage::folder::{Folder, Listed};
use storage::{PlatformBucket, keys};

/// Contents that are fetched at once.
const FETCHED_AT_ONCE: usize = 16;

/// Writes the artifact of the folder whose list is `key` to `tar`. What was fetched for it lies beside.
pub(crate) async fn assemble(platform: &PlatformBucket, site: SiteId, key: &str, tar: &Path) -> Result<(), Failure> {
    let around = tar.parent().unwrap_or(tar).to_owned();
    let list = around.join("list");
    platform.get_artifact(key, &list).await.map_err(stored)?;
    let list = tokio::fs::read(&list).await.map_err(failed)?;
    let folder = Folder::read(&list).map_err(|error| Failure::Park(Box::new(error)))?;
    let mut digests: Vec<Digest> = folder.files().iter().map(|file| file.digest).collect();
    digests.sort_unstable();
    digests.dedup();
    let fetching = digests.into_iter().map(|digest| {
        let place = place(&around, digest);
        async move { platform.get_artifact(&keys::upload(site, digest), &place).await.map_err(stored) }
    });
    stream::iter(fetching).buffer_unordered(FETCHED_AT_ONCE).try_collect::<()>().await?;
    let tar = tar.to_owned();
    let packed = tokio::task::spawn_blocking(move || pack(&folder, &around, &tar)).await;
    packed.unwrap_or_else(|panicked| Err(io::Error::other(panicked))).map_err(failed)
}

fn failed(error: io::Error) -> Failure {
    Failure::Retry(Box::new(error))
}

fn place(around: &Path, digest: Digest) -> PathBuf {
    around.join(format!("{digest}.blob"))
}

/// As builds leave it: without owner, mode or time of their own.
fn pack(folder: &Folder, around: &Path, tar: &Path) -> io::Result<()> {
    let mut archive = tar::Builder::new(BufWriter::new(File::create(tar)?));
    for Listed { path, digest, size } in folder.files() {
        let content = File::open(place(around, *digest))?;
        if content.metadata()?.len() != *size {
            return Err(io::Error::other(format!("`{digest}` does not have the size that was listed")));
        }
        let mut header = tar::Header::new_gnu();
        header.set_size(*size);
        header.set_mode(0o644);
        header.set_mtime(0);
        archive.append_data(&mut header, path, content)?;
    }
    archive.into_inner()?.flush()
}
