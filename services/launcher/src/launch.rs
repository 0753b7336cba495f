//! The loop of the launcher: takes dispatched builds as slots are free, and sees each to its end.

use crate::attempt::{Attempt, Ending};
use crate::engine::{self, Engine};
use crate::hands::Hands;
use crate::installation::Installation;
use crate::memory::{Known, Memory};
use crate::output::OutputLimits;
use crate::record::Record;
use crate::source::{self, Mirror};
use crate::spec::Limits;
use crate::{blocking, store, sweep, terms};
use events::build::{Command, Job, Report};
use events::{Aggregate as _, Build, BuildEvent, BuildId, Cause, Event, Recorded, Site, SiteId};
use runtime::{Consumer, ExecuteError, Failure, Log, build_log, clock, telemetry};
use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use storage::{PlatformBucket, Storage};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Its name: durable consumer, source of its facts.
pub const NAME: &str = "launcher";
/// How long one run of git may take.
const GIT_TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// How often a build in hand is looked at, whether it is still ours. It must be over within a second when it is not.
const WATCH_EVERY: Duration = Duration::from_millis(250);
/// How long the end of a build is tried to be appended at least, however late it is.
const FINISH_MIN: Duration = Duration::from_secs(60);
/// How long the log of a build is tried to be archived when the build has just left its slot, and by a delivery that comes for
/// nothing else: a store that does not answer must not keep builds waiting.
const ARCHIVE_AT_ONCE: Duration = Duration::from_secs(1);
const ARCHIVE_LATER: Duration = Duration::from_secs(30);
/// The rest between two tries.
const FINISH_AGAIN: Duration = Duration::from_secs(1);
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
    /// What mirrors of repositories may take.
    pub mirrors: source::Space,
    /// What one build may use.
    pub limits: Limits,
    /// What one build may publish.
    pub output: OutputLimits,
}

/// Why the launcher cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data directory cannot be used.
    #[error("failed to use the data directory `{}`", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why; `ResourceBusy` if another launcher has it.
        #[source]
        source: io::Error,
    },
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
    pub(crate) installation: Arc<Installation>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) mirror: Mirror,
    pub(crate) platform: PlatformBucket,
    pub(crate) stop: CancellationToken,
    log: Log,
    hands: Arc<Hands>,
    memory: Memory,
    busy: AtomicUsize,
}

/// A launcher that has found what it needs.
pub struct Prepared {
    config: Config,
    installation: Arc<Installation>,
    memory: Memory,
    engine: Arc<Engine>,
    mirror: Mirror,
    hands: Arc<Hands>,
}

/// An attempt to begin.
struct Work {
    job: Job,
    /// What the site is called, for the build to see.
    site: String,
    number: u32,
}

/// What is to be done about a dispatched build.
enum Next {
    /// Work on it.
    Work(Work),
    /// Say how an attempt of ours ended.
    Say(Report),
    /// It has ended, by somebody else or because too many launchers were lost with it.
    Nothing,
}

/// Takes the data directory, clears away what an earlier life left there, and finds an engine that works here.
///
/// # Errors
/// [`Error`] if another launcher has the data directory, no engine works here or the mirrors cannot be kept.
pub async fn prepare(config: Config) -> Result<Prepared, Error> {
    let root = config.data_dir.clone();
    let open = move || {
        let installation = Installation::open(&root)?;
        sweep::processes(&installation);
        sweep::mirrors(&installation.mirrors());
        let memory = Memory::open(installation.attempts())?;
        Ok((Arc::new(installation), memory))
    };
    let taken = |source| Error::Folder { folder: config.data_dir.clone(), source };
    let (installation, memory) = blocking(open).await.map_err(taken)?;
    let named = engine::Config { installation: installation.name().to_owned(), ..config.engine.clone() };
    let engine = Arc::new(Engine::detect(&named).await.map_err(Error::Engine)?);
    let mirrors = source::Config {
        root: installation.mirrors(),
        rules: config.sources.clone(),
        reader: engine::is_root().then_some(config.engine.identity),
        timeout: GIT_TIMEOUT,
        stall: GIT_STALL,
        space: config.mirrors.clone(),
        limits: config.limits.clone(),
    };
    let mirror = blocking(move || Ok(Mirror::open(mirrors))).await.map_err(taken)?.map_err(Error::Source)?;
    let hands = Arc::default();
    sweep::builds(&installation, &engine, &hands).await;
    Ok(Prepared { config, installation, memory, engine, mirror, hands })
}

