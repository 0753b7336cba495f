//! The services: each with a connection, a key and a role of its own, as if it ran by itself.

use super::Up;
use super::ready::Ready;
use super::secrets::Secrets;
use super::servers::{Endpoints, REGION};
use super::supervisor::Supervisor;
use crate::health::watch_storage;
use crate::service::PROJECTOR_CONNECTIONS;
use crate::{launch, modes};
use anyhow::{Context, Result};
use dialer::Own;
use edge::Edge;
use events::SitesUrl;
use launcher::source::Home;
use listener::Share;
use projections::Store;
use runtime::error::chain;
use runtime::health::{Need, Status};
use runtime::{Connection, Health, Log, connection};
use secrecy::{ExposeSecret, SecretString};
use servers::postgres::Role;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use storage::Storage;
use tokio::sync::watch;
use web::Web;

/// How long the platform may take to answer.
const ANSWER_DEADLINE: Duration = Duration::from_secs(60);
/// The rest before it is tried once more to make what the store must have.
const MAKE_AGAIN: Duration = Duration::from_secs(1);

pub(super) struct Services {
    web: SocketAddr,
    edge: SocketAddr,
    edge_tls: Option<SocketAddr>,
}

/// What all services are started with.
pub(super) struct Surroundings<'a> {
    pub(super) options: &'a Up,
    pub(super) folder: &'a Path,
    pub(super) endpoints: &'a Endpoints,
    pub(super) secrets: &'a Secrets,
    pub(super) supervisor: &'a Supervisor,
    pub(super) health: &'a Health,
}

impl Services {
    /// Starts all of them, the edge first: it needs nobody. What cannot be configured so is an error; what is away is waited
    /// for.
    pub(super) async fn start(around: &Surroundings<'_>, admin: SocketAddr) -> Result<Self> {
        let (place, web) = watch::channel(None);
        let (edge, edge_tls) = around.edge(web, admin).await?;
        let storage = around.storage("syncer");
        let stop = around.supervisor.stop_token();
        tokio::spawn(stop.clone().run_until_cancelled_owned(make_bucket(storage.clone())));
        watch_storage(around.health, &storage, Need::Must, &stop);
        let web = around.web(edge, admin).await?;
        place.send_replace(Some(web));
        around.projector().await?;
        around.scheduler().await?;
        around.syncer(storage).await?;
        around.notifier([web, edge, admin]).await?;
        around.registrar(edge).await?;
        around.launcher([web, edge, admin]).await?;
        Ok(Self { web, edge, edge_tls })
    }

    /// Ends when everything is there: web and edge listen, and every part is well.
    pub(super) async fn answer(&self, health: &Health) -> Result<()> {
        let all = async {
            while !(self.listens().await && health.report().is_fit()) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(ANSWER_DEADLINE, all).await.with_context(|| format!("not there: {}", missing(health)))
    }

    async fn listens(&self) -> bool {
        let connects = |address| async move { tokio::net::TcpStream::connect(address).await.is_ok() };
        connects(self.web).await && connects(self.edge).await
    }

    pub(super) fn ready(&self, around: &Surroundings<'_>) -> Ready {
        let (s3_access_key, s3_secret_key) = around.secrets.s3("operator");
        let (nats, nats_certificate) = around.endpoints.log_server();
        Ready {
            web: format!("http://{}", self.web),
            edge: format!("http://{}", self.edge),
            edge_tls: self.edge_tls.map(|address| format!("https://{address}")),
            admin: String::new(),
            s3: format!("http://{}", around.endpoints.s3),
            nats,
            nats_certificate,
            postgres: around.endpoints.read_model(Role::Owner).expose_secret().to_owned(),
            token: around.secrets.token(),
            sign_in_url: String::new(),
            github_webhook_secret: around.secrets.github_webhook_secret(),
            sites_domain: around.options.sites_domain.clone(),
            s3_access_key,
            s3_secret_key,
            pid: std::process::id(),
        }
    }
}

impl Surroundings<'_> {
    /// Web is not there yet: `web` tells where it is once it is.
    async fn edge(
        &self,
        web: watch::Receiver<Option<SocketAddr>>,
        admin: SocketAddr,
    ) -> Result<(SocketAddr, Option<SocketAddr>)> {
        let mut own = self.closed(&[admin]);
        own.push(Own::Moving(web.clone()));
        let config = edge::Config {
            tls: self.options.edge_tls.config(),
            base_domain: self.options.sites_domain.clone(),
            cache_bytes: self.options.edge_cache_bytes,
            disk_bytes: self.options.edge_disk_bytes,
            backends: self.options.backends.dialer(true, own),
            key: Some(self.edge_key()?),
            sign_in: edge::SignIn::Moving(web),
            ..edge::Config::new(self.options.edge, self.folder.join("edge"))
        };
        let (access, storage) = (self.access("edge")?, self.storage("edge"));
        let first = Edge::bind(config.clone(), access.clone(), storage.clone()).await?;
        let (listen, tls_addr) = (first.local_addr(), first.tls_addr());
        // Whoever comes after it listens where it did.
        let tls = config.tls.clone().zip(tls_addr).map(|(tls, listen)| edge::Tls { listen, ..tls });
        let (config, mut first) = (edge::Config { listen, tls, ..config }, Some(first));
        let limits = self.options.door.limits(Share::Edge);
        self.supervisor.keep("edge", move |stop| {
            let (first, config, access, storage) = (first.take(), config.clone(), access.clone(), storage.clone());
            let limits = limits.clone();
            async move {
                let edge = match first {
                    Some(edge) => edge,
                    None => Edge::bind(config, access, storage).await?,
                };
                Ok(Box::pin(edge.within(limits).run(stop)).await?)
            }
        });
        Ok((listen, tls_addr))
    }

