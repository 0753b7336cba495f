//! The loop of the launcher: takes dispatched builds as slots are free, and sees each to its end.

use crate::attempt::{Attempt, Ending};
use crate::engine::{self, Engine};
use crate::output::OutputLimits;
use crate::record::Record;
use crate::source::{self, Mirror};
use crate::spec::Limits;
use events::build::{Command, Job, Report};
use events::{Aggregate as _, Build, BuildEvent, BuildId, Cause, Event, Outcome, Recorded};
use runtime::{Consumer, ExecuteError, Failure, Log, build_log, clock, telemetry};
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use storage::{PlatformBucket, Storage};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Its name: durable consumer, source of its facts.
pub const NAME: &str = "launcher";
/// How long one run of git may take.
const GIT_TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// How long a repository's server may send next to nothing.
const GIT_STALL: Duration = Duration::from_secs(30);

/// How builds are run here.
#[derive(Debug, Clone)]
pub struct Config {
    /// Builds at the same time.
    pub slots: usize,
    /// Folder of mirrors and workspaces; of one launcher alone.
    pub data_dir: PathBuf,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// Which engine runs them.
    pub engine: engine::Config,
    /// Where sources may be.
    pub sources: source::Rules,
    /// What one build may use.
    pub limits: Limits,
    /// What one build may publish.
    pub output: OutputLimits,
}

