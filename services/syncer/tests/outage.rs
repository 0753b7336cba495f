//! A finished build while the object store is away: with a real log, and a real store behind a line that breaks.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

#[path = "../../storage/tests/storage/line.rs"]
mod line;

use events::build::{Command, Job, Report};
use events::event::Artifact;
use events::{
    Actor, Alias, AliasName, Build, BuildId, Cause, DeployEvent, DeployId, Event, EventId, Lane, OrganizationId,
    Outcome, Recorded, Site, SiteEngine, SiteId, SiteSettings, alias, site, subject,
};
use futures::StreamExt as _;
use line::{Line, Mode};
use runtime::{Connection, Log, parked, streams};
use secrecy::SecretString;
use servers::nats::Server;
use std::time::Duration;
use storage::{Rhythm, Storage};
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

const SITE: SiteId = SiteId(Uuid::nil());
const PATIENCE: Duration = Duration::from_secs(90);
/// Longer than the client of the store tries by itself.
const OUTAGE: Duration = Duration::from_secs(12);
const QUICK: Rhythm = Rhythm {
    renew_every: Duration::from_millis(200),
    trust: Duration::from_secs(1),
    takeover: Duration::from_millis(1500),
};

struct World {
    folder: TempDir,
    nats: Server,
    line: Line,
    direct: Storage,
    behind_line: Storage,
    stop: CancellationToken,
    _stop: DropGuard,
}