    async fn web(&self, edge: SocketAddr, admin: SocketAddr) -> Result<SocketAddr> {
        let config = web::Config {
            listen: self.options.web,
            tokens: vec![web::Token { name: "operator".to_owned(), secret: self.secrets.token().into() }],
            key: self.secrets.key().into(),
            github_webhook_secret: self.secrets.github_webhook_secret().into(),
            repositories: self.options.sources.repositories.allowed(true),
            closed: self.closed(&[edge, admin]),
            receivers: self.options.receivers.allowed(),
            backends: self.options.backends.allowed(true),
            web_url: String::new(),
            edge_addresses: self.options.edges.or_at(edge),
            sites_url: self.sites_url(edge),
            sign_in: self.options.sign_in.config()?,
            mailer: self.options.mail.mailer()?,
            spool: self.folder.join("web"),
            own_repositories: self.folder.join("repositories"),
            repositories_token: Some(self.secrets.repositories_token()),
        };
        let (log, storage) = (self.log("web").await?, self.storage("web"));
        let read_model =
            Store::establish(&self.endpoints.read_model(Role::Reader), self.options.web_postgres_connections)?;
        let first = Web::bind(config.clone(), log.clone(), read_model.clone(), storage.clone()).await?;
        let listen = first.local_addr();
        let (config, mut first) = (web::Config { listen, ..config }, Some(first));
        let (health, limits) = (self.health.clone(), self.options.door.limits(Share::Web));
        self.supervisor.keep("web", move |stop| {
            let (first, config, health) = (first.take(), config.clone(), health.clone());
            let limits = limits.clone();
            let (log, read_model, storage) = (log.clone(), read_model.clone(), storage.clone());
            async move {
                let web = match first {
                    Some(web) => web,
                    None => Web::bind(config, log, read_model, storage).await?,
                };
                Ok(web.within(limits).with_health(health).run(stop).await?)
            }
        });
        Ok(listen)
    }

