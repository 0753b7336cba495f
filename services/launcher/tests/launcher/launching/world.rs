//! A log with builds to take, a launcher that takes them, and servers that take connections and never answer.

use super::docker_line;
use super::limits::kinds;
use dialer::Dialer;
use events::address::Allowed;
use events::build::{Command, Job};
use events::{Actor, Build, BuildEvent, BuildId, Cause, Event, SiteEngine};
use launcher::output::OutputLimits;
use launcher::sandbox::{self, Kind};
use launcher::source::{Rules, Space};
use launcher::spec::Limits;
use launcher::{Config, Parts};
use runtime::health::{Need, PartReport};
use runtime::{Connection, Health, Log, build_log, clock, streams};
use secrecy::SecretString;
use servers::nats::{self, Server};
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use storage::Storage;
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
/// Each byte of the key that launchers have.
pub(crate) const BUILD_KEY: &str = "5a";
/// How long a slot may be held by a build that is canceled or whose time is over.
pub(crate) const AT_ONCE: Duration = Duration::from_secs(1);

pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) server: Server,
    log: Log,
    builds: Mutex<Vec<BuildId>>,
}

/// What a launcher did not come to remove because its test was over.
impl Drop for World {
    fn drop(&mut self) {
        if kinds().contains(&Kind::Docker) {
            for build in self.builds.lock().unwrap().iter() {
                docker_line::remove(&format!("{}={build}", launcher::spec::LABEL));
            }
        }
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let server = Server::start(&folder.path().join("nats"), 0).await.unwrap();
        let (url, nats) = (server.url(), folder.path().join("nats"));
        streams::provision(&connect(&url, &nats, "ctl").await, 1).await.unwrap();
        let log = Log::new(connect(&url, &nats, "scheduler").await);
        Self { folder, server, log, builds: Mutex::default() }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("launcher")
    }

    pub(crate) fn nats(&self) -> PathBuf {
        self.folder.path().join("nats")
    }

    pub(crate) fn config(&self) -> Config {
        config(self.data(), Kind::Bubblewrap)
    }

    /// A launcher that runs until it is dropped.
    pub(crate) async fn launch(&self, config: Config, s3: SocketAddr) -> Launched {
        let log = Log::new(connect(&self.server.url(), &self.nats(), "launcher").await);
        launch(config, log, s3).await
    }

    /// A repository whose `pages` script is `script`.
    pub(crate) fn repository(&self, name: &str, script: &str) -> String {
        let folder = self.folder.path().join(name);
        fs::create_dir(&folder).unwrap();
        let package = serde_json::json!({ "name": "x", "scripts": { "pages": script } });
        fs::write(folder.join("package.json"), package.to_string()).unwrap();
        for arguments in [&["init", "-q", "-b", "main"][..], &["add", "-A"], &["commit", "-q", "-m", "x"]] {
            let mut git = std::process::Command::new("git");
            git.args(["-c", "user.name=n", "-c", "user.email=e@example.org"]).args(arguments).current_dir(&folder);
            assert!(git.env("GIT_CONFIG_GLOBAL", "/dev/null").status().unwrap().success());
        }
        format!("file://{}", folder.display())
    }

    /// A build that waits for a launcher.
    pub(crate) async fn dispatch(&self, repository: &str) -> BuildId {
        self.queue(Self::job(repository)).await
    }

    /// The first build of a site of its own.
    pub(crate) fn job(repository: &str) -> Job {
        Job {
            site: events::SiteId(clock::new_id()),
            number: 1,
            source_sequence: 1,
            repository: repository.parse().unwrap(),
            branch: "main".parse().unwrap(),
            alias: events::AliasName::Live,
            commit: None,
            engine: SiteEngine::NodeJs,
            lane: events::Lane::High,
            summary: String::new(),
            upload: None,
            recipe: Default::default(),
            pull_request: None,
            cache_from: None,
        }
    }

    /// The same for any job.
    pub(crate) async fn queue(&self, job: Job) -> BuildId {
        let build = BuildId(clock::new_id());
        self.ask(build, Command::Queue(job)).await;
        self.ask(build, Command::Dispatch).await;
        self.builds.lock().unwrap().push(build);
        build
    }

    pub(crate) async fn ask(&self, build: BuildId, command: Command) {
        self.log.execute::<Build>(&build.to_string(), &command, &Cause::new(Actor::service("test"))).await.unwrap();
    }

    pub(crate) async fn cancel(&self, build: BuildId) {
        self.ask(build, Command::Cancel { reason: "enough".to_owned(), superseded_by: None }).await;
    }

    /// What the log of a build says.
    pub(crate) async fn said(&self, build: BuildId) -> String {
        let reader = connect(&self.server.url(), &self.nats(), "web").await;
        let chunks = build_log::read(&reader, build).await.unwrap();
        chunks.into_iter().map(|chunk| String::from_utf8_lossy(&chunk.text).into_owned()).collect()
    }

    /// Waits until a build is as wanted.
    pub(crate) async fn until(&self, build: BuildId, what: &str, wanted: impl Fn(&Build) -> bool) {
        until(what, async || {
            self.log.load::<Build>(&build.to_string()).await.is_ok_and(|loaded| wanted(&loaded.state))
        })
        .await;
    }

    pub(crate) async fn until_running(&self, build: BuildId) {
        self.until(build, "the build to run", |state| state.running_attempt().is_some()).await;
    }

    /// Waits for the end of a build, and gives it.
    pub(crate) async fn finished(&self, build: BuildId) -> BuildEvent {
        self.until(build, "the build to end", |state| matches!(state, Build::Ended { .. })).await;
        let facts = self.facts(build).await;
        facts.into_iter().find(|fact| matches!(fact, BuildEvent::Finished { .. })).unwrap()
    }

