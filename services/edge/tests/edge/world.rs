//! A log, an object store and edges of one test's own, and what the tests do with them.

use crate::store::Store;
use dialer::{Dialer, Own};
use events::access::{self, Access, Passwords};
use events::address::Allowed;
use events::alias::{Claim, Command as AliasCommand};
use events::event::{Purge, Routed, RulesDialect};
use events::host::{Command as HostCommand, Owner};
use events::route::Command as RouteCommand;
use events::routing::{Leads, Reach};
use events::site::{Change, Command as SiteCommand, New};
use events::{
    Actor, Alias, AliasName, BuildId, Cause, DeployId, Digest, Host, LinkId, OrganizationId, Route, RouteId, ShareLink,
    Site, SiteEngine, SiteId, SiteSettings, subject,
};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use reqwest::header::{HOST, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};
use runtime::{Connection, Log, connection, streams};
use servers::nats::{self, Server};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use storage::{Body, Head, Manifest, SiteFile, Storage, Uploaded, content_type};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

pub(crate) struct World {
    folder: TempDir,
    server: Option<Server>,
    pub(crate) port: u16,
    log: Log,
    storage: Storage,
    pub(crate) store: Store,
}

pub(crate) struct Edge {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Option<SocketAddr>,
    client: Client,
    stop: CancellationToken,
    task: JoinHandle<Result<(), edge::Error>>,
}

pub(crate) fn deploy(number: u64) -> DeployId {
    DeployId::of(BuildId(uuid::Uuid::from_u128(number.into())))
}

/// A page that names its deploy.
pub(crate) fn page(number: u64) -> String {
    format!("{} {}", deploy(number), "x".repeat(5_000))
}

/// The id of the site that was first called `name`.
pub(crate) fn id(name: &str) -> SiteId {
    SiteId(events::ids::of_delivery("tests", name))
}

fn owner(site: &str) -> Owner {
    Owner { site: id(site), organization: OrganizationId(uuid::Uuid::nil()) }
}

fn settings() -> SiteSettings {
    SiteSettings {
        repository: "https://github.com/acme/docs".parse().unwrap(),
        branch: "main".parse().unwrap(),
        demo_branch: None,
        engine: SiteEngine::Static,
        building: events::Building::default(),
        serving: events::event::Serving::default(),
    }
}

/// What opens closed sites here.
pub(crate) fn key() -> doors::Key {
    doors::Key::new([7; 32])
}

fn cause() -> Cause {
    Cause::new(Actor::service("tests"))
}

async fn config(server: &Server, user: &str) -> connection::Config {
    server.access(user).unwrap()
}

async fn open(server: &Server) -> Log {
    let operator = Connection::open(&config(server, "ctl").await).await.unwrap();
    streams::provision(&operator, 1).await.unwrap();
    Log::new(Connection::open(&config(server, "web").await).await.unwrap())
}