/// Runs until `stop` fires; builds in hand are then left to another launcher.
///
/// # Errors
/// [`Error::Log`] if the log cannot be reached.
pub async fn run(prepared: Prepared, log: Log, storage: &Storage, stop: CancellationToken) -> Result<(), Error> {
    let Prepared { config, installation, memory, engine, mirror, hands } = prepared;
    // The same in every life, so that a launcher knows its own attempts.
    let worker = format!("{NAME}-{}", installation.name());
    tracing::info!(worker, engine = engine.name(), slots = config.slots, "building");
    let (slots, platform, busy) = (config.slots, storage.platform(), AtomicUsize::new(0));
    telemetry::metrics::workers("available", slots as u64);
    let places = (Arc::clone(&installation), Arc::clone(&engine), Arc::clone(&hands));
    let (own, stopped) = (log.clone(), stop.clone());
    let remembered = sweep::Remembered { memory: memory.clone(), worker: worker.clone(), log: log.clone() };
    let launcher = Launcher { config, worker, installation, engine, mirror, platform, stop, log, hands, memory, busy };
    let sweeping = Box::pin(async {
        let (installation, engine, hands) = places;
        loop {
            tokio::time::sleep(sweep::SWEEP_EVERY).await;
            sweep::builds(&installation, &engine, &hands).await;
            remembered.sweep(&hands).await;
        }
    });
    // Both live on the heap, so that whoever awaits this need not carry them.
    let consuming = Box::pin(runtime::consumer::run_with(own, launcher, (slots, store::timing()), stopped));
    tokio::select! {
        ended = consuming => ended.map_err(Error::Log),
        never = sweeping => never,
    }
}

impl Consumer for Launcher {
    const NAME: &'static str = NAME;
    const HEARS: &'static [&'static str] = &[Build::KIND];

    async fn handle(&self, recorded: Recorded) -> Result<(), Failure> {
        match &recorded.event {
            Event::Build(BuildEvent::Dispatched { .. }) => {}
            Event::Build(_)
            | Event::Organization(_)
            | Event::Handle(_)
            | Event::Site(_)
            | Event::Host(_)
            | Event::Repository(_)
            | Event::Deploy(_)
            | Event::Alias(_) => return Ok(()),
        }
        let build: BuildId = recorded.envelope.subject.parse().map_err(|error| Failure::Park(Box::new(error)))?;
        let cause = Cause::from_fact(&recorded, NAME);
        let _held = tokio::select! {
            held = self.hands.take(&recorded.envelope.subject) => held,
            () = self.stop.cancelled() => return Err(Failure::Retry("the launcher is shutting down".into())),
        };
        let limit = match self.next(build, &cause).await? {
            Next::Work(work) => {
                self.busy.fetch_add(1, Ordering::Relaxed);
                self.report();
                let ended = self.build(build, work, &cause).await;
                self.busy.fetch_sub(1, Ordering::Relaxed);
                self.report();
                ended?;
                ARCHIVE_AT_ONCE
            }
            Next::Say(report) => {
                self.finish(build, report, (&cause, Instant::now())).await?;
                ARCHIVE_LATER
            }
            Next::Nothing => {
                self.forget(build).await;
                ARCHIVE_LATER
            }
        };
        let archived = tokio::time::timeout(limit, self.archive(build, &cause)).await;
        archived.unwrap_or_else(|_| Err(Failure::Retry("the log of the build waits for the store".into())))
    }
}

impl Launcher {
    /// Goes on with an attempt of this launcher whose work had not begun, or whose end is known; else takes the build for
    /// the next attempt.
    async fn next(&self, build: BuildId, cause: &Cause) -> Result<Next, Failure> {
        let state = self.log.load::<Build>(&build.to_string()).await?.state;
        let Some(job) = state.job() else { return Ok(Next::Nothing) };
        // Whatever can fail or has to wait comes before the attempt, or it would use attempts up.
        let site = self.name_of(job.site).await?;
        if let Some(number) = state.attempt_of(&self.worker) {
            match self.memory.recall(build, number).await {
                Known::Nothing => return Ok(work(&state, site, number)),
                Known::Ended(report) => return Ok(Next::Say(report)),
                Known::Begun => {}
            }
        }
        // The next attempt is a fact of its own, though the same delivery asks for it again.
        let cause = Cause { id: Some(clock::new_id()), ..cause.clone() };
        let command = Command::Start { worker: self.worker.clone() };
        match self.log.execute::<Build>(&build.to_string(), &command, &cause).await {
            Ok(_) => {}
            Err(ExecuteError::Refused(refusal)) => {
                tracing::info!(%build, %refusal, "nothing to build");
                return Ok(Next::Nothing);
            }
            Err(ExecuteError::Failed(error)) => return Err(error.into()),
        }
        let state = self.log.load::<Build>(&build.to_string()).await?.state;
        Ok(state.attempt_of(&self.worker).map_or(Next::Nothing, |number| work(&state, site, number)))
    }