/// Why the launcher cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing here can run a container.
    #[error("no build can run here")]
    Engine(#[source] engine::Error),
    /// The mirrors cannot be kept.
    #[error("failed to prepare the mirrors")]
    Source(#[source] source::Error),
    /// The log failed.
    #[error("failed to listen to the log")]
    Log(#[source] runtime::Error),
}

pub(crate) struct Launcher {
    pub(crate) config: Config,
    pub(crate) worker: String,
    pub(crate) engine: Engine,
    pub(crate) mirror: Mirror,
    pub(crate) platform: PlatformBucket,
    pub(crate) stop: CancellationToken,
    log: Log,
    busy: AtomicUsize,
}

/// A launcher that has found what it needs.
pub struct Prepared {
    config: Config,
    engine: Engine,
    mirror: Mirror,
}

/// Finds an engine that works here, and the mirrors.
///
/// # Errors
/// [`Error`] if no engine works here or the mirrors cannot be kept.
pub async fn prepare(config: Config) -> Result<Prepared, Error> {
    let engine = Engine::detect(&config.engine).await.map_err(Error::Engine)?;
    let mirror = Mirror::open(source::Config {
        root: config.data_dir.join("mirrors"),
        rules: config.sources.clone(),
        reader: engine::is_root().then_some(config.engine.identity),
        timeout: GIT_TIMEOUT,
        stall: GIT_STALL,
    });
    let mirror = mirror.map_err(Error::Source)?;
    Ok(Prepared { config, engine, mirror })
}

/// Runs until `stop` fires; builds in hand are then left to another launcher.
///
/// # Errors
/// [`Error::Log`] if the log cannot be reached.
pub async fn run(prepared: Prepared, log: Log, storage: &Storage, stop: CancellationToken) -> Result<(), Error> {
    let Prepared { config, engine, mirror } = prepared;
    let worker = format!("{NAME}-{}", &clock::new_id().simple().to_string()[20..]);
    tracing::info!(worker, engine = engine.name(), slots = config.slots, "building");
    let (slots, platform, busy) = (config.slots, storage.platform(), AtomicUsize::new(0));
    telemetry::metrics::workers("available", slots as u64);
    let launcher = Launcher { config, worker, engine, mirror, platform, stop: stop.clone(), log: log.clone(), busy };
    runtime::consumer::run(log, launcher, slots, stop).await.map_err(Error::Log)
}

impl Consumer for Launcher {
    const NAME: &'static str = NAME;
    const HEARS: &'static [&'static str] = &[Build::KIND];

    async fn handle(&self, recorded: Recorded) -> Result<(), Failure> {
        match &recorded.event {
            Event::Build(BuildEvent::Dispatched { .. }) => {}
            Event::Build(_) | Event::Site(_) | Event::Repository(_) | Event::Deploy(_) | Event::Alias(_) => {
                return Ok(());
            }
        }
        let build: BuildId = recorded.envelope.subject.parse().map_err(|error| Failure::Park(Box::new(error)))?;
        let cause = Cause::from_fact(&recorded, NAME);
        if let Some((job, number)) = self.start(build, &cause).await? {
            self.busy.fetch_add(1, Ordering::Relaxed);
            self.report();
            let ended = self.build(build, (job, number), &cause).await;
            self.busy.fetch_sub(1, Ordering::Relaxed);
            self.report();
            ended?;
        }
        self.archive(build, &cause).await
    }
}

impl Launcher {
    /// Takes the build; `None` if it has ended, by somebody else or because too many launchers were lost with it.
    async fn start(&self, build: BuildId, cause: &Cause) -> Result<Option<(Job, u32)>, Failure> {
        // Each delivery is an attempt of its own, so its fact has an identity of its own.
        let cause = Cause { id: Some(clock::new_id()), ..cause.clone() };
        let command = Command::Start { worker: self.worker.clone() };
        match self.log.execute::<Build>(&build.to_string(), &command, &cause).await {
            Ok(_) => {}
            Err(ExecuteError::Refused(refusal)) => {
                tracing::info!(%build, %refusal, "nothing to build");
                return Ok(None);
            }
            Err(ExecuteError::Failed(error)) => return Err(error.into()),
        }
        let loaded = self.log.load::<Build>(&build.to_string()).await?.state;
        Ok(loaded.running_attempt().and_then(|number| Some((loaded.job()?.clone(), number))))
    }

    async fn build(&self, build: BuildId, (job, number): (Job, u32), cause: &Cause) -> Result<(), Failure> {
        let started = Instant::now();
        let engine = spec_name(&job);
        let writer = build_log::Writer::open(self.log.connection(), build).await?;
        let (record, written) = Record::start(writer);
        let gone = CancellationToken::new();
        let attempt = Attempt { launcher: self, build, job, number, record };
        let ending = tokio::select! {
            ending = attempt.run(&gone) => ending,
            never = self.watch(build, number, &gone) => match never {},
        };
        // Every line is in the log before the fact that ends it.
        written.await;
        match ending {
            Ending::TakenAway => Ok(()),
            Ending::LeftOver => Err(Failure::Retry("the launcher is shutting down".into())),
            Ending::Ended(mut report) => {
                report.attempt = number;
                report.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                telemetry::metrics::build_ended(result(report.outcome), engine, started.elapsed());
                self.finish(build, report, cause).await
            }
        }
    }

    async fn finish(&self, build: BuildId, report: Report, cause: &Cause) -> Result<(), Failure> {
        match self.log.execute::<Build>(&build.to_string(), &Command::Finish(report), cause).await {
            Ok(_) => Ok(()),
            Err(ExecuteError::Refused(refusal)) => {
                tracing::info!(%build, %refusal, "the build was ended by somebody else");
                Ok(())
            }
            Err(ExecuteError::Failed(error)) => Err(error.into()),
        }
    }

    /// Moves the log of an ended build to the object store, if that has not been done.
    async fn archive(&self, build: BuildId, cause: &Cause) -> Result<(), Failure> {
        let state = self.log.load::<Build>(&build.to_string()).await?.state;
        if !matches!(state, Build::Ended { archived: false, .. }) {
            return Ok(());
        }
        let chunks = build_log::read(self.log.connection(), build).await?;
        let text: Vec<u8> = chunks.into_iter().flat_map(|chunk| chunk.text.to_vec()).collect();
        let (key, bytes) = (storage::keys::log(build), text.len() as u64);
        self.platform.put_log(&key, text.into()).await.map_err(stored)?;
        let archived = Command::ArchiveLog { key, bytes };
        match self.log.execute::<Build>(&build.to_string(), &archived, cause).await {
            Ok(_) | Err(ExecuteError::Refused(_)) => Ok(()),
            Err(ExecuteError::Failed(error)) => Err(error.into()),
        }
    }

    /// Fires `gone` when the build is no longer this attempt's: canceled, ended or taken over. The attempt then stops its
    /// container and ends by itself, so this never does.
    async fn watch(&self, build: BuildId, number: u32, gone: &CancellationToken) -> Infallible {
        let mut ticks = tokio::time::interval(Duration::from_millis(500));
        loop {
            ticks.tick().await;
            let Ok(loaded) = self.log.load::<Build>(&build.to_string()).await else { continue };
            if loaded.state.running_attempt() != Some(number) {
                gone.cancel();
            }
        }
    }

    fn report(&self) {
        let busy = self.busy.load(Ordering::Relaxed);
        telemetry::metrics::workers("busy", busy as u64);
        telemetry::metrics::workers("available", self.config.slots.saturating_sub(busy) as u64);
    }
}

pub(crate) fn stored(error: storage::Error) -> Failure {
    if error.is_transient() { Failure::Retry(error.into()) } else { Failure::Park(error.into()) }
}

fn spec_name(job: &Job) -> &'static str {
    match job.engine {
        events::SiteEngine::Static => "static",
        events::SiteEngine::NodeJs => "node.js",
        events::SiteEngine::Hugo => "hugo",
    }
}

/// The result as the CI/CD conventions of OpenTelemetry name it.
const fn result(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "success",
        Outcome::Failure => "failure",
        Outcome::Error => "error",
        Outcome::Timeout => "timeout",
    }
}
