//! The services: each with a connection, a key and a role of its own, as if it ran by itself.

use super::Up;
use super::ready::Ready;
use super::secrets::Secrets;
use super::servers::{REGION, Servers};
use super::supervisor::Supervisor;
use crate::health::watch_storage;
use crate::service::PROJECTOR_CONNECTIONS;
use crate::{launch, modes};
use anyhow::{Context, Result};
use edge::Edge;
use listener::Share;
use projections::Store;
use projections::server::Role;
use runtime::health::Need;
use runtime::{Connection, Health, Log, connection};
use secrecy::{ExposeSecret, SecretString};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use storage::Storage;
use web::Web;

/// How long the platform may take to answer.
const ANSWER_DEADLINE: Duration = Duration::from_secs(60);
/// Connections to the read model that the web server holds at most.
const WEB_CONNECTIONS: u32 = 8;
/// Facts the syncer has in hand at most.
const SYNCER_SLOTS: usize = 4;

pub(super) struct Services {
    web: SocketAddr,
    edge: SocketAddr,
    health: Health,
    supervisor: Supervisor,
}

/// What all services are started with.
struct Surroundings<'a> {
    options: &'a Up,
    folder: &'a Path,
    servers: &'a Servers,
    secrets: &'a Secrets,
    supervisor: &'a Supervisor,
    health: &'a Health,
}

impl Services {
    /// Starts all of them. What cannot be configured so is an error; what is away later is waited for.
    pub(super) async fn start(
        options: &Up,
        folder: &Path,
        (servers, secrets): (&Servers, &Secrets),
        admin: SocketAddr,
    ) -> Result<Self> {
        let health = Health::default();
        let supervisor = Supervisor::new(health.clone());
        let around = Surroundings { options, folder, servers, secrets, supervisor: &supervisor, health: &health };
        let storage = around.storage("syncer");
        storage.platform().ensure().await.context("the platform bucket cannot be made")?;
        watch_storage(&health, (&storage, Need::Must), &supervisor.stop_token());
        let edge = around.edge().await?;
        let web = around.web(edge).await?;
        around.projector().await?;
        around.scheduler().await?;
        around.syncer(storage).await?;
        around.launcher([web, edge, admin]).await?;
        Ok(Self { web, edge, health, supervisor })
    }

    /// Ends when everything is there: web and edge listen, and every part is well.
    pub(super) async fn answer(&self) -> Result<()> {
        let all = async {
            while !(self.listens().await && self.health.report().is_fit()) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(ANSWER_DEADLINE, all).await.context("not everything answers in time")
    }

    async fn listens(&self) -> bool {
        let connects = |address| async move { tokio::net::TcpStream::connect(address).await.is_ok() };
        connects(self.web).await && connects(self.edge).await
    }

    /// How all parts are.
    pub(super) fn health(&self) -> Health {
        self.health.clone()
    }

    pub(super) fn ready(&self, options: &Up, (servers, secrets): (&Servers, &Secrets)) -> Ready {
        let (s3_access_key, s3_secret_key) = secrets.s3("operator");
        Ready {
            web: format!("http://{}", self.web),
            edge: format!("http://{}", self.edge),
            admin: String::new(),
            s3: format!("http://{}", servers.s3),
            nats: servers.nats.url(),
            nats_certificate: servers.nats_certificate(),
            postgres: servers.postgres.url(Role::Owner).expose_secret().to_owned(),
            token: secrets.token(),
            github_webhook_secret: secrets.github_webhook_secret(),
            sites_domain: options.sites_domain.clone(),
            s3_access_key,
            s3_secret_key,
            pid: std::process::id(),
        }
    }

    /// Asks every service to end and waits until all have, or their time is over.
    pub(super) async fn stop(&self) {
        self.supervisor.stop().await;
    }
}

impl Surroundings<'_> {
    async fn edge(&self) -> Result<SocketAddr> {
        let config = edge::Config {
            base_domain: self.options.sites_domain.clone(),
            cache_bytes: self.options.edge_cache_bytes,
            ..edge::Config::new(self.options.edge, self.folder.join("edge"))
        };
        let (access, storage) = (self.access("edge")?, self.storage("edge"));
        let first = Edge::bind(config.clone(), access.clone(), storage.clone()).await?;
        let listen = first.local_addr();
        let (config, mut first) = (edge::Config { listen, ..config }, Some(first));
        let limits = self.options.door.limits(Share::Edge);
        self.supervisor.keep("edge", move |stop| {
            let (first, config, access, storage) = (first.take(), config.clone(), access.clone(), storage.clone());
            let limits = limits.clone();
            async move {
                let edge = match first {
                    Some(edge) => edge,
                    None => Edge::bind(config, access, storage).await?,
                };
                Ok(edge.within(limits).run(stop).await?)
            }
        });
        Ok(listen)
    }