    /// What a site is called, for its builds to see.
    async fn name_of(&self, site: SiteId) -> Result<String, Failure> {
        Ok(match self.log.load::<Site>(&site.to_string()).await?.state {
            Site::Active(active) => active.name.to_string(),
            Site::Unknown | Site::Deleted => site.to_string(),
        })
    }

    async fn build(&self, build: BuildId, Work { job, site, number }: Work, cause: &Cause) -> Result<(), Failure> {
        let started = Instant::now();
        let engine = terms::engine(job.engine);
        let writer = build_log::Writer::open(self.log.connection(), build).await?;
        if let Err(error) = self.memory.begin(build, number).await {
            tracing::warn!(%build, %error, "the attempt is not counted if this process is lost with it");
        }
        let (record, written) = Record::start(writer);
        let gone = CancellationToken::new();
        let attempt = Attempt { launcher: self, build, job, site, number, record };
        let ending = tokio::select! {
            ending = attempt.run(&gone) => ending,
            never = self.watch(build, number, &gone) => match never {},
        };
        let mut report = match ending {
            Ending::Ended(report) => report,
            Ending::TakenAway => {
                written.await;
                self.forget(build).await;
                return Ok(());
            }
            Ending::LeftOver(why) => {
                written.await;
                return Err(Failure::Retry(why.into()));
            }
        };
        report.attempt = number;
        report.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        telemetry::metrics::build_ended(terms::result(report.outcome), engine, started.elapsed());
        if let Err(error) = self.memory.end(build, &report).await {
            tracing::warn!(%build, %error, "the end of a build is remembered only as long as this process lives");
        }
        // Every line is in the log before the fact that ends it.
        written.await;
        self.finish(build, report, (cause, started + self.config.timeout)).await
    }

    /// States how an attempt ended. While the log is away it is tried again until the deadline; after that the end is still
    /// remembered, for the next delivery.
    async fn finish(
        &self,
        build: BuildId,
        report: Report,
        (cause, deadline): (&Cause, Instant),
    ) -> Result<(), Failure> {
        let deadline = deadline.max(Instant::now() + FINISH_MIN);
        let command = Command::Finish(report);
        loop {
            let failure = match self.log.execute::<Build>(&build.to_string(), &command, cause).await {
                Ok(_) => break,
                Err(ExecuteError::Refused(refusal)) => {
                    tracing::info!(%build, %refusal, "the build was ended by somebody else");
                    break;
                }
                Err(ExecuteError::Failed(error)) => Failure::from(error),
            };
            if matches!(failure, Failure::Park(_)) || self.stop.is_cancelled() || Instant::now() >= deadline {
                return Err(failure);
            }
            tracing::warn!(%build, error = runtime::error::chain(&failure), "the end of a build waits for the log");
            tokio::time::sleep(FINISH_AGAIN).await;
        }
        self.forget(build).await;
        Ok(())
    }

    async fn forget(&self, build: BuildId) {
        if let Err(error) = self.memory.forget(build).await {
            tracing::warn!(%build, %error, "what is remembered of a build could not be removed");
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
        store::archive(&self.platform, &key, text.into()).await?;
        let archived = Command::ArchiveLog { key, bytes };
        match self.log.execute::<Build>(&build.to_string(), &archived, cause).await {
            Ok(_) | Err(ExecuteError::Refused(_)) => Ok(()),
            Err(ExecuteError::Failed(error)) => Err(error.into()),
        }
    }

    /// Fires `gone` when the build is no longer this attempt's: canceled, ended or taken over. The attempt then stops its
    /// container and ends by itself, so this never does.
    async fn watch(&self, build: BuildId, number: u32, gone: &CancellationToken) -> Infallible {
        let mut ticks = tokio::time::interval(WATCH_EVERY);
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

fn work(state: &Build, site: String, number: u32) -> Next {
    state.job().map_or(Next::Nothing, |job| Next::Work(Work { job: job.clone(), site, number }))
}