impl World {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(&folder.path().join("nats"), 0).await.unwrap();
        let port = server.url().rsplit(':').next().unwrap().parse().unwrap();
        let (store, storage) = Store::start(folder.path().join("depot")).await;
        let log = open(&server).await;
        Self { folder, server: Some(server), port, log, storage, store }
    }

    /// Starts an edge on the data directory that all edges of this world have one after another.
    pub(crate) async fn edge(&self) -> Edge {
        self.edge_with(edge::CACHE_BYTES).await
    }

    pub(crate) async fn edge_with(&self, cache_bytes: u64) -> Edge {
        self.edge_as(|config| edge::Config { cache_bytes, ..config }).await
    }

    /// One that is configured otherwise.
    pub(crate) async fn edge_as(&self, change: impl FnOnce(edge::Config) -> edge::Config) -> Edge {
        let data_dir = self.folder.path().join("edge");
        // Servers behind routes are on this machine here; the log's is the platform's own.
        let allowed = Allowed { private: true, folders: Vec::new() };
        let backends = Dialer { allowed, own: vec![Own::At(format!("127.0.0.1:{}", self.port))] };
        let config = change(edge::Config {
            backends,
            backend_patience: Duration::from_millis(300),
            key: Some(key()),
            sign_in: edge::SignIn::At("https://pages.example".to_owned()),
            ..edge::Config::new("127.0.0.1:0".parse().unwrap(), data_dir)
        });
        let url = nats::url(self.port);
        let log = nats::access(&self.nats(), "edge", url).unwrap();
        let edge = edge::Edge::bind(config, log, self.storage.clone()).await.unwrap();
        let (address, tls, stop) = (edge.local_addr(), edge.tls_addr(), CancellationToken::new());
        let task = tokio::spawn(edge.run(stop.clone()));
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        Edge { address, tls, client, stop, task }
    }

    fn nats(&self) -> PathBuf {
        self.folder.path().join("nats")
    }

    pub(crate) async fn kill_log(&mut self) {
        let pid = self.server.take().map(|server| (server.pid().unwrap(), server)).unwrap();
        let killed = std::process::Command::new("kill").arg("-9").arg(pid.0.to_string()).status().unwrap();
        assert!(killed.success());
        while TcpStream::connect(("127.0.0.1", self.port)).await.is_ok() {
            sleep(PAUSE).await;
        }
    }

    /// What the log held is gone.
    pub(crate) fn forget_log(&self) {
        std::fs::remove_dir_all(self.nats().join("store")).unwrap();
    }

    pub(crate) async fn start_log(&mut self) {
        let server = Server::start(&self.nats(), self.port).await.unwrap();
        self.log = open(&server).await;
        self.server = Some(server);
    }

    pub(crate) async fn stop_store(&self) {
        self.store.stop().await;
    }

    /// Until the edge has noted a purge, or has done all that it noted.
    pub(crate) async fn until_purges(&self, done: bool) {
        let path = self.folder.path().join("edge/purges.json");
        let deadline = Instant::now() + PATIENCE;
        while !std::fs::read_to_string(&path).is_ok_and(|text| (text == "[]") == done) {
            assert!(Instant::now() < deadline, "purges are done: {done}");
            sleep(PAUSE).await;
        }
    }

    /// Where the edges of this world keep a content.
    pub(crate) fn kept(&self, content: &str) -> PathBuf {
        let name = Digest::of(content.as_bytes()).to_string();
        self.folder.path().join("edge/contents").join(&name[..2]).join(&name)
    }

    /// Contents are kept beside the answers that they are in.
    pub(crate) async fn until_kept(&self, contents: &[&str]) {
        let deadline = Instant::now() + PATIENCE;
        while !contents.iter().all(|content| self.kept(content).exists()) {
            assert!(Instant::now() < deadline, "the edge keeps {contents:?}");
            sleep(PAUSE).await;
        }
    }

    /// As an edge before would have left them.
    pub(crate) fn note_purges(&self, json: &str) {
        std::fs::write(self.folder.path().join("edge/purges.json"), json).unwrap();
    }

    pub(crate) async fn create(&self, site: &str) {
        let (name, organization) = (site.parse().unwrap(), OrganizationId(uuid::Uuid::nil()));
        let create =
            SiteCommand::Create(New { name, organization, settings: settings(), passwords: Default::default() });
        let transaction = self.log.transaction(cause()).with::<Site>(id(site), create);
        let said = transaction.with::<Host>(site, HostCommand::Claim(owner(site))).commit().await.unwrap();
        assert_eq!(said.len(), 2);
    }

    /// Gives the site that was created as `site`, and never changed, another name.
    pub(crate) async fn rename(&self, site: &str, name: &str) {
        let change =
            Change { name: name.parse().unwrap(), settings: settings(), passwords: Default::default(), seen: 1 };
        let transaction = self.log.transaction(cause()).with::<Site>(id(site), SiteCommand::Change(change));
        let said = transaction.with::<Host>(name, HostCommand::Claim(owner(site))).commit().await.unwrap();
        assert_eq!(said.len(), 2);
    }

    /// Has the site let in so, with these passwords.
    pub(crate) async fn close(&self, site: &str, access: Access, passwords: Passwords) {
        let Site::Active(active) = self.log.load::<Site>(&id(site).to_string()).await.unwrap().state else {
            panic!("`{site}` is there")
        };
        let serving = events::event::Serving { access, ..active.settings.serving };
        let settings = SiteSettings { serving, ..active.settings };
        let change = Change { name: active.name, settings, passwords, seen: active.version };
        let transaction = self.log.transaction(cause()).with::<Site>(id(site), SiteCommand::Change(change));
        assert!(!transaction.commit().await.unwrap().is_empty());
    }

    /// Makes a share link, and answers what its address ends with.
    pub(crate) async fn share(&self, site: &str, alias: Option<&str>, lasts: Duration) -> (LinkId, String) {
        let (link, now) = (LinkId(uuid::Uuid::now_v7()), runtime::clock::now());
        let alias = alias.map(|alias| alias.parse().unwrap());
        let link = ShareLink { link, alias, expires_at: now + lasts };
        let make = SiteCommand::Links(access::Command::Make { link: link.clone(), now });
        let said = self.log.execute::<Site>(&id(site).to_string(), &make, &cause()).await.unwrap();
        assert_eq!(said.len(), 1);
        let token = doors::ShareToken::make(&key(), id(site), &link);
        (link.link, format!("{}={token}", doors::SHARE))
    }

    pub(crate) async fn revoke(&self, site: &str, link: LinkId) {
        let revoke = SiteCommand::Links(access::Command::Revoke(link));
        let said = self.log.execute::<Site>(&id(site).to_string(), &revoke, &cause()).await.unwrap();
        assert_eq!(said.len(), 1);
    }

    /// Has the site, which was never changed, answer so.
    pub(crate) async fn answer(&self, site: &str, serving: events::event::Serving) {
        let settings = SiteSettings { serving, ..settings() };
        let change = Change { name: site.parse().unwrap(), settings, passwords: Default::default(), seen: 1 };
        let transaction = self.log.transaction(cause()).with::<Site>(id(site), SiteCommand::Change(change));
        assert_eq!(transaction.commit().await.unwrap().len(), 1);
    }

    pub(crate) async fn delete(&self, site: &str) {
        let Site::Active(active) = self.log.load::<Site>(&id(site).to_string()).await.unwrap().state else {
            panic!("`{site}` is there")
        };
        let delete = SiteCommand::Delete { seen: active.version };
        let transaction = self.log.transaction(cause()).with::<Site>(id(site), delete);
        let said = transaction.with::<Host>(site, HostCommand::Release(owner(site))).commit().await.unwrap();
        assert_eq!(said.len(), 2);
    }

    /// Stores a deploy as the syncer would, and says nothing of it.
    pub(crate) async fn put(&self, site: &str, number: u64, files: &[(&str, &str)]) -> DeployId {
        let content = |name: &str| files.iter().find(|(path, _)| *path == name).map(|(_, content)| content.as_bytes());
        let rules = rules::read(RulesDialect::Netlify, content(rules::REDIRECTS), content(rules::HEADERS));
        let files: Vec<_> = files.iter().filter(|(path, _)| !path.starts_with('_')).copied().collect();
        let site = id(site);
        let bucket = self.storage.site(site);
        bucket.ensure().await.unwrap();
        let bytes: String = files.iter().map(|(_, content)| *content).collect();
        let pack = Digest::of(bytes.as_bytes());
        bucket.put_pack(pack, Body::Bytes(bytes.into())).await.unwrap();
        let mut offset = 0;
        let entries: Vec<_> = files
            .iter()
            .map(|(path, content)| {
                let (digest, size) = (Digest::of(content.as_bytes()), content.len() as u64);
                let content_type = content_type::of(path).into();
                offset += size;
                SiteFile { path: (*path).to_owned(), digest, size, content_type, pack, offset: offset - size }
            })
            .collect();
        let build = BuildId(uuid::Uuid::from_u128(number.into()));
        let head = Head { deploy: deploy(number), site, build, uploaded: Uploaded::default() };
        bucket.put_manifest(Manifest::new(head, entries).with_rules(rules), &[]).await.unwrap();
        deploy(number)
    }

    pub(crate) async fn purge(&self, site: &str, host: Option<&str>, path: Option<&str>) {
        let purge =
            Purge { host: host.map(|host| host.parse().unwrap()), path: path.map(|path| path.parse().unwrap()) };
        let facts =
            self.log.execute::<Site>(&id(site).to_string(), &SiteCommand::Purge(purge), &cause()).await.unwrap();
        assert_eq!(facts.len(), 1);
    }

    /// Takes a deploy out of the store, behind everybody's back.
    pub(crate) async fn take_out(&self, site: &str, number: u64) {
        self.storage.site(id(site)).collect(&[deploy(number)]).await.unwrap();
    }

    /// Leads a path of a host somewhere, by its whole name.
    pub(crate) async fn lead(&self, host: &str, path: &str, kind: Reach, leads: Leads) -> Routed {
        let (host, path) = (host.parse().unwrap(), path.parse().unwrap());
        let route = RouteId(uuid::Uuid::now_v7());
        let routed = Routed { route, host, path, kind, leads, owner: None };
        let id = events::route::route_id(&routed.host, &routed.path);
        let add = RouteCommand::Add(routed.clone());
        assert_eq!(self.log.execute::<Route>(&id, &add, &cause()).await.unwrap().len(), 1);
        routed
    }

    pub(crate) async fn unlead(&self, routed: &Routed) {
        let id = events::route::route_id(&routed.host, &routed.path);
        let remove = RouteCommand::Remove { route: routed.route, leave: None };
        assert_eq!(self.log.execute::<Route>(&id, &remove, &cause()).await.unwrap().len(), 1);
    }

    pub(crate) async fn promote(&self, site: &str, alias: &str, number: u64) {
        let (site, alias): (SiteId, AliasName) = (id(site), alias.parse().unwrap());
        let id = subject::alias_id(site, &alias);
        let (deploy, source_sequence) = (deploy(number), number);
        let promote = AliasCommand::Promote { site, alias, deploy, number, source_sequence, claim: Claim::Built };
        let facts = self.log.execute::<Alias>(&id, &promote, &cause()).await.unwrap();
        assert_eq!(facts.len(), 1);
    }
}

