//! One attempt at a build: fetch, run, pack, store.

use crate::engine::Exit;
use crate::launch::Launcher;
use crate::output::{self, Packed};
use crate::record::Record;
use crate::spec::{self, specify};
use crate::words::{counted, lasting};
use crate::workspace::Workspace;
use crate::{engine, source};
use events::build::{Job, Report};
use events::event::Artifact;
use events::{BuildId, CommitId, Outcome};
use runtime::error::chain;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often a repository that does not answer is asked within an attempt.
const FETCH_TRIES: u32 = 3;
/// How long a build in hand may go on after the launcher was asked to end.
const GRACE: Duration = Duration::from_secs(10);

/// One attempt.
pub(crate) struct Attempt<'a> {
    pub(crate) launcher: &'a Launcher,
    pub(crate) build: BuildId,
    pub(crate) job: Job,
    pub(crate) number: u32,
    pub(crate) record: Record,
}

/// How an attempt ended.
pub(crate) enum Ending {
    /// By itself.
    Ended(Report),
    /// The build is not this attempt's any more.
    TakenAway,
    /// The launcher ends; another shall go on.
    LeftOver,
}

/// Why an attempt has no artifact, for the person who reads the build.
#[derive(Debug)]
struct Fault {
    outcome: Outcome,
    message: String,
    commit: Option<CommitId>,
}

impl Attempt<'_> {
    /// Runs to the end, or until `gone` fires. Nothing of it is left on this machine.
    pub(crate) async fn run(self, gone: &CancellationToken) -> Ending {
        let folder = self.launcher.config.data_dir.join("work").join(format!("{}-{}", self.build, self.number));
        let halt = CancellationToken::new();
        let ending = {
            let work = self.work(&folder, &halt);
            tokio::pin!(work);
            let cut = tokio::select! {
                done = &mut work => return self.conclude(done, &folder).await,
                cut = self.cut_short(gone) => cut,
            };
            // The container dies before the attempt ends.
            halt.cancel();
            let _ = work.await;
            cut
        };
        remove(&folder);
        ending
    }

    async fn conclude(&self, done: Result<(CommitId, Artifact), Fault>, folder: &Path) -> Ending {
        remove(folder);
        Ending::Ended(match done {
            Ok((commit, artifact)) => {
                let (files, bytes) = (counted(artifact.files, "file"), counted(artifact.bytes, "byte"));
                self.record.say(format!("done: {files}, {bytes}")).await;
                report(Outcome::Success, String::new(), Some(commit), Some(artifact))
            }
            Err(Fault { outcome, message, commit }) => {
                self.record.say(&message).await;
                report(outcome, message, commit, None)
            }
        })
    }

    /// What ends an attempt from outside: the build is gone, its time is over, or the launcher ends.
    async fn cut_short(&self, gone: &CancellationToken) -> Ending {
        let limit = self.launcher.config.timeout;
        tokio::select! {
            () = gone.cancelled() => {
                self.record.say("canceled").await;
                Ending::TakenAway
            }
            () = tokio::time::sleep(limit) => {
                let message = format!("The build took longer than {}.", lasting(limit));
                self.record.say(&message).await;
                Ending::Ended(report(Outcome::Timeout, message, self.job.commit.clone(), None))
            }
            () = self.winding_down() => {
                self.record.say("the launcher ends; another one goes on with the build").await;
                Ending::LeftOver
            }
        }
    }

    async fn winding_down(&self) {
        self.launcher.stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    }

    async fn work(&self, folder: &Path, halt: &CancellationToken) -> Result<(CommitId, Artifact), Fault> {
        let Job { site, number, branch, engine, .. } = &self.job;
        let name = self.launcher.engine.name();
        self.record
            .say(format!("build {number} of {site}, attempt {}, on {} with {name}", self.number, self.launcher.worker))
            .await;
        let workspace = Workspace::create(folder).map_err(|error| platform("prepare a workspace", &error))?;
        let commit = self.fetch(&workspace).await?;
        let known = |fault: Fault| Fault { commit: Some(commit.clone()), ..fault };
        let job = spec::Job {
            build: self.build.to_string(),
            site: site.to_string(),
            branch: branch.to_string(),
            commit: commit.to_string(),
            repository_url: self.job.repository.to_string(),
            engine: *engine,
            workspace: workspace.clone(),
        };
        self.contain(&job, halt).await.map_err(known)?;
        let artifact = self.store(&workspace, folder).await.map_err(known)?;
        Ok((commit, artifact))
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
        let commit = match &self.job.commit {
            Some(commit) => commit.clone(),
            None => self.launcher.mirror.tip(repository, branch).await?,
        };
        let fetched = self.launcher.mirror.checkout(repository, commit.as_str(), branch, &workspace.site()).await?;
        let whence = if fetched.from_mirror { " (from the mirror)" } else { "" };
        self.record.say(format!("checked out {} of {branch}{whence}", commit.short())).await;
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
        let exit = engine.run(&spec, self.record.lines(), halt.clone()).await.map_err(|error| failed(&error))?;
        let message = match exit {
            Exit::Code(0) => return Ok(()),
            Exit::Code(code) => format!("The build failed with exit code {code}."),
            Exit::OutOfMemory => "The build needed more memory than it may use.".to_owned(),
            Exit::Stopped => "The build was stopped.".to_owned(),
        };
        Err(Fault { outcome: Outcome::Failure, message, commit: None })
    }

    async fn store(&self, workspace: &Workspace, folder: &Path) -> Result<Artifact, Fault> {
        let (site, tar, limits) = (workspace.site(), folder.join("artifact.tar"), self.launcher.config.output.clone());
        let packing = pack(site, tar.clone(), limits);
        let packed = tokio::task::spawn_blocking(packing).await.map_err(|error| platform("pack the site", &error))?;
        let Packed { files, bytes } = packed.map_err(|error| {
            let outcome = if error.is_retryable() { Outcome::Error } else { Outcome::Failure };
            Fault { outcome, message: format!("The site cannot be published: {}.", chain(&error)), commit: None }
        })?;
        let key = storage::keys::artifact(self.build, self.number);
        let put = self.launcher.platform.put_artifact(&key, &tar).await;
        put.map_err(|error| platform("store the artifact", &error))?;
        Ok(Artifact { key, files, bytes })
    }
}

fn pack(
    site: PathBuf,
    tar: PathBuf,
    limits: output::OutputLimits,
) -> impl FnOnce() -> Result<Packed, output::Error> + Send {
    move || {
        let failed = |source| output::Error::Io { path: "artifact.tar".to_owned(), source };
        let mut file = BufWriter::new(std::fs::File::create(tar).map_err(failed)?);
        let packed = output::pack(&site, &mut file, &limits)?;
        file.flush().map_err(failed)?;
        Ok(packed)
    }
}

fn report(outcome: Outcome, message: String, commit: Option<CommitId>, artifact: Option<Artifact>) -> Report {
    Report { attempt: 0, commit, outcome, message, artifact, duration_ms: 0 }
}

/// A fault of ours, not of the source.
fn platform(doing: &str, error: &(dyn std::error::Error + 'static)) -> Fault {
    tracing::error!(error, doing, "a build ends in an error of the platform");
    Fault { outcome: Outcome::Error, message: format!("The platform failed to {doing}."), commit: None }
}

fn remove(folder: &Path) {
    if let Err(error) = Workspace::at(folder).remove() {
        tracing::warn!(%error, folder = %folder.display(), "a workspace could not be removed");
    }
}
