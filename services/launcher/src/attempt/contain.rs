//! The build itself, in a container: again from the start when the sandbox was lost on the way.

use super::Attempt;
use super::caching::Cached;
use super::effort::Contained;
use super::fault::{self, Cut, Fault, halted, of_files, platform};
use crate::brought::Brought;
use crate::config::Config;
use crate::diagnosis::{Diagnosis, diagnose};
use crate::gate::Gate;
use crate::interruption::Interruption;
use crate::sandbox::{self, Ended, Exit};
use crate::spec::{self, ContainerSpec, Limits, specify};
use crate::terms;
use crate::variables::Variables;
use crate::words::gigabytes;
use crate::workspace::Workspace;
use crate::{blocking, disk};
use events::build::Job;
use events::engine::{Detected, detect};
use events::event::StepName;
use events::{CommitId, Folder, Network, Outcome, SiteEngine, Size};
use runtime::clock;
use runtime::error::chain;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

/// The rest before a sandbox that was lost is asked whether it works, doubled from time to time, and the longest.
const SANDBOX_AGAIN: Duration = Duration::from_millis(500);
const SANDBOX_AGAIN_MAX: Duration = Duration::from_secs(5);

/// Names that are looked at to tell an engine: a folder of more tells nothing by the rest.
const NAMES_MAX: usize = 10_000;

/// Why the container did not do its work.
enum Stopped {
    Fault(Fault),
    Sandbox(sandbox::Error),
    /// There is no room for what it writes.
    Disk,
}

/// A build that did its work.
pub(super) struct Built {
    pub(super) workspace: Workspace,
    pub(super) commit: CommitId,
    /// What the repository says of it.
    pub(super) brought: Brought,
    /// What it had of earlier builds; none if it leaves nothing to later ones.
    pub(super) cached: Option<Cached>,
}

