//! Repositories that the installation keeps itself: a bare one in a folder for each site that wants it. Whoever may push to the
//! site pushes here with their token, and what is edited in the browser is committed here; the log is told of both.
//!
//! No repository has a work tree, and nothing of one is ever run: hooks are off, and what git may take of time, memory and disk
//! is bounded.

mod commit;
mod files;
mod git;
mod merge;
mod template;
mod told;

pub(crate) use commit::{Author, Draft, Moved};
pub(crate) use files::{FILE_MAX, Listed, Shown, is_path};
pub(crate) use git::{Fault, run};
pub(crate) use merge::{Merge, Merged};
pub(crate) use template::Template;

use crate::problem::Problem;
use events::{CommitId, SiteId};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::Command;
use tokio::sync::{Mutex, MutexGuard, OwnedSemaphorePermit, Semaphore};

/// Repositories in hand at the same time.
const SLOTS: usize = 8;
/// Those that are cloned and pushed to, which may take minutes, and how long one may wait for its turn.
const VISITS: usize = 16;
const PATIENCE: Duration = Duration::from_secs(10);

/// A repository is made just before its site. One that has none for so long never will have: a request is remembered for a day.
const ABANDONED: Duration = Duration::from_secs(2 * 24 * 60 * 60);
/// How long it may take to put one in order.
const TIDYING: Duration = Duration::from_secs(300);
/// What one may take of the disk, in KiB.
const SIZE_MAX_KIB: u64 = 1 << 20;

/// The folder of all of them.
#[derive(Debug)]
pub(crate) struct Repositories {
    root: PathBuf,
    slots: Arc<Semaphore>,
    visits: Arc<Semaphore>,
    /// One at a time tells the log, so that nothing is told twice.
    telling: Mutex<()>,
}

/// One of them, in hand.
#[derive(Debug)]
pub(crate) struct Repository {
    folder: PathBuf,
    _slot: OwnedSemaphorePermit,
}