impl World {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let nats = Server::start(&folder.path().join("nats"), 0).await.unwrap();
        let secret = SecretString::from("a secret of the tests");
        let grant = depot::Grant { buckets: "*".to_owned(), access: depot::Access::Write };
        let key = depot::Key { id: "tests".to_owned(), secret: secret.clone(), grants: vec![grant] };
        let (root, region) = (folder.path().join("s3"), "us-east-1".to_owned());
        let listen = "127.0.0.1:0".parse().unwrap();
        let server = depot::Depot::bind(depot::Config { root, listen, region: region.clone(), keys: vec![key] });
        let server = server.await.unwrap();
        let (line, stop) = (Line::to(server.local_addr()).await, CancellationToken::new());
        let storage = |endpoint| {
            let config = storage::Config::new(endpoint, region.clone(), "tests".to_owned(), secret.clone());
            Storage::connect(&config).with_rhythm(QUICK)
        };
        let direct = storage(format!("http://{}", server.local_addr()));
        let behind_line = storage(line.endpoint());
        tokio::spawn(server.run(stop.clone()));
        direct.platform().ensure().await.unwrap();
        let guard = stop.clone().drop_guard();
        let world = Self { folder, nats, line, direct, behind_line, stop, _stop: guard };
        streams::provision(&world.connection("ctl").await, 1).await.unwrap();
        world
    }

    async fn connection(&self, user: &str) -> Connection {
        Connection::open(&self.nats.access(user).unwrap()).await.unwrap()
    }

    async fn log(&self, user: &str) -> Log {
        Log::new(self.connection(user).await)
    }

    async fn syncer(&self, name: &str) {
        let (log, storage, stop) = (self.log("syncer").await, self.behind_line.clone(), self.stop.clone());
        let config = syncer::Config { slots: 2, data_dir: self.folder.path().join(name) };
        tokio::spawn(async move { syncer::run(log, storage, config, stop).await.unwrap() });
    }

    /// A site with one build that has finished.
    async fn finished(&self) -> BuildId {
        let (build, cause) = (BuildId(Uuid::now_v7()), cause());
        let settings = SiteSettings {
            repository: "https://example.org/docs".parse().unwrap(),
            branch: "main".parse().unwrap(),
            demo_branch: None,
            engine: SiteEngine::Static,
            building: events::Building::default(),
            serving: events::event::Serving::default(),
        };
        let new = site::New {
            name: "docs".parse().unwrap(),
            organization: OrganizationId(Uuid::nil()),
            settings,
            passwords: Default::default(),
        };
        self.log("web").await.execute::<Site>(&SITE.to_string(), &site::Command::Create(new), &cause).await.unwrap();
        let (key, tar) = (storage::keys::artifact(build, 1), self.folder.path().join("artifact.tar"));
        let mut builder = tar::Builder::new(std::fs::File::create(&tar).unwrap());
        for (path, content) in [("index.html", vec![b'x'; 100]), ("video", vec![7; 9 * 1024 * 1024])] {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, path, content.as_slice()).unwrap();
        }
        builder.finish().unwrap();
        self.direct.platform().put_artifact(&key, &tar).await.unwrap();
        let artifact = Artifact { key, files: 2, bytes: 9 * 1024 * 1024 + 100 };
        self.end_with(build, artifact).await;
        build
    }

    async fn end_with(&self, build: BuildId, artifact: Artifact) {
        let (outcome, reason) = (Outcome::Success, String::new());
        let report = Report {
            attempt: 1,
            commit: None,
            outcome,
            reason,
            hint: None,
            artifact: Some(artifact),
            duration_ms: 1,
            steps: Vec::new(),
            resources: None,
        };
        self.say(build, [Command::Start { worker: "tests".to_owned() }, Command::Finish(report)]).await;
    }

    /// A build that was dispatched, and what a launcher says of it.
    async fn say(&self, build: BuildId, said: impl IntoIterator<Item = Command>) {
        let commit = "0123456789012345678901234567890123456789".parse().unwrap();
        let job = Job {
            site: SITE,
            number: 1,
            source_sequence: 1,
            repository: "https://example.org/docs".parse().unwrap(),
            branch: "main".parse().unwrap(),
            alias: AliasName::Live,
            commit: Some(commit),
            engine: SiteEngine::Static,
            lane: Lane::High,
            summary: "a page".to_owned(),
            upload: None,
            recipe: Default::default(),
            pull_request: None,
            cache_from: None,
        };
        let (scheduler, launcher) = (self.log("scheduler").await, self.log("launcher").await);
        for command in [Command::Queue(job), Command::Dispatch] {
            scheduler.execute::<Build>(&build.to_string(), &command, &cause()).await.unwrap();
        }
        for command in said {
            launcher.execute::<Build>(&build.to_string(), &command, &cause()).await.unwrap();
        }
    }

    /// The facts of deploys, up to the first mirror because of `cause`, or because of anything.
    async fn mirrored(&self, cause: Option<EventId>) -> Vec<DeployEvent> {
        let (mut facts, mut entries) = (Vec::new(), self.log("projector").await.follow(0));
        let reading = async {
            while let Some(entry) = entries.next().await {
                let Recorded { event, envelope, .. } = entry.fact.unwrap();
                let Event::Deploy(fact) = event else { continue };
                facts.push(fact);
                let mirrored = matches!(facts.last(), Some(DeployEvent::Mirrored { .. }));
                if mirrored && (cause.is_none() || envelope.causation == cause) {
                    break;
                }
            }
        };
        assert!(tokio::time::timeout(PATIENCE, reading).await.is_ok(), "nothing was mirrored: {facts:?}");
        facts
    }

    /// The tree is there and marked, nothing waits for an operator, and nothing of the way is left.
    async fn is_in_order(&self, syncer: &str) {
        let site = self.direct.site(SITE);
        let keys = |objects: Vec<storage::Object>| objects.into_iter().map(|object| object.key).collect::<Vec<_>>();
        assert_eq!(keys(site.objects("site/").await.unwrap()), ["site/index.html", "site/video"]);
        assert_eq!(keys(site.objects("trees/").await.unwrap()), ["trees/site"]);
        assert_eq!(parked::list(&self.connection("ctl").await).await.unwrap(), []);
        let left: Vec<_> = std::fs::read_dir(self.folder.path().join(syncer).join("in-hand")).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

fn cause() -> Cause {
    Cause::new(Actor("token:test".to_owned()))
}

#[tokio::test]
async fn a_deploy_waits_for_a_store_that_is_away_and_is_not_parked() {
    let world = World::start().await;
    let left = world.folder.path().join("one/in-hand/of-an-earlier-life.tar");
    std::fs::create_dir_all(left.parent().unwrap()).unwrap();
    std::fs::write(&left, "left by a kill").unwrap();
    world.line.set(Mode::Refusing);
    world.syncer("one").await;
    world.finished().await;
    tokio::time::sleep(OUTAGE).await;
    world.line.set(Mode::Open);
    let facts = world.mirrored(None).await;
    assert_eq!(facts.len(), 2, "{facts:?}");
    world.is_in_order("one").await;
}

#[tokio::test]
async fn a_store_that_hangs_up_in_the_middle_of_everything_only_costs_time() {
    let world = World::start().await;
    world.finished().await;
    world.syncer("one").await;
    // Each step further than the last: into the artifact, the packs, and the tree.
    for bytes in [100_000, 2_000_000, 9_000_000, 12_000_000] {
        world.line.set(Mode::Cutting(bytes));
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    world.line.set(Mode::Open);
    world.mirrored(None).await;
    world.is_in_order("one").await;
}

#[tokio::test]
async fn a_tree_follows_its_alias_away_and_back_with_two_syncers() {
    let world = World::start().await;
    world.syncer("one").await;
    world.syncer("two").await;
    let build = world.finished().await;
    world.mirrored(None).await;
    let id = subject::alias_id(SITE, &AliasName::Live);
    let (scheduler, web) = (world.log("scheduler").await, world.log("web").await);
    let promote = alias::Command::Promote {
        site: SITE,
        alias: AliasName::Live,
        deploy: DeployId::of(build),
        number: 1,
        source_sequence: 1,
        claim: alias::Claim::Chosen { expected: None },
    };
    let remove = alias::Command::Remove { site: SITE, alias: AliasName::Live };
    let mut last = None;
    for _ in 0..4 {
        scheduler.execute::<Alias>(&id, &remove, &cause()).await.unwrap();
        last = web.execute::<Alias>(&id, &promote, &cause()).await.unwrap().pop();
    }
    world.mirrored(Some(last.unwrap().envelope.id)).await;
    world.is_in_order("one").await;
}

#[tokio::test]
async fn an_artifact_that_comes_after_the_end_of_its_build_is_collected_and_no_other() {
    let world = World::start().await;
    let start = || Command::Start { worker: "tests".to_owned() };
    let failed = Report {
        attempt: 1,
        commit: None,
        outcome: Outcome::Failure,
        reason: "no index".to_owned(),
        hint: None,
        artifact: None,
        duration_ms: 1,
        steps: Vec::new(),
        resources: None,
    };
    let (ended, running) = (BuildId(Uuid::now_v7()), BuildId(Uuid::now_v7()));
    world.say(ended, [start(), Command::Finish(failed)]).await;
    world.say(running, [start()]).await;
    let waiting = world.finished().await;
    let tar = world.folder.path().join("artifact.tar");
    for build in [ended, running] {
        world.direct.platform().put_artifact(&storage::keys::artifact(build, 1), &tar).await.unwrap();
    }
    syncer::sweep::sweep(&world.log("syncer").await, &world.direct).await.unwrap();
    let left = world.direct.platform().builds_with_artifacts().await.unwrap();
    assert_eq!(left, [running, waiting].into(), "what is built or not published yet stays");
}