    pub(crate) async fn facts(&self, build: BuildId) -> Vec<BuildEvent> {
        let mut facts = Vec::new();
        for sequence in 1..=self.log.last_sequence().await.unwrap() {
            let fact = self.log.fact(sequence).await.unwrap().unwrap();
            if let (true, Event::Build(event)) = (fact.envelope.subject == build.to_string(), fact.event) {
                facts.push(event);
            }
        }
        facts
    }

    /// When a fact of a build was appended, by the writer's clock.
    pub(crate) async fn time_of(&self, build: BuildId, wanted: impl Fn(&BuildEvent) -> bool) -> OffsetDateTime {
        for sequence in 1..=self.log.last_sequence().await.unwrap() {
            let fact = self.log.fact(sequence).await.unwrap().unwrap();
            if fact.envelope.subject == build.to_string()
                && let Event::Build(event) = &fact.event
                && wanted(event)
            {
                return fact.envelope.time;
            }
        }
        panic!("the fact is not in the log");
    }

    /// The name of the launcher that started a build.
    pub(crate) async fn installation(&self, build: BuildId) -> String {
        let facts = self.facts(build).await;
        let worker = facts.iter().find_map(|fact| {
            if let BuildEvent::Started { worker, .. } = fact { worker.strip_prefix("launcher-") } else { None }
        });
        worker.unwrap().to_owned()
    }

    /// What the log of a build holds by now.
    pub(crate) async fn log(&self, build: BuildId) -> String {
        let connection = connect(&self.server.url(), &self.nats(), "launcher").await;
        let chunks = build_log::read(&connection, build).await.unwrap();
        chunks.iter().map(|chunk| String::from_utf8_lossy(&chunk.text)).collect()
    }

    pub(crate) async fn until_log(&self, build: BuildId, line: &str) {
        until(line, async || self.log(build).await.contains(line)).await;
    }

    /// How often a launcher has stated that it starts.
    pub(crate) async fn starts(&self, build: BuildId) -> usize {
        self.facts(build).await.iter().filter(|fact| matches!(fact, BuildEvent::Started { .. })).count()
    }
}

/// A launcher at work, until it is dropped; builds in hand then end with the test.
pub(crate) struct Launched {
    health: Health,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Launched {
    /// What it tells of its sandbox.
    pub(crate) fn sandbox(&self) -> PartReport {
        self.health.report().parts.remove("sandbox").unwrap()
    }

    /// What it tells of its disk.
    pub(crate) fn disk(&self) -> PartReport {
        self.health.report().parts.remove("disk").unwrap()
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn shut_down(&mut self) {
        self.stop.cancel();
        tokio::time::timeout(DEADLINE, &mut self.running).await.unwrap().unwrap();
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        self.running.abort();
    }
}

pub(crate) fn config(data_dir: PathBuf, kind: Kind) -> Config {
    // The repositories of a test are beside the launcher's folder.
    let folders = data_dir.parent().map(Path::to_owned).into_iter().collect();
    let dialer = Dialer { allowed: Allowed { private: true, folders }, own: Vec::new() };
    let sources = Rules { dialer, closed: vec![data_dir.clone()], own: None };
    Config {
        slots: 1,
        data_dir,
        timeout: DEADLINE * 5,
        sandbox: sandbox::Config { kind, ..sandbox::Config::default() },
        sources,
        mirrors: Space::default(),
        caches: launcher::cache::Space::default(),
        limits: Limits::default(),
        large_memory_bytes: 8 << 30,
        network: Arc::new(launcher::Policy::new(Vec::new(), Vec::new(), Vec::new())),
        output: OutputLimits::default(),
        key: launcher::BuildKey::read(&BUILD_KEY.repeat(32).into()).unwrap(),
        sweep_every: launcher::SWEEP_EVERY,
    }
}

pub(crate) async fn connect(url: &str, nats: &Path, user: &str) -> Connection {
    let config = nats::access(nats, user, url.to_owned()).unwrap();
    Connection::open(&config).await.unwrap()
}

pub(crate) async fn launch(config: Config, log: Log, s3: SocketAddr) -> Launched {
    let (health, stop) = (Health::default(), CancellationToken::new());
    let prepared = launcher::prepare(config, Parts::of(&health, Need::Must)).await.unwrap();
    let (key, secret) = ("key".to_owned(), SecretString::from("secret"));
    let config = storage::Config::new(format!("http://{s3}"), "us-east-1".to_owned(), key, secret);
    let storage = Storage::connect(&config);
    let stopped = stop.clone();
    let running = async move { launcher::run(prepared, log, &storage, stopped).await.unwrap() };
    Launched { health, stop, running: tokio::spawn(running) }
}

/// A server that takes connections and never says a word.
pub(crate) struct Silent {
    pub(crate) address: SocketAddr,
    arrivals: watch::Receiver<usize>,
}

impl Silent {
    pub(crate) async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (arrive, arrivals) = watch::channel(0);
        tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok((visitor, _)) = listener.accept().await {
                kept.push(visitor);
                arrive.send_modify(|count| *count += 1);
            }
        });
        Self { address, arrivals }
    }

    pub(crate) fn is_reached(&self) -> bool {
        *self.arrivals.borrow() > 0
    }

    pub(crate) async fn reached(&self) {
        let mut arrivals = self.arrivals.clone();
        tokio::time::timeout(DEADLINE, arrivals.wait_for(|count| *count > 0)).await.unwrap().unwrap();
    }

    pub(crate) fn repository(&self) -> String {
        format!("http://{}/acme/docs.git", self.address)
    }
}

pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < DEADLINE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
