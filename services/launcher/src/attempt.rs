//! One attempt at a build: fetch, run, pack, store.

mod blame;
mod caching;
mod contain;
mod effort;
mod fault;
mod fetch;
mod pack;
mod store;

use crate::blocking;
use crate::interruption::Interruption;
use crate::launch::Launcher;
use crate::output::Packed;
use crate::record::Record;
use crate::sandbox::Sandbox;
use crate::source::Credentials;
use crate::variables::Variables;
use crate::words::{CANCELED, counted, lasting};
use crate::workspace::Workspace;
use blame::Blame;
use effort::Effort;
use events::build::{Job, Report};
use events::event::{Artifact, StepName};
use events::{BuildId, Cause, CommitId, Outcome};
use fault::{Cut, Fault};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long a build in hand may go on after the launcher was asked to end.
const GRACE: Duration = Duration::from_secs(10);

/// An attempt to make.
pub(crate) struct Task {
    pub(crate) build: BuildId,
    /// Which attempt at it this is.
    pub(crate) number: u32,
    pub(crate) job: Job,
    /// What the site is called, for the build to see.
    pub(crate) site: String,
    /// What the site gives it; none if that cannot be read any more.
    pub(crate) variables: Option<Variables>,
    /// What its repository is read by; none if that cannot be read any more.
    pub(crate) credentials: Option<Credentials>,
    pub(crate) sandbox: Arc<Sandbox>,
    /// What its facts follow from.
    pub(crate) cause: Cause,
}

/// One attempt.
pub(crate) struct Attempt<'a> {
    launcher: &'a Launcher,
    task: Task,
    record: Record,
    blame: Blame,
    effort: Effort,
}

/// How an attempt ended.
pub(crate) enum Ending {
    /// By itself, and the build with it.
    Ended(Box<Report>),
    /// The build is not this attempt's any more.
    TakenAway,
    /// Another attempt shall go on.
    Interrupted(Interruption),
}

impl<'a> Attempt<'a> {
    pub(crate) fn new(launcher: &'a Launcher, task: Task, record: Record) -> Self {
        Self { launcher, task, record, blame: Blame::default(), effort: Effort::default() }
    }

    /// Runs to the end, or until `gone` fires. Nothing of it runs on then, and what it has on disk is out of the way.
    pub(crate) async fn run(self, gone: &CancellationToken) -> Ending {
        let folder = self.launcher.installation.work().join(format!("{}-{}", self.task.build, self.task.number));
        let halt = CancellationToken::new();
        let ending = {
            let work = self.work(&folder, &halt);
            tokio::pin!(work);
            tokio::select! {
                done = &mut work => self.conclude(done).await,
                cut = self.cut_short(gone) => {
                    // The container dies before the attempt ends; fetch and upload are dropped, and packing is left to end by
                    // itself at the next piece.
                    halt.cancel();
                    let _ = work.await;
                    cut
                }
            }
        };
        self.discard(folder).await;
        match ending {
            Ending::Ended(report) => Ending::Ended(Box::new(self.effort.told(*report))),
            ending @ (Ending::TakenAway | Ending::Interrupted(_)) => ending,
        }
    }

    async fn conclude(&self, done: Result<(CommitId, Artifact), Cut>) -> Ending {
        match done {
            Ok((commit, artifact)) => {
                let (files, bytes) = (counted(artifact.files, "file"), counted(artifact.bytes, "byte"));
                self.record.say(format!("done: {files}, {bytes}")).await;
                Ending::Ended(fault::report(Outcome::Success, String::new(), Some(commit), Some(artifact)).into())
            }
            Err(Cut::Interrupted(why)) => self.interrupted(why).await,
            Err(Cut::Fault(Fault { outcome, message, commit, hint })) => {
                self.record.say(&message).await;
                let report = fault::report(outcome, message, commit, None);
                Ending::Ended(Report { hint: hint.map(str::to_owned), ..report }.into())
            }
        }
    }

    /// What ends an attempt from outside: the build is gone, its time is over, or the launcher ends.
    async fn cut_short(&self, gone: &CancellationToken) -> Ending {
        let limit = self.launcher.config.timeout;
        tokio::select! {
            () = gone.cancelled() => {
                self.record.say(CANCELED).await;
                Ending::TakenAway
            }
            () = tokio::time::sleep(limit) => match self.to_blame() {
                Some(why) => self.interrupted(why).await,
                None => {
                    let message = format!("The build took longer than {}.", lasting(limit));
                    self.record.say(&message).await;
                    Ending::Ended(fault::report(Outcome::Timeout, message, self.task.job.commit.clone(), None).into())
                }
            },
            () = self.winding_down() => self.interrupted(Interruption::Shutdown).await,
        }
    }

    /// Whose fault it is that the time of the attempt is over, if not that of the build.
    fn to_blame(&self) -> Option<Interruption> {
        let away = self.launcher.presence.sandbox().is_none().then_some(Interruption::Sandbox);
        self.blame.on().or(away)
    }

    async fn interrupted(&self, why: Interruption) -> Ending {
        self.record.say(format!("{} Another attempt follows.", why.reason())).await;
        Ending::Interrupted(why)
    }

    async fn winding_down(&self) {
        self.launcher.stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    }

    async fn work(&self, folder: &Path, halt: &CancellationToken) -> Result<(CommitId, Artifact), Cut> {
        let Task { build, number, job, site, sandbox, .. } = &self.task;
        let (worker, sandbox) = (&self.launcher.worker, sandbox.name());
        let begun = format!("build {} of {site}, attempt {number}, on {worker} with {sandbox}", job.number);
        self.record.say(begun).await;
        if let (Some(upload), Some(commit)) = (&job.upload, &job.commit) {
            let (files, bytes) = (counted(upload.files, "file"), counted(upload.bytes, "byte"));
            self.record.say(format!("nothing to build: {files}, {bytes} were uploaded")).await;
            let key = storage::keys::upload(job.site, upload.list);
            return Ok((commit.clone(), Artifact { key, files: upload.files, bytes: upload.bytes }));
        }
        let mut built = self.built(folder, halt).await?;
        let (commit, cached) = (built.commit.clone(), built.cached.take());
        let tar = folder.join("artifact.tar");
        let key = storage::keys::artifact(*build, *number);
        let publishing = async {
            let packing = halt.run_until_cancelled(self.pack(&built, &tar, halt));
            let Packed { files, bytes } = packing.await.ok_or_else(fault::halted)?.map_err(|cut| cut.at(&commit))?;
            self.blame.put(Interruption::Store);
            halt.run_until_cancelled(self.store(&key, &tar)).await.unwrap_or_else(|| Err(fault::halted()))?;
            Ok::<_, Cut>((files, bytes))
        };
        let keeping = halt.run_until_cancelled(self.keep(&built.workspace, cached));
        let (published, _) = tokio::join!(self.effort.step(StepName::Publish, publishing), keeping);
        let (files, bytes) = published?;
        Ok((commit, Artifact { key, files, bytes }))
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

fn remove(workspace: &Workspace) {
    if let Err(error) = workspace.remove() {
        tracing::warn!(%error, "a workspace could not be removed");
    }
}
