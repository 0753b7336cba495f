//! One set of servers for each test, small enough to start in a second.

use events::address::Allowed;
use events::alias::{self, Claim};
use events::build::{self, Job, Report};
use events::event::{Artifact, Author, Source};
use events::{
    Actor, Alias, AliasName, Build, BuildId, Cause, Deploy, DeployId, Digest, Lane, Outcome, Recorded, SiteEngine,
    SiteId, deploy, subject,
};
use futures::StreamExt;
use projections::{Applied, Store};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use runtime::{Connection, Log, streams};
use secrecy::SecretString;
use serde_json::Value;
use servers::nats;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use storage::Storage;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A token that is short enough to be guessed, as some operators choose one.
pub(crate) const TOKEN: &str = "a-token-for-tests";
/// A random one, as they should.
pub(crate) const RANDOM_TOKEN: &str = "7a1c93e05bd24f6688e1f0b2c7d94a35";
pub(crate) const WEBHOOK_SECRET: &str = "a-webhook-secret-for-tests";
pub(crate) const REPOSITORIES_TOKEN: &str = "what-a-launcher-reads-by";
pub(crate) const COMMIT: &str = "1111111111111111111111111111111111111111";
const REGION: &str = "local";

/// Everything that runs, and a client. Ends when dropped.
pub(crate) struct Platform {
    pub(crate) client: Client,
    pub(crate) storage: Storage,
    pub(crate) log: Log,
    reader: Store,
    base: String,
    nats: Option<nats::Server>,
    postgres: Option<servers::postgres::Server>,
    stop: CancellationToken,
    folder: TempDir,
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Platform {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Postgres runs as a user of its own, who must be able to enter.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let stop = CancellationToken::new();
        let nats = nats::Server::start(&folder.path().join("nats"), 0).await.unwrap();
        streams::provision(&connect(&nats, "ctl").await, 1).await.unwrap();
        let (postgres, writer, reader) = database(&folder).await;
        project(Log::new(connect(&nats, "projector").await), writer, stop.clone());
        let storage = object_store(&folder, &stop).await;
        let log = Log::new(connect(&nats, "web").await);
        let base = serve(config(&folder), log.clone(), reader.clone(), storage.clone(), &stop).await;
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let (nats, postgres) = (Some(nats), Some(postgres));
        Self { client, storage, log, reader, base, nats, postgres, stop, folder }
    }

    /// One more web server on the same log; this platform talks to it from now on. Answers the address of the one before.
    pub(crate) async fn another_server(&mut self) -> String {
        self.serve(config(&self.folder)).await
    }

    /// The same with a server at which people can sign in so.
    pub(crate) async fn sign_in_with(&mut self, sign_in: web::SignIn) -> String {
        self.serve(web::Config { sign_in, ..config(&self.folder) }).await
    }

    /// The same with a server that looks at repositories on this machine.
    pub(crate) async fn look_at_private_repositories(&mut self) -> String {
        let repositories = Allowed { private: true, folders: Vec::new() };
        self.serve(web::Config { repositories, ..config(&self.folder) }).await
    }

    /// The same with a server that lets repositories be on this machine.
    pub(crate) async fn connect_with(&mut self, sign_in: web::SignIn) -> String {
        let repositories = Allowed { private: true, folders: Vec::new() };
        self.serve(web::Config { sign_in, repositories, ..config(&self.folder) }).await
    }

    async fn serve(&mut self, config: web::Config) -> String {
        let log = self.service("web").await;
        let base = serve(config, log, self.reader.clone(), self.storage.clone(), &self.stop).await;
        std::mem::replace(&mut self.base, base)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(crate) fn host(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// A request to the API with the token.
    pub(crate) fn api(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(&format!("/api/v1{path}"))).bearer_auth(TOKEN)
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        json(self.api(Method::GET, path).send().await.unwrap()).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        json(self.api(method, path).json(&body).send().await.unwrap()).await
    }

    /// Waits until `/healthz` says so; answers what it says. Parts are looked at once a second.
    /// A merge patch, on condition that what is at `path` has the entity tag `seen`, and the entity tag it has then.
    pub(crate) async fn patch(&self, path: &str, seen: Option<&str>, body: Value) -> (StatusCode, Value, String) {
        let mut request = self.api(Method::PATCH, path);
        if let Some(seen) = seen {
            request = request.header("if-match", seen);
        }
        let request = request.header("content-type", "application/merge-patch+json").body(body.to_string());
        let response = request.send().await.unwrap();
        let tag = response.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned()).unwrap_or_default();
        let (status, answer) = json(response).await;
        (status, answer, tag)
    }

