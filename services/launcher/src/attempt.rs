//! One attempt at a build: fetch, run, pack, store.

mod pack;

use crate::engine::Exit;
use crate::launch::Launcher;
use crate::output::Packed;
use crate::record::Record;
use crate::spec::{self, specify};
use crate::words::{counted, lasting};
use crate::workspace::Workspace;
use crate::{blocking, disk, engine, source};
use events::build::{Job, Report};
use events::event::Artifact;
use events::{BuildId, CommitId, Outcome};
use runtime::error::chain;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often a repository that does not answer is asked within an attempt.
const FETCH_TRIES: u32 = 3;
/// The rest between two tries to store what was built, doubled from try to try, and the longest.
const STORE_AGAIN: Duration = Duration::from_millis(500);
const STORE_AGAIN_MAX: Duration = Duration::from_secs(15);
/// How long a build in hand may go on after the launcher was asked to end.
const GRACE: Duration = Duration::from_secs(10);

/// One attempt.
pub(crate) struct Attempt<'a> {
    pub(crate) launcher: &'a Launcher,
    pub(crate) build: BuildId,
    pub(crate) job: Job,
    /// What the site is called.
    pub(crate) site: String,
    pub(crate) number: u32,
    pub(crate) record: Record,
}

/// How an attempt ended.
pub(crate) enum Ending {
    /// By itself.
    Ended(Report),
    /// The build is not this attempt's any more.
    TakenAway,
    /// Another attempt shall go on, and why.
    LeftOver(&'static str),
}

/// Why an attempt has no artifact, for the person who reads the build.
#[derive(Debug)]
struct Fault {
    outcome: Outcome,
    message: String,
    commit: Option<CommitId>,
}

impl Attempt<'_> {
    /// Runs to the end, or until `gone` fires. Nothing of it runs on then, and what it has on disk is out of the way.
    pub(crate) async fn run(self, gone: &CancellationToken) -> Ending {
        let folder = self.launcher.installation.work().join(format!("{}-{}", self.build, self.number));
        let (halt, storing) = (CancellationToken::new(), AtomicBool::new(false));
        let ending = {
            let work = self.work(&folder, (&halt, &storing));
            tokio::pin!(work);
            tokio::select! {
                done = &mut work => self.conclude(done, &storing).await,
                cut = self.cut_short(gone, &storing) => {
                    // The container dies and the archive is left before the attempt ends; fetch and upload are dropped.
                    halt.cancel();
                    let _ = work.await;
                    cut
                }
            }
        };
        self.discard(folder).await;
        ending
    }

    async fn conclude(&self, done: Result<(CommitId, Artifact), Fault>, storing: &AtomicBool) -> Ending {
        Ending::Ended(match done {
            Ok((commit, artifact)) => {
                let (files, bytes) = (counted(artifact.files, "file"), counted(artifact.bytes, "byte"));
                self.record.say(format!("done: {files}, {bytes}")).await;
                report(Outcome::Success, String::new(), Some(commit), Some(artifact))
            }
            Err(_) if storing.load(Ordering::Relaxed) => {
                self.record.say("the artifact could not be stored; another attempt follows").await;
                return Ending::LeftOver("the artifact could not be stored");
            }
            Err(Fault { outcome, message, commit }) => {
                self.record.say(&message).await;
                report(outcome, message, commit, None)
            }
        })
    }

    /// What ends an attempt from outside: the build is gone, its time is over, or the launcher ends.
    async fn cut_short(&self, gone: &CancellationToken, storing: &AtomicBool) -> Ending {
        let limit = self.launcher.config.timeout;
        tokio::select! {
            () = gone.cancelled() => {
                self.record.say("canceled").await;
                Ending::TakenAway
            }
            () = tokio::time::sleep(limit) => {
                if storing.load(Ordering::Relaxed) {
                    self.record.say("the artifact could not be stored in time; another attempt follows").await;
                    return Ending::LeftOver("the artifact could not be stored in time");
                }
                let message = format!("The build took longer than {}.", lasting(limit));
                self.record.say(&message).await;
                Ending::Ended(report(Outcome::Timeout, message, self.job.commit.clone(), None))
            }
            () = self.winding_down() => {
                self.record.say("the launcher ends; another one goes on with the build").await;
                Ending::LeftOver("the launcher is shutting down")
            }
        }
    }

    async fn winding_down(&self) {
        self.launcher.stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    }

    async fn work(
        &self,
        folder: &Path,
        (halt, storing): (&CancellationToken, &AtomicBool),
    ) -> Result<(CommitId, Artifact), Fault> {
        let (site, Job { number, branch, engine, .. }) = (&self.site, &self.job);
        let name = self.launcher.engine.name();
        self.record
            .say(format!("build {number} of {site}, attempt {}, on {} with {name}", self.number, self.launcher.worker))
            .await;
        let root = folder.to_owned();
        let made = blocking(move || Workspace::create(root)).await;
        let workspace = made.map_err(|error| platform("prepare a workspace", &error))?;
        let commit = halt.run_until_cancelled(self.fetch(&workspace)).await.unwrap_or_else(|| Err(halted()))?;
        let known = |fault: Fault| Fault { commit: Some(commit.clone()), ..fault };
        let job = spec::Job {
            build: self.build.to_string(),
            site: site.clone(),
            branch: branch.to_string(),
            commit: commit.to_string(),
            repository_url: self.job.repository.to_string(),
            engine: *engine,
            workspace: workspace.clone(),
        };
        self.contain(&job, halt).await.map_err(known)?;
        let tar = folder.join("artifact.tar");
        let Packed { files, bytes } = self.pack(&workspace, (&tar, halt)).await.map_err(known)?;
        storing.store(true, Ordering::Relaxed);
        let key = storage::keys::artifact(self.build, self.number);
        let stored = halt.run_until_cancelled(self.store(&key, &tar)).await.unwrap_or_else(|| Err(halted()));
        stored.map_err(known)?;
        Ok((commit, Artifact { key, files, bytes }))
    }