impl Repositories {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self {
            root,
            slots: Arc::new(Semaphore::new(SLOTS)),
            visits: Arc::new(Semaphore::new(VISITS)),
            telling: Mutex::default(),
        }
    }

    fn folder(&self, site: SiteId) -> PathBuf {
        self.root.join(format!("{site}.git"))
    }

    /// The repository of a site; none if the site is built from elsewhere.
    pub(crate) async fn open(&self, site: SiteId) -> Result<Option<Repository>, Problem> {
        let slot = self.slot().await?;
        self.found(site, slot).await
    }

    /// The same for somebody who clones or pushes. They wait for each other, and nobody else for them.
    pub(crate) async fn visit(&self, site: SiteId) -> Result<Option<Repository>, Problem> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.visits).acquire_owned()).await;
        let slot = turn.map_err(|_| Fault::Busy.into_problem())?.map_err(|error| Problem::Internal(error.into()))?;
        self.found(site, slot).await
    }

    async fn slot(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.slots).acquire_owned().await.map_err(|error| Problem::Internal(error.into()))
    }

    async fn found(&self, site: SiteId, slot: OwnedSemaphorePermit) -> Result<Option<Repository>, Problem> {
        let folder = self.folder(site);
        let is_there = tokio::fs::try_exists(&folder).await.map_err(|error| Fault::Io(error).into_problem())?;
        Ok(is_there.then_some(Repository { folder, _slot: slot }))
    }

    /// Makes the repository of a site from a template, unless it is there: a site is created after its repository.
    pub(crate) async fn create(&self, site: SiteId, template: Template, author: &Author) -> Result<(), Problem> {
        let slot = self.slot().await?;
        let made = self.make(site, template, author, slot).await;
        made.map_err(Fault::into_problem)
    }

    async fn make(
        &self,
        site: SiteId,
        template: Template,
        author: &Author,
        slot: OwnedSemaphorePermit,
    ) -> Result<(), Fault> {
        let folder = self.folder(site);
        if tokio::fs::try_exists(&folder).await? {
            return Ok(());
        }
        // It is there whole or not at all, and of two that make it at once the first does.
        let unfinished = self.root.join(format!("{site}.{}.new", uuid::Uuid::new_v4().simple()));
        tokio::fs::create_dir_all(&unfinished).await?;
        let repository = Repository { folder: unfinished.clone(), _slot: slot };
        let begun = repository.begin(template, author).await;
        let kept = match begun {
            Ok(()) => tokio::fs::rename(&unfinished, &folder).await.map_err(Fault::from),
            Err(fault) => Err(fault),
        };
        if kept.is_err() {
            // What is left of it is found by nobody.
            let _ = tokio::fs::remove_dir_all(&unfinished).await;
        }
        if tokio::fs::try_exists(&folder).await? { Ok(()) } else { kept }
    }

    /// Removes what was kept for a site that was not created in the end.
    pub(crate) async fn abandon(&self, site: SiteId) -> Result<(), Problem> {
        let made = tokio::fs::metadata(self.folder(site)).await.and_then(|folder| folder.modified());
        let is_old = made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age > ABANDONED));
        if is_old { self.remove(site).await } else { Ok(()) }
    }

    /// Removes what is kept of a site that is no more.
    pub(crate) async fn remove(&self, site: SiteId) -> Result<(), Problem> {
        match tokio::fs::remove_dir_all(self.folder(site)).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Fault::Io(error).into_problem()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// The sites that a repository is kept of.
    pub(crate) async fn sites(&self) -> std::io::Result<Vec<SiteId>> {
        let (mut folders, mut sites) = (tokio::fs::read_dir(&self.root).await?, Vec::new());
        while let Some(entry) = folders.next_entry().await? {
            let name = entry.file_name();
            sites.extend(name.to_str().and_then(|name| name.strip_suffix(".git")?.parse::<SiteId>().ok()));
        }
        Ok(sites)
    }

    pub(crate) async fn turn_to_tell(&self) -> MutexGuard<'_, ()> {
        self.telling.lock().await
    }
}

impl Repository {
    /// A command of git on it, which ends with whoever holds it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        git::command(&self.folder, arguments)
    }

    /// The newest commit of a branch; none if there is no such branch.
    pub(crate) async fn tip(&self, branch: &str) -> Result<Option<CommitId>, Fault> {
        let name = format!("refs/heads/{branch}^{{commit}}");
        let found = run(self.command(&["rev-parse", "--verify", "--quiet", "--end-of-options", &name]), &[]).await;
        match found {
            Ok(text) => Ok(String::from_utf8_lossy(&text).trim().parse().ok()),
            Err(Fault::Ended { .. }) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Whether a commit is there.
    pub(crate) async fn has(&self, commit: &CommitId) -> Result<bool, Fault> {
        let name = format!("{commit}^{{commit}}");
        match run(self.command(&["cat-file", "-e", &name]), &[]).await {
            Ok(_) => Ok(true),
            Err(Fault::Ended { .. }) => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// Puts together what many commits left, and takes away what broken pushes did, if that is due.
    pub(crate) async fn tidy(&self) -> Result<(), Fault> {
        git::run_within(TIDYING, self.command(&["gc", "--auto", "--quiet"]), &[]).await.map(drop)
    }

    /// Whether more may come.
    pub(crate) async fn has_room(&self) -> Result<bool, Fault> {
        let counted = run(self.command(&["count-objects", "-v"]), &[]).await?;
        let text = String::from_utf8_lossy(&counted);
        let sizes = text.lines().filter_map(|line| line.split_once(": "));
        let sizes = sizes.filter(|(name, _)| matches!(*name, "size" | "size-pack" | "size-garbage"));
        Ok(sizes.filter_map(|(_, size)| size.parse::<u64>().ok()).sum::<u64>() < SIZE_MAX_KIB)
    }
}