    pub(crate) async fn is_healthy(&self, wanted: bool) -> Value {
        let look = async {
            loop {
                let (status, health) = json(self.client.get(self.url("/healthz")).send().await.unwrap()).await;
                if status.is_success() == wanted {
                    return health;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), look).await.unwrap()
    }

    pub(crate) async fn stop_log(&mut self) {
        self.nats.take().unwrap().stop().await;
    }

    pub(crate) async fn stop_read_model(&mut self) {
        self.postgres.take().unwrap().stop().await.unwrap();
    }

    /// The log as one of the other services sees it.
    pub(crate) async fn service(&self, name: &str) -> Log {
        Log::new(connect(self.nats.as_ref().unwrap(), name).await)
    }

    pub(crate) async fn create_site(&self, name: &str) -> SiteId {
        let body = serde_json::json!({ "name": name, "repository": format!("https://git.test/acme/{name}.git") });
        let (status, answer) = self.send(Method::POST, "/sites", body).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        answer["id"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) async fn site_id(&self, name: &str) -> SiteId {
        self.get(&format!("/sites/{name}")).await.1["id"].as_str().unwrap().parse().unwrap()
    }

    /// A build as the scheduler queues it because of the fact `number`, and gives it a slot, and a launcher starts it.
    pub(crate) async fn running_build(&self, site: SiteId, number: u64) -> BuildId {
        let id = BuildId(uuid(&format!("{site}/{number}")));
        self.queue(id, site, number).await;
        let cause = Cause::new(Actor::service("launcher"));
        let launcher = self.service("launcher").await;
        let start = build::Command::Start { worker: "launcher-1".into() };
        let started = launcher.execute::<Build>(&id.to_string(), &start, &cause).await.unwrap();
        self.projected(&started).await;
        id
    }

    /// A build as the scheduler queues it because of the fact at `source_sequence`, and gives it a slot.
    pub(crate) async fn queue(&self, id: BuildId, site: SiteId, source_sequence: u64) {
        let cause = Cause::new(Actor::service("scheduler"));
        let job = Job {
            site,
            number: source_sequence,
            source_sequence,
            repository: "https://git.test/acme/docs.git".parse().unwrap(),
            branch: "main".parse().unwrap(),
            alias: AliasName::Live,
            commit: Some(COMMIT.parse().unwrap()),
            engine: SiteEngine::Static,
            lane: Lane::High,
            summary: format!("Change number {source_sequence}"),
            upload: None,
            recipe: Default::default(),
            pull_request: None,
            cache_from: None,
        };
        let scheduler = self.service("scheduler").await;
        for command in [build::Command::Queue(job), build::Command::Dispatch] {
            let said = scheduler.execute::<Build>(&id.to_string(), &command, &cause).await.unwrap();
            self.projected(&said).await;
        }
    }

    /// What a launcher says once it has the source.
    pub(crate) async fn checked_out(&self, id: BuildId, title: &str, author: Author) {
        let source = Source { commit: COMMIT.parse().unwrap(), title: title.to_owned(), author: Some(author) };
        let (command, cause) =
            (build::Command::CheckOut { attempt: 1, source }, Cause::new(Actor::service("launcher")));
        let launcher = self.service("launcher").await;
        let told = launcher.execute::<Build>(&id.to_string(), &command, &cause).await.unwrap();
        self.projected(&told).await;
    }

    pub(crate) async fn finish(&self, id: BuildId, outcome: Outcome) {
        let artifact = Artifact { key: format!("artifacts/{id}-1.tar"), files: 3, bytes: 4096 };
        let report = Report {
            attempt: 1,
            commit: Some(COMMIT.parse().unwrap()),
            outcome,
            reason: if outcome == Outcome::Success { String::new() } else { "the script `pages` exited with 1".into() },
            hint: (outcome == Outcome::Failure).then(|| "Look at `pages`.".to_owned()),
            artifact: (outcome == Outcome::Success).then_some(artifact),
            duration_ms: 1234,
            steps: Vec::new(),
            resources: None,
        };
        let cause = Cause::new(Actor::service("launcher"));
        let launcher = self.service("launcher").await;
        let finished =
            launcher.execute::<Build>(&id.to_string(), &build::Command::Finish(report), &cause).await.unwrap();
        self.projected(&finished).await;
    }

    /// What the syncer says when a build's files are stored and go live.
    pub(crate) async fn published(&self, site: SiteId, build: BuildId, number: u64) -> DeployId {
        let (id, alias) = (DeployId::of(build), AliasName::Live);
        let synced = events::event::Synced {
            site,
            build,
            number,
            source_sequence: number,
            branch: "main".parse().unwrap(),
            alias: alias.clone(),
            commit: COMMIT.parse().unwrap(),
            content: Digest::of(&number.to_le_bytes()),
            files: 41,
            bytes: 183_000,
            uploaded_files: 2,
            uploaded_bytes: 4_200,
            requests: 3,
        };
        let syncer = self.service("syncer").await;
        let cause = Cause::new(Actor::service("syncer"));
        let command = deploy::Command::Sync(synced);
        syncer.execute::<Deploy>(id.as_str(), &command, &cause).await.unwrap();
        let about = subject::alias_id(site, &alias);
        let (deploy, source_sequence) = (id.clone(), number);
        let promote = alias::Command::Promote { site, alias, deploy, number, source_sequence, claim: Claim::Built };
        let promoted = syncer.execute::<Alias>(&about, &promote, &cause).await.unwrap();
        self.projected(&promoted).await;
        id
    }

    /// Builds and publishes: the deploy that is live then.
    pub(crate) async fn built(&self, site: SiteId, number: u64) -> DeployId {
        let build = self.running_build(site, number).await;
        self.finish(build, Outcome::Success).await;
        self.published(site, build, number).await
    }

    /// Waits until the API shows the facts.
    pub(crate) async fn projected(&self, facts: &[Recorded]) {
        let Some(last) = facts.last() else { return };
        self.projected_to(last.sequence).await;
    }

    /// Waits until the read model shows everything that is in the log now.
    pub(crate) async fn level(&self) {
        self.projected_to(self.log.last_sequence().await.unwrap()).await;
    }

    async fn projected_to(&self, sequence: u64) {
        let shown = async {
            loop {
                let path = format!("/events?limit=1&after={}", sequence - 1);
                if self.get(&path).await.1["items"].as_array().is_some_and(|items| !items.is_empty()) {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), shown).await.expect("the facts are projected");
    }
}

/// Status and code of a problem.
pub(crate) fn code(answer: &(StatusCode, Value)) -> (u16, &str) {
    (answer.0.as_u16(), answer.1["code"].as_str().unwrap_or_default())
}

/// What a web server is told.
fn config(folder: &TempDir) -> web::Config {
    web::Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        tokens: [("tester", TOKEN), ("keeper", RANDOM_TOKEN)]
            .map(|(name, secret)| web::Token { name: name.into(), secret: secret.into() })
            .into(),
        key: "a-key-for-tests-that-nobody-else-has".into(),
        github_webhook_secret: WEBHOOK_SECRET.into(),
        repositories: Allowed::default(),
        closed: Vec::new(),
        receivers: Allowed::default(),
        backends: Allowed { private: true, folders: Vec::new() },
        web_url: "https://pagefold.test/".into(),
        edge_addresses: vec![[192, 0, 2, 1].into()],
        sites_url: events::SitesUrl { scheme: "http".into(), base_domain: "pages.test".into(), port: Some(8080) },
        sign_in: web::SignIn::default(),
        mailer: None,
        spool: folder.path().join("web"),
        own_repositories: folder.path().join("repositories"),
        repositories_token: Some(REPOSITORIES_TOKEN.into()),
    }
}

/// Starts a web server and answers its address.
async fn serve(config: web::Config, log: Log, reader: Store, storage: Storage, stop: &CancellationToken) -> String {
    let web = web::Web::bind(config, log, reader, storage).await.unwrap();
    let base = format!("http://{}", web.local_addr());
    tokio::spawn(web.run(stop.clone()));
    base
}

pub(crate) async fn json(response: Response) -> (StatusCode, Value) {
    let (status, path) = (response.status(), response.url().path().to_owned());
    let text = response.text().await.unwrap();
    let answer = serde_json::from_str(&text).unwrap_or(Value::Null);
    crate::declared::check(&path, status, &answer);
    (status, answer)
}

fn uuid(text: &str) -> events::EventId {
    events::ids::of_delivery("test", text)
}

async fn connect(nats: &nats::Server, user: &str) -> Connection {
    Connection::open(&nats.access(user).unwrap()).await.unwrap()
}

async fn database(folder: &TempDir) -> (servers::postgres::Server, Store, Store) {
    use servers::postgres::{Config, Role, Server};
    let settings = vec![("fsync".to_owned(), "off".to_owned())];
    let config = Config { settings, ..Config::new(folder.path().join("postgres")) };
    let server = Server::start(&config).await.unwrap();
    let writer = Store::connect(&server.url(Role::Owner), 2).await.unwrap();
    writer.prepare(Some(Role::Reader.name())).await.unwrap();
    let reader = Store::connect(&server.url(Role::Reader), 4).await.unwrap();
    (server, writer, reader)
}

/// The fold of the projector, without its rebuilds.
fn project(log: Log, store: Store, stop: CancellationToken) {
    let folding = async move {
        let mut entries = log.follow(0);
        while let Some(entry) = entries.next().await {
            let fact = entry.fact.expect("every fact of a test can be read");
            if let Err(error) = store.live().apply(&[Applied::Fact(fact)]).await {
                eprintln!("the projector ends: {error:?}");
                return;
            }
        }
    };
    tokio::spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = folding => {}
        }
    });
}

async fn object_store(folder: &TempDir, stop: &CancellationToken) -> Storage {
    let (id, secret) = ("tester", "a-secret-for-the-object-store");
    let grants = vec![depot::Grant { buckets: "*".into(), access: depot::Access::Write }];
    let config = depot::Config {
        root: folder.path().join("objects"),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        region: REGION.into(),
        keys: vec![depot::Key { id: id.into(), secret: secret.into(), grants }],
    };
    let depot = depot::Depot::bind(config).await.unwrap();
    let endpoint = format!("http://{}", depot.local_addr());
    tokio::spawn(depot.run(stop.clone()));
    let config = storage::Config::new(endpoint, REGION.into(), id.to_owned(), SecretString::from(secret));
    let storage = Storage::connect(&config);
    storage.platform().ensure().await.unwrap();
    storage
}
