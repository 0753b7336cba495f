//! `pagefold deploy`: a folder of this machine, shown as it is. Only what the platform does not have is sent, so whoever is
//! interrupted goes on by asking again.

use crate::access::Access;
use crate::api::Api;
use crate::exit::Why;
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use clap::Args;
use ctl::Progress;
use ctl::print::cell;
use events::Digest;
use futures::{StreamExt, TryStreamExt, stream};
use launcher::brought::{Brought, FILE};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use storage::folder::{FILE_BYTES_MAX, Folder, Listed};

/// Contents that are sent at once.
const SENT_AT_ONCE: usize = 4;
/// How often a build that is waited for is asked about.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// A folder to show.
#[derive(Debug, Args)]
pub(crate) struct Deploy {
    /// The folder; what begins with a dot is left out, as of a build
    folder: PathBuf,
    /// The name or the id of the site
    #[arg(long)]
    site: String,
    /// The branch it is shown as, a preview for instance; the live one if absent
    #[arg(long)]
    branch: Option<String>,
    /// Do not wait until it is shown
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    access: Access,
}

/// A folder with where its contents are.
pub(crate) struct Local {
    folder: Folder,
    places: HashMap<Digest, PathBuf>,
}

pub(crate) async fn run(deploy: Deploy) -> Result<()> {
    let api = deploy.access.api()?;
    let root = deploy.folder.clone();
    let local = tokio::task::spawn_blocking(move || Local::read(&root)).await??;
    let list = local.folder.list();
    let digest = Digest::of(list.as_bytes());
    let uploads = format!("/sites/{}/uploads", deploy.site);
    api.put_bytes(&format!("{uploads}/{digest}"), list.into()).await?;
    let sent = send(&api, &uploads, digest, &local).await?;
    let body = json!({ "list": digest, "branch": deploy.branch });
    let asked = api.post(&format!("/sites/{}/deploys", deploy.site), body).await?;
    let build = asked["build"].as_str().context("the platform did not say which build it is")?.to_owned();
    let (files, bytes) = (local.folder.files().len(), local.folder.bytes());
    if deploy.no_wait {
        let told = json!({ "build": build, "files": files, "bytes": bytes, "uploaded": sent });
        return deploy.access.print().one(&told, &format!("{files} files, {sent} uploaded: build {build}"));
    }
    let (build, url) = shown(&api, &deploy.site, &build).await?;
    let told = json!({ "build": build, "files": files, "bytes": bytes, "uploaded": sent, "url": url });
    deploy.access.print().one(&told, &format!("{files} files, {sent} uploaded: {}", cell(&url)))
}

impl Local {
    pub(crate) fn into_files(self) -> Vec<Listed> {
        self.folder.files().to_vec()
    }

    pub(crate) fn read(root: &Path) -> Result<Self> {
        let top = root.canonicalize().with_context(|| format!("cannot read `{}`", root.display()))?;
        let brought = Brought::from(&top).with_context(|| format!("cannot read `{FILE}`"))?;
        let (mut files, mut places) = (Vec::new(), HashMap::new());
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            let place = root.join(&folder);
            let entries = std::fs::read_dir(&place).with_context(|| format!("cannot read `{}`", place.display()))?;
            for entry in entries {
                let entry = entry?;
                let name = entry.file_name().into_string();
                let name = name.map_err(|name| anyhow::anyhow!("`{}` is not valid UTF-8", name.display()))?;
                let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                // The file that says how they are shown goes with them, as it does with what was built.
                if !brought.wants(&path, entry.file_type()?) && path != FILE {
                    continue;
                }
                // What a link leads to is shown, as of a build, if that is in the folder too.
                let place = within(&top, &entry.path()).with_context(|| format!("cannot show `{path}`"))?;
                let found = place.metadata().with_context(|| format!("cannot read `{path}`"))?;
                if found.is_dir() {
                    if entry.file_type()?.is_symlink() {
                        bail!("`{path}` links to a folder: copy it");
                    }
                    folders.push(path);
                    continue;
                }
                if !found.is_file() {
                    bail!("`{path}` is neither a file nor a folder");
                }
                if found.len() > FILE_BYTES_MAX {
                    bail!("`{path}` has more than {FILE_BYTES_MAX} bytes");
                }
                let content = std::fs::read(&place).with_context(|| format!("cannot read `{path}`"))?;
                let digest = Digest::of(&content);
                places.insert(digest, place);
                files.push(Listed { path, digest, size: content.len() as u64 });
            }
        }
        Ok(Self { folder: Folder::new(files)?, places })
    }
}

/// Where a path leads, which is inside of `top`: a link to elsewhere would show what nobody meant to.
fn within(top: &Path, path: &Path) -> Result<PathBuf> {
    let place = path.canonicalize().ok().filter(|place| place.starts_with(top));
    place.context("it links to nothing, or to something outside of the folder")
}

/// Sends what the platform does not have. Answers how many contents that were.
async fn send(api: &Api, uploads: &str, list: Digest, local: &Local) -> Result<usize> {
    let sizes: HashMap<Digest, u64> = local.folder.files().iter().map(|file| (file.digest, file.size)).collect();
    let missing = api.all(&format!("{uploads}/{list}/missing")).await?;
    let missing: Vec<Digest> = missing.iter().filter_map(|digest| digest.as_str()?.parse().ok()).collect();
    let all = missing.iter().filter_map(|digest| sizes.get(digest)).sum();
    let (done, progress) = (AtomicU64::new(0), Progress::of_bytes());
    progress.at(0, all);
    let sending = missing.iter().map(async |digest| {
        let place = local.places.get(digest).context("the platform asks for what the folder does not have")?;
        let content = tokio::fs::read(place).await.with_context(|| format!("cannot read `{}`", place.display()))?;
        let size = content.len() as u64;
        api.put_bytes(&format!("{uploads}/{digest}"), Bytes::from(content)).await?;
        progress.at(done.fetch_add(size, Ordering::Relaxed) + size, all);
        anyhow::Ok(())
    });
    stream::iter(sending).buffer_unordered(SENT_AT_ONCE).try_collect::<()>().await?;
    progress.clear();
    Ok(missing.len())
}

/// Waits until a build has ended; answers it, and where it is read.
async fn shown(api: &Api, site: &str, id: &str) -> Result<(Value, Value)> {
    let build = loop {
        // It may not be told yet.
        let newest = api.get(&format!("/sites/{site}/builds?limit=100")).await?;
        let build =
            newest["items"].as_array().and_then(|builds| builds.iter().find(|build| build["id"] == id).cloned());
        match build {
            // What is built is not shown yet.
            Some(build) if !matches!(build["state"].as_str(), Some("queued" | "dispatched" | "started")) => {
                break build;
            }
            Some(_) | None => tokio::time::sleep(ASK_EVERY).await,
        }
    };
    if build["state"] != "success" {
        let why = format!("it is not shown, the build ended as {}: {}", cell(&build["state"]), cell(&build["reason"]));
        return Err(Why::Unsuccessful(why).into());
    }
    let aliases = api.all(&format!("/sites/{site}/aliases")).await?;
    let url = aliases.iter().find(|alias| alias["alias"] == build["alias"]).map(|alias| alias["url"].clone());
    Ok((build, url.unwrap_or_default()))
}