impl Attempt<'_> {
    /// Fetches the source and builds it. A sandbox that is away is waited for, however long that takes.
    pub(super) async fn built(&self, folder: &Path, halt: &CancellationToken) -> Result<Built, Cut> {
        let variables = self.task.variables.as_ref().ok_or_else(fault::unreadable)?;
        let (mut known, mut pause) = (self.task.job.commit.clone(), SANDBOX_AGAIN);
        loop {
            let root = folder.to_owned();
            let made = blocking(move || Workspace::create(root)).await;
            let workspace = made.map_err(|error| of_files("prepare a workspace", &error))?;
            // What speaks to git is large, and lives on the heap.
            let fetching = Box::pin(async {
                let fetched = halt.run_until_cancelled(self.fetch(&workspace, known.as_ref())).await;
                fetched.unwrap_or_else(|| Err(halted()))
            });
            let (commit, brought) = self.effort.step(StepName::Clone, fetching).await?;
            let of_commit = |fault: Fault| Fault { commit: Some(commit.clone()), ..fault };
            let engine = self.engine(&workspace).await;
            let job = spec::Inputs { variables: variables.clone(), engine, ..self.describe(&workspace, &commit) };
            let started_at = clock::now();
            let cached = halt.run_until_cancelled(self.restore(&job, &brought)).await.ok_or_else(halted)?;
            let contained = self.contain(&job, started_at, halt).await;
            let error = match contained {
                Ok(()) => return Ok(Built { workspace, commit, brought, cached }),
                Err(_) if halt.is_cancelled() => return Err(halted()),
                Err(Stopped::Fault(found)) => return Err(of_commit(found).into()),
                Err(Stopped::Disk) => return Err(Cut::Interrupted(Interruption::Disk)),
                Err(Stopped::Sandbox(error)) if error.is_about_disk() => {
                    return Err(Cut::Interrupted(Interruption::Disk));
                }
                Err(Stopped::Sandbox(error)) => error,
            };
            if !self.is_lost(&error).await {
                return Err(of_commit(platform("run a container", &error)).into());
            }
            halt.run_until_cancelled(self.outlast(&error, &mut pause)).await.ok_or_else(halted)?;
            known = Some(commit);
        }
    }

    fn describe(&self, workspace: &Workspace, commit: &CommitId) -> spec::Inputs {
        spec::Inputs {
            build: self.task.build.to_string(),
            site: self.task.site.clone(),
            branch: self.task.job.branch.to_string(),
            commit: commit.to_string(),
            repository_url: self.task.job.repository.to_string(),
            engine: self.task.job.engine,
            recipe: self.task.job.recipe.clone(),
            alias: self.task.job.alias.clone(),
            workspace: workspace.clone(),
            variables: Variables::default(),
        }
    }

    /// The engine of the site, or the one that its files speak for. Names are looked at, and no link is followed.
    async fn engine(&self, workspace: &Workspace) -> SiteEngine {
        let Job { engine, recipe, .. } = &self.task.job;
        if *engine != SiteEngine::Auto {
            return *engine;
        }
        let (workspace, base) = (workspace.clone(), recipe.base_directory.clone());
        let names = blocking(move || names_in(&workspace, base.as_ref())).await.unwrap_or_default();
        let Detected { engine, because } = detect(&names.iter().map(String::as_str).collect::<Vec<_>>());
        self.record.say(format!("engine: {}, because {because}", terms::engine(engine))).await;
        engine
    }

    async fn contain(
        &self,
        job: &spec::Inputs,
        started_at: OffsetDateTime,
        halt: &CancellationToken,
    ) -> Result<(), Stopped> {
        let swept = halt.run_until_cancelled(self.task.sandbox.sweep(&job.build)).await;
        swept.unwrap_or(Ok(())).map_err(Stopped::Sandbox)?;
        let (spec, gate) = self.connected(job, specify(job, &self.limits())).map_err(Stopped::Fault)?;
        let stop = halt.child_token();
        let running = self.task.sandbox.run(&spec, self.record.lines(), stop.clone());
        tokio::pin!(running);
        let (ended, excess) = tokio::select! {
            ended = &mut running => (ended, None),
            excess = disk::exceeded(&job.workspace, &spec.limits, |bytes| self.effort.on_disk(bytes)) => {
                stop.cancel();
                (running.await, Some(excess))
            }
        };
        self.account(job, started_at, ended.as_ref().ok(), halt).await;
        if let Some(told) = gate.and_then(|gate| gate.told()) {
            self.record.say(told).await;
        }
        let Ended { exit, used } = ended.map_err(Stopped::Sandbox)?;
        let failed = |message, hint| Stopped::Fault(Fault { outcome: Outcome::Failure, message, commit: None, hint });
        let failure = |message| Err(failed(message, None));
        if let Some(excess) = excess {
            return excess.fault().map_or(Err(Stopped::Disk), failure);
        }
        let message = match exit {
            Exit::Code(0) => return Ok(()),
            // Most likely it says so itself, in words of its own.
            Exit::Code(_) if disk::is_short_of(&job.workspace, &spec.limits).await => return Err(Stopped::Disk),
            Exit::Code(code) => {
                let Diagnosis { reason, hint } = diagnose(&self.record.last().await, code);
                return Err(failed(reason, hint));
            }
            Exit::OutOfMemory => {
                let limit = spec.limits.memory_bytes;
                let peak = used.memory_peak_bytes.map_or(limit, |peak| peak.min(limit));
                format!("The build ran out of memory: {} of {}.", gigabytes(peak), gigabytes(limit))
            }
            Exit::Stopped => "The build was stopped.".to_owned(),
        };
        failure(message)
    }

    /// What this build may use.
    fn limits(&self) -> Limits {
        let Config { limits, large_memory_bytes, .. } = &self.launcher.config;
        let memory_bytes = match self.task.job.recipe.size {
            Size::Standard => limits.memory_bytes,
            Size::Large => *large_memory_bytes,
        };
        Limits { memory_bytes, ..limits.clone() }
    }

    /// The container with its way to the network, if the site's builds have one. What is refused there is in the log at once.
    fn connected(&self, job: &spec::Inputs, spec: ContainerSpec) -> Result<(ContainerSpec, Option<Gate>), Fault> {
        let network = job.recipe.network;
        if network == Network::None {
            return Ok((spec, None));
        }
        let folder = job.workspace.gate();
        let opened = Gate::open(&folder, Arc::clone(&self.launcher.config.network), network);
        let (gate, mut said) = opened.map_err(|error| platform("open a way to the network", &error))?;
        let record = self.record.clone();
        tokio::spawn(async move {
            while let Some(line) = said.recv().await {
                record.say(line).await;
            }
        });
        Ok((spec.through(folder), Some(gate)))
    }

    /// Notes what a container did and took. A build that is given up leaves nobody waiting until its files are counted.
    async fn account(
        &self,
        job: &spec::Inputs,
        started_at: OffsetDateTime,
        ended: Option<&Ended>,
        halt: &CancellationToken,
    ) {
        let ready_at = self.record.ready_at().await;
        self.effort.contained(&Contained { started_at, ready_at, exit: ended.map(|ended| ended.exit) });
        if let Some(Ended { used, .. }) = ended {
            self.effort.used(*used);
        }
        if let Some(Some(bytes)) = halt.run_until_cancelled(disk::taken_by(&job.workspace)).await {
            self.effort.on_disk(bytes);
        }
    }

    /// Whether the sandbox failed as a whole, and not just in this.
    async fn is_lost(&self, error: &sandbox::Error) -> bool {
        error.is_away() || self.task.sandbox.check().await.is_err()
    }

    /// Waits until the sandbox works again.
    async fn outlast(&self, error: &sandbox::Error, pause: &mut Duration) {
        self.blame.put(Interruption::Sandbox);
        tracing::warn!(build = %self.task.build, error = chain(error), "a build waits for the sandbox");
        self.record.say("the build sandbox cannot be reached; waiting for it").await;
        loop {
            tokio::time::sleep(*pause).await;
            *pause = (*pause * 2).min(SANDBOX_AGAIN_MAX);
            if self.task.sandbox.check().await.is_ok() {
                break;
            }
        }
        self.effort.start_over();
        self.record.say("the build sandbox is back; starting over").await;
    }
}

/// What is in the folder of a site. A folder that is reached by a link has nothing in it.
fn names_in(workspace: &Workspace, base: Option<&Folder>) -> io::Result<Vec<String>> {
    let Some(folder) = workspace.folder_of(base)? else { return Ok(Vec::new()) };
    let entries = folder.read_dir()?.flatten().take(NAMES_MAX);
    Ok(entries.filter_map(|entry| entry.file_name().into_string().ok()).collect())
}