    async fn projector(&self) -> Result<()> {
        let log = self.log("projector").await?;
        let store = Store::establish(&self.endpoints.read_model(Role::Owner), PROJECTOR_CONNECTIONS)?;
        let endpoints = self.endpoints.clone();
        self.supervisor.keep("projector", move |stop| {
            let (log, store, endpoints) = (log.clone(), store.clone(), endpoints.clone());
            async move {
                // A server that comes up for the first time has no role yet that could be let in.
                if stop.run_until_cancelled(endpoints.read_model_has_answered()).await.is_some() {
                    projector::run(log, store, Role::Reader.name(), stop).await;
                }
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
        let slots = self.options.syncer_slots.max(1);
        self.supervisor.keep("syncer", move |stop| {
            let config = syncer::Config { slots, data_dir: data_dir.clone() };
            let (log, storage) = (log.clone(), storage.clone());
            async move { Ok(syncer::run(log, storage, config, stop).await?) }
        });
        Ok(())
    }

    async fn launcher(&self, doors: [SocketAddr; 3]) -> Result<()> {
        let folder = self.folder.join("launcher");
        modes::launcher(&folder)?;
        // On one machine, repositories are near: everything but what is ours.
        let sources = &self.options.sources;
        let mut rules = sources.rules(sources.repositories.allowed(true), self.own(doors), self.folder.to_owned());
        rules.dialer.own.push(Own::Moving(self.endpoints.log_process()));
        rules.own = Some(Home { url: format!("http://{}", doors[0]), token: self.secrets.repositories_token() });
        let key = launcher::BuildKey::read(&web::build_key(&self.secrets.key().into()))?;
        let config = launch::config(&self.options.builds, folder, rules, key);
        // Pages are served and pushes are taken in without it.
        let parts = launcher::Parts::of(self.health, Need::May);
        let mut first = Some(launcher::prepare(config.clone(), parts.clone()).await?);
        let (log, storage) = (self.log("launcher").await?, self.storage("launcher"));
        self.supervisor.keep("launcher", move |stop| {
            let (first, config, parts) = (first.take(), config.clone(), parts.clone());
            let (log, storage) = (log.clone(), storage.clone());
            async move {
                let prepared = match first {
                    Some(prepared) => prepared,
                    None => launcher::prepare(config, parts).await?,
                };
                Ok(launcher::run(prepared, log, &storage, stop).await?)
            }
        });
        Ok(())
    }

    async fn notifier(&self, doors: [SocketAddr; 3]) -> Result<()> {
        let [web, edge, _] = doors;
        let named = self.options.sources.forbidden_addresses.iter().flat_map(|address| launch::hosts_of(address));
        let mut own: Vec<Own> = self.own(doors).into_iter().chain(named).map(Own::At).collect();
        own.push(Own::Moving(self.endpoints.log_process()));
        let config = notifier::Config {
            key: web::vault_key(&self.secrets.key().into()),
            dialer: self.options.receivers.dialer(own),
            github: self.options.github_app.app()?,
            mailer: self.options.mail.mailer()?,
            web_url: format!("http://{web}"),
            sites_url: self.sites_url(edge),
            timing: notifier::Timing::default(),
        };
        let log = self.log("notifier").await?;
        self.supervisor.keep("notifier", move |stop| {
            let (log, config) = (log.clone(), config.clone());
            async move { Ok(Box::pin(notifier::run(log, config, stop)).await?) }
        });
        Ok(())
    }

    fn edge_key(&self) -> Result<doors::Key> {
        Ok(doors::Key::read(&web::edge_key(&self.secrets.key().into()))?)
    }

    async fn registrar(&self, edge: SocketAddr) -> Result<()> {
        let config = registrar::Config {
            sites_domain: self.options.sites_domain.clone(),
            edge_addresses: self.options.edges.or_at(edge),
            resolver: self.options.resolver.resolver,
            acme: self.options.acme.config(Some(self.edge_key()?))?,
        };
        let log = self.log("registrar").await?;
        self.supervisor.keep("registrar", move |stop| {
            let (log, config) = (log.clone(), config.clone());
            async move { Ok(Box::pin(registrar::run(log, config, stop)).await?) }
        });
        Ok(())
    }

    /// Where the platform's own servers answer.
    fn own(&self, doors: [SocketAddr; 3]) -> Vec<String> {
        let own = doors.into_iter().chain([self.endpoints.s3]).map(|address| address.to_string());
        own.chain(self.endpoints.log_addresses()).chain(self.options.builds.docker_hosts()).collect()
    }

    /// What web and edge do not connect to for others; each knows itself.
    fn closed(&self, doors: &[SocketAddr]) -> Vec<Own> {
        let servers = doors.iter().chain([&self.endpoints.s3]).map(ToString::to_string);
        let servers = servers.chain(self.endpoints.log_addresses()).chain(self.options.builds.docker_hosts());
        servers.map(Own::At).chain([Own::Moving(self.endpoints.log_process())]).collect()
    }

    fn sites_url(&self, edge: SocketAddr) -> SitesUrl {
        let base_domain = self.options.sites_domain.clone();
        SitesUrl { scheme: "http".to_owned(), base_domain, port: Some(edge.port()) }
    }

    fn access(&self, user: &str) -> Result<connection::Config> {
        self.endpoints.log_access(user)
    }

    async fn log(&self, user: &str) -> Result<Log> {
        Ok(Log::new(Connection::establish(&self.access(user)?).await?))
    }

    fn storage(&self, name: &str) -> Storage {
        let (id, secret) = self.secrets.s3(name);
        let endpoint = format!("http://{}", self.endpoints.s3);
        Storage::connect(&storage::Config::new(endpoint, REGION.to_owned(), id, SecretString::from(secret)))
    }
}

/// The names of the parts that do not work.
fn missing(health: &Health) -> String {
    let parts = health.report().parts.into_iter().filter(|(_, part)| part.status != Status::Ok);
    parts.map(|(name, _)| name).collect::<Vec<_>>().join(", ")
}

/// Makes the bucket of the platform, as often as it takes. Whoever needs it sees that it is not there, and waits.
async fn make_bucket(storage: Storage) {
    while let Err(error) = storage.platform().ensure().await {
        tracing::error!(error = chain(&error), "the platform bucket cannot be made, trying again");
        tokio::time::sleep(MAKE_AGAIN).await;
    }
}