impl Edge {
    /// `host` is the label before the base domain, or a whole name.
    pub(crate) async fn ask(&self, method: &str, host: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        let method: Method = method.parse().unwrap();
        let request = self.client.request(method, format!("http://{}{path}", self.address));
        let host = if host.contains('.') { host.to_owned() } else { format!("{host}.sites.localhost") };
        let request = request.header(HOST, host);
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
    }

    /// Sends a body with one header.
    pub(crate) async fn send(&self, host: &str, path: &str, header: (&str, &str), body: &'static str) -> Response {
        let request = self.client.post(format!("http://{}{path}", self.address)).body(body);
        request.header(HOST, format!("{host}.sites.localhost")).header(header.0, header.1).send().await.unwrap()
    }

    pub(crate) async fn get(&self, host: &str, path: &str) -> Response {
        self.ask("GET", host, path, &[]).await
    }

    pub(crate) async fn until_answers(
        &self,
        host: &str,
        path: &str,
        headers: &[(&str, &str)],
        holds: impl Fn(&HeaderMap) -> bool,
    ) -> Response {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.ask("GET", host, path, headers).await;
            if holds(found.headers()) {
                return found;
            }
            assert!(Instant::now() < deadline, "{host}{path} still answers {found:?}");
            sleep(PAUSE).await;
        }
    }

    pub(crate) async fn text(&self, host: &str, path: &str) -> String {
        self.get(host, path).await.text().await.unwrap()
    }

    pub(crate) async fn until_serves(&self, host: &str, path: &str, expected: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.text(host, path).await;
            if found == expected {
                return;
            }
            assert!(Instant::now() < deadline, "{host} still serves {found}");
            sleep(PAUSE).await;
        }
    }

    async fn refusal(&self, host: &str, path: &str) -> (u16, String) {
        let answer = self.get(host, path).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub(crate) async fn refuses(&self, host: &str, path: &str, status: u16, code: &str) {
        let (found, text) = self.refusal(host, path).await;
        assert!(found == status && text.contains(&format!("<code>{code}</code>")), "{host}{path}: {found} {text}");
    }

    pub(crate) async fn until_refuses(&self, host: &str, status: u16, code: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (found, text) = self.refusal(host, "/").await;
            if found == status && text.contains(code) {
                return;
            }
            assert!(Instant::now() < deadline, "{host} still answers {found} {text}");
            sleep(PAUSE).await;
        }
    }

    /// What operators are told.
    pub(crate) async fn health(&self) -> (u16, String) {
        let url = format!("http://{}/.well-known/pagefold/health", self.address);
        let answer = self.client.get(url).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub(crate) async fn over_http2(&self, host: &str, path: &str) -> String {
        let stream = TokioIo::new(TcpStream::connect(self.address).await.unwrap());
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        tokio::spawn(connection);
        let uri = format!("http://{host}.sites.localhost{path}");
        let request = hyper::Request::get(uri).body(Empty::<bytes::Bytes>::new()).unwrap();
        let answer = sender.send_request(request).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        match tokio::time::timeout(PATIENCE, self.task).await {
            Ok(ended) => ended.unwrap().unwrap(),
            Err(_) => panic!("the edge does not stop"),
        }
    }
}
