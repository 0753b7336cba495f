//! Folders that are shown as they are: their contents and their list are kept by digest, and a build is asked for that shows them.
//!
//! Nothing that is there is sent again, so whoever is interrupted goes on by beginning anew.

use super::active::active;
use super::execute::ask;
use super::permit::{About, permit};
use crate::app::{App, Shared};
use crate::bodies::Arrival;
use crate::caller::Caller;
use crate::place::Place;
use crate::problem::Problem;
use events::authority::Command;
use events::event::Upload;
use events::{Branch, Build, BuildId, CommitId, Digest, SiteId, build};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use storage::folder::Folder;
use tempfile::TempPath;
use tokio::io::AsyncWriteExt;

/// Keeps a content that arrives under its digest.
pub(crate) async fn keep_upload(
    app: &Shared,
    place: &Place,
    digest: Digest,
    mut arrival: Arrival,
    caller: Caller,
) -> Result<(), Problem> {
    let site = uploader(app, place, &caller).await?;
    let folder = app.spool.to_path_buf();
    let made = tokio::task::spawn_blocking(move || tempfile::NamedTempFile::new_in(folder)).await;
    let (file, path) = made.unwrap_or_else(|gone| Err(io::Error::other(gone))).map_err(spool)?.into_parts();
    let mut file = tokio::fs::File::from_std(file);
    let mut hasher = Sha256::new();
    while let Some(chunk) = arrival.next().await? {
        hasher.update(&chunk);
        file.write_all(&chunk).await.map_err(spool)?;
    }
    file.flush().await.map_err(spool)?;
    if Digest::from_bytes(hasher.finalize().into()) != digest {
        return Err(Problem::UploadMismatch);
    }
    store(app, site, digest, path).await
}

async fn store(app: &App, site: SiteId, digest: Digest, path: TempPath) -> Result<(), Problem> {
    let place: &Path = &path;
    Ok(app.storage.platform().put_upload(site, digest, place).await?)
}

fn spool(error: io::Error) -> Problem {
    Problem::SpoolUnavailable(error)
}

/// The site that somebody may upload for.
async fn uploader(app: &Shared, place: &Place, caller: &Caller) -> Result<SiteId, Problem> {
    let site = app.site_id(place).await?;
    permit(app, caller, Command::RequestBuild, About::Site(site)).await?;
    active(app, site).await?;
    Ok(site)
}

/// The contents that a folder has and nobody has uploaded, in order.
pub(crate) async fn missing_of(
    app: &Shared,
    place: &Place,
    list: Digest,
    caller: Caller,
) -> Result<Vec<Digest>, Problem> {
    let site = uploader(app, place, &caller).await?;
    let folder = listed(app, site, list).await?;
    missing(app, site, &folder).await
}

/// The folder that stands in the place of a commit, if one does.
pub(super) async fn named_by(app: &App, site: SiteId, commit: Option<&CommitId>) -> Result<Option<Upload>, Problem> {
    let Some(list) = commit.and_then(|commit| commit.as_str().parse::<Digest>().ok()) else { return Ok(None) };
    match listed(app, site, list).await {
        Ok(folder) => Ok(Some(described(list, &folder))),
        Err(Problem::NotFound) => Ok(None),
        Err(problem) => Err(problem),
    }
}

fn described(list: Digest, folder: &Folder) -> Upload {
    Upload { list, files: folder.files().len() as u64, bytes: folder.bytes() }
}

async fn listed(app: &App, site: SiteId, list: Digest) -> Result<Folder, Problem> {
    let list = app.storage.platform().get_upload(site, list).await?.ok_or(Problem::NotFound)?;
    Folder::read(&list).map_err(Problem::invalid)
}

async fn missing(app: &App, site: SiteId, folder: &Folder) -> Result<Vec<Digest>, Problem> {
    let known = app.storage.platform().uploads(site).await?;
    let absent = folder.files().iter().filter(|file| known.get(&file.digest) != Some(&file.size));
    Ok(absent.map(|file| file.digest).collect::<BTreeSet<_>>().into_iter().collect())
}

/// Asks for a build that shows a folder on a branch, the live one if none is named. Answers the build.
pub(crate) async fn publish_folder(
    app: &Shared,
    place: &Place,
    list: Digest,
    branch: Option<Branch>,
    caller: Caller,
) -> Result<BuildId, Problem> {
    let site = app.site_id(place).await?;
    let cause = permit(app, &caller, Command::RequestBuild, About::Site(site)).await?;
    let branch = branch.unwrap_or(active(app, site).await?.settings.branch);
    let folder = listed(app, site, list).await?;
    let missing = missing(app, site, &folder).await?;
    if !missing.is_empty() {
        return Err(Problem::UploadIncomplete(missing.len()));
    }
    let upload = described(list, &folder);
    // A folder has no commit: the digest of its list says as much, and has the form of one.
    let commit = list.to_string().parse()?;
    let id = BuildId(caller.new_id(format_args!("deploy/{site}/{branch}/{list}")));
    let command = build::Command::Request {
        site,
        branch,
        commit: Some(commit),
        upload: Some(upload),
        pull_request: None,
        clear_cache: false,
    };
    ask::<Build>(app, &id.to_string(), &command, &cause).await?;
    Ok(id)
}