    async fn web(&self, edge: SocketAddr) -> Result<SocketAddr> {
        let config = web::Config {
            listen: self.options.web,
            tokens: vec![web::Token { name: "operator".to_owned(), secret: self.secrets.token().into() }],
            github_webhook_secret: self.secrets.github_webhook_secret().into(),
            repositories: self.options.sources.repositories.allowed(true),
            web_url: String::new(),
            sites_url: web::SitesUrl {
                scheme: "http".to_owned(),
                base_domain: self.options.sites_domain.clone(),
                port: Some(edge.port()),
            },
        };
        let (log, logs) = (self.log("web").await?, self.storage("web").platform());
        let read_model = Store::establish(&self.servers.postgres.url(Role::Reader), WEB_CONNECTIONS)?;
        let first = Web::bind(config.clone(), log.clone(), read_model.clone(), logs.clone()).await?;
        let listen = first.local_addr();
        let (config, mut first) = (web::Config { listen, ..config }, Some(first));
        let (health, limits) = (self.health.clone(), self.options.door.limits(Share::Web));
        self.supervisor.keep("web", move |stop| {
            let (first, config, health) = (first.take(), config.clone(), health.clone());
            let limits = limits.clone();
            let (log, read_model, logs) = (log.clone(), read_model.clone(), logs.clone());
            async move {
                let web = match first {
                    Some(web) => web,
                    None => Web::bind(config, log, read_model, logs).await?,
                };
                Ok(web.within(limits).with_health(health).run(stop).await?)
            }
        });
        Ok(listen)
    }

    async fn projector(&self) -> Result<()> {
        let log = self.log("projector").await?;
        let store = Store::establish(&self.servers.postgres.url(Role::Owner), PROJECTOR_CONNECTIONS)?;
        self.supervisor.keep("projector", move |stop| {
            let (log, store) = (log.clone(), store.clone());
            async move {
                projector::run(log, store, Role::Reader.name(), stop).await;
                Ok(())
            }
        });
        Ok(())
    }

    async fn scheduler(&self) -> Result<()> {
        let (log, limits) = (self.log("scheduler").await?, self.options.scheduling.limits());
        self.supervisor.keep("scheduler", move |stop| {
            let log = log.clone();
            async move { Ok(Box::pin(scheduler::run(log, limits, stop)).await?) }
        });
        Ok(())
    }

    async fn syncer(&self, storage: Storage) -> Result<()> {
        let (log, data_dir) = (self.log("syncer").await?, self.folder.join("syncer"));
        self.supervisor.keep("syncer", move |stop| {
            let config = syncer::Config { slots: SYNCER_SLOTS, data_dir: data_dir.clone() };
            let (log, storage) = (log.clone(), storage.clone());
            async move { Ok(syncer::run(log, storage, config, stop).await?) }
        });
        Ok(())
    }

    async fn launcher(&self, doors: [SocketAddr; 3]) -> Result<()> {
        let folder = self.folder.join("launcher");
        modes::launcher(&folder)?;
        let own = doors.into_iter().chain([self.servers.s3]).map(|address| address.to_string());
        let own = own.chain(launch::hosts_of(&self.access("launcher")?.url)).collect();
        // On one machine, repositories are near: everything but what is ours.
        let rules =
            self.options.sources.rules(self.options.sources.repositories.allowed(true), (own, self.folder.to_owned()));
        let config = launch::config(&self.options.builds, folder, rules);
        // Pages are served and pushes are taken in without it.
        let engine = self.health.part("engine", Need::May);
        let mut first = Some(launcher::prepare(config.clone(), engine.clone()).await?);
        let (log, storage) = (self.log("launcher").await?, self.storage("launcher"));
        self.supervisor.keep("launcher", move |stop| {
            let (first, config, engine) = (first.take(), config.clone(), engine.clone());
            let (log, storage) = (log.clone(), storage.clone());
            async move {
                let prepared = match first {
                    Some(prepared) => prepared,
                    None => launcher::prepare(config, engine).await?,
                };
                Ok(launcher::run(prepared, log, &storage, stop).await?)
            }
        });
        Ok(())
    }

    fn access(&self, user: &str) -> Result<connection::Config> {
        self.servers.nats_access(user)
    }

    async fn log(&self, user: &str) -> Result<Log> {
        Ok(Log::new(Connection::establish(&self.access(user)?).await?))
    }

    fn storage(&self, name: &str) -> Storage {
        let (id, secret) = self.secrets.s3(name);
        let endpoint = format!("http://{}", self.servers.s3);
        Storage::connect(&storage::Config::new(endpoint, REGION.to_owned(), (id, SecretString::from(secret))))
    }
}