    async fn fetch(&self, workspace: &Workspace) -> Result<CommitId, Fault> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.check_out(workspace).await {
                Ok(commit) => return Ok(commit),
                Err(error) if error.is_retryable() && tries < FETCH_TRIES => {
                    self.record.say(format!("{}; trying again", chain(&error))).await;
                    tokio::time::sleep(Duration::from_secs(2 << tries)).await;
                }
                Err(error) => {
                    let outcome = if error.is_ours() { Outcome::Error } else { Outcome::Failure };
                    let message = format!("The source could not be fetched: {}.", chain(&error));
                    return Err(Fault { outcome, message, commit: self.job.commit.clone() });
                }
            }
        }
    }

    async fn check_out(&self, workspace: &Workspace) -> Result<CommitId, source::Error> {
        let (repository, branch) = (self.job.repository.as_str(), self.job.branch.as_str());
        let source::Tip { commit, is_new } = match &self.job.commit {
            Some(commit) => source::Tip { commit: commit.clone(), is_new: false },
            None => self.launcher.mirror.tip(repository, branch).await?,
        };
        let fetched = self.launcher.mirror.checkout(repository, commit.as_str(), branch, &workspace.site()).await?;
        let whence = if fetched.from_mirror && !is_new { "already here" } else { "fetched" };
        self.record.say(format!("checked out {} of {branch} ({whence})", commit.short())).await;
        for notice in fetched.notices {
            self.record.say(notice).await;
        }
        Ok(commit)
    }

    async fn contain(&self, job: &spec::Job, halt: &CancellationToken) -> Result<(), Fault> {
        let engine = &self.launcher.engine;
        let failed = |error: &engine::Error| platform("run a container", error);
        engine.sweep(&job.build).await.map_err(|error| failed(&error))?;
        let spec = specify(job, &self.launcher.config.limits);
        let stop = halt.child_token();
        let running = engine.run(&spec, self.record.lines(), stop.clone());
        tokio::pin!(running);
        let (ended, excess) = tokio::select! {
            ended = &mut running => (ended, None),
            excess = disk::exceeded(&job.workspace, &spec.limits) => {
                stop.cancel();
                (running.await, Some(excess))
            }
        };
        let exit = ended.map_err(|error| failed(&error))?;
        if let Some(excess) = excess {
            return Err(Fault { outcome: excess.outcome(), message: excess.message(), commit: None });
        }
        let message = match exit {
            Exit::Code(0) => return Ok(()),
            Exit::Code(code) => format!("The build failed with exit code {code}."),
            Exit::OutOfMemory => "The build needed more memory than it may use.".to_owned(),
            Exit::Stopped => "The build was stopped.".to_owned(),
        };
        Err(Fault { outcome: Outcome::Failure, message, commit: None })
    }

    async fn pack(&self, workspace: &Workspace, (tar, halt): (&Path, &CancellationToken)) -> Result<Packed, Fault> {
        let packing =
            pack::packing(workspace.site(), tar.to_owned(), self.launcher.config.output.clone(), halt.clone());
        let packed = tokio::task::spawn_blocking(packing).await.map_err(|error| platform("pack the site", &error))?;
        packed.map_err(|error| {
            let outcome = if error.is_retryable() { Outcome::Error } else { Outcome::Failure };
            Fault { outcome, message: format!("The site cannot be published: {}.", chain(&error)), commit: None }
        })
    }

    /// Stores the archive, as often as it takes: what was built is not built again because the store is away for a while.
    async fn store(&self, key: &str, tar: &Path) -> Result<(), Fault> {
        let mut pause = STORE_AGAIN;
        loop {
            // The future of the store's client is large and lives on the heap.
            match Box::pin(self.launcher.platform.put_artifact(key, tar)).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_transient() => {
                    tracing::warn!(build = %self.build, error = chain(&error), ?pause, "an artifact waits for the store");
                    self.record.say("the artifact cannot be stored yet; trying again").await;
                }
                Err(error) => return Err(platform("store the artifact", &error)),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(STORE_AGAIN_MAX);
        }
    }

    /// Moves the workspace out of the way at once, and removes it meanwhile: a large one takes longer than a slot may wait.
    async fn discard(&self, folder: PathBuf) {
        let (trash, place) = (self.launcher.installation.trash(), folder.clone());
        match blocking(move || Workspace::at(place).discard(&trash)).await {
            Ok(Some(moved)) => drop(tokio::task::spawn_blocking(move || remove(&moved))),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, folder = %folder.display(), "a workspace could not be removed"),
        }
    }
}

fn report(outcome: Outcome, message: String, commit: Option<CommitId>, artifact: Option<Artifact>) -> Report {
    Report { attempt: 0, commit, outcome, reason: message, artifact, duration_ms: 0 }
}

/// A fault of ours, not of the source.
fn platform(doing: &str, error: &(dyn std::error::Error + 'static)) -> Fault {
    tracing::error!(error, doing, "a build ends in an error of the platform");
    Fault { outcome: Outcome::Error, message: format!("The platform failed to {doing}."), commit: None }
}

/// Nobody reads it: what ended the attempt has its own words.
const fn halted() -> Fault {
    Fault { outcome: Outcome::Error, message: String::new(), commit: None }
}

fn remove(workspace: &Workspace) {
    if let Err(error) = workspace.remove() {
        tracing::warn!(%error, "a workspace could not be removed");
    }
}
