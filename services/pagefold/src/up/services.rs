//! The services: each with a connection, a key and a role of its own, as if it ran by itself.

use super::Up;
use super::ready::Ready;
use super::secrets::Secrets;
use super::servers::{REGION, Servers};
use crate::launch;
use anyhow::{Context, Error, Result, anyhow};
use edge::Edge;
use listener::Share;
use projections::Store;
use projections::server::Role;
use runtime::{Connection, Log};
use secrecy::{ExposeSecret, SecretString};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use storage::Storage;
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
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
    read_model: Store,
    stop: CancellationToken,
    tasks: TaskTracker,
    failures: Mutex<mpsc::UnboundedReceiver<Error>>,
    failed: mpsc::UnboundedSender<Error>,
}

impl Services {
    pub(super) async fn start(options: &Up, folder: &Path, (servers, secrets): (&Servers, &Secrets)) -> Result<Self> {
        let launcher = launcher::prepare(launch::config(&options.builds, folder.join("launcher"), true)).await?;
        let edge = bind_edge(options, folder, (servers, secrets)).await?;
        let web = bind_web(options, edge.local_addr(), (servers, secrets)).await?;
        let writer = Store::connect(&servers.postgres.url(Role::Owner), 4).await?;
        let (failed, failures) = mpsc::unbounded_channel();
        let services = Self {
            web: web.local_addr(),
            edge: edge.local_addr(),
            read_model: writer.clone(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            failures: Mutex::new(failures),
            failed,
        };
        let stop = || services.stop.clone();
        let syncer_storage = storage(servers, secrets, "syncer");
        syncer_storage.platform().ensure().await.context("the platform bucket cannot be made")?;
        services.spawn("web", web.run(stop()));
        services.spawn("edge", edge.run(stop()));
        let log = open(servers, "projector").await?;
        let projecting = projector::run(log, writer, Role::Reader.name(), stop());
        services.spawn("projector", async {
            projecting.await;
            Ok::<(), runtime::Error>(())
        });
        let log = open(servers, "scheduler").await?;
        services.spawn("scheduler", scheduler::run(log, scheduler::Limits::default(), stop()));
        let log = open(servers, "syncer").await?;
        let config = syncer::Config { slots: SYNCER_SLOTS, data_dir: folder.join("syncer") };
        services.spawn("syncer", syncer::run(log, syncer_storage, config, stop()));
        let log = open(servers, "launcher").await?;
        let (storage, stopped) = (storage(servers, secrets, "launcher"), stop());
        services.spawn("launcher", async move { launcher::run(launcher, log, &storage, stopped).await });
        Ok(services)
    }

    fn spawn<E>(&self, name: &'static str, service: impl Future<Output = Result<(), E>> + Send + 'static)
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let (stop, failed) = (self.stop.clone(), self.failed.clone());
        self.tasks.spawn(async move {
            let ended = service.await;
            if stop.is_cancelled() {
                return;
            }
            let error = match ended {
                Ok(()) => anyhow!("{name} has ended by itself"),
                Err(error) => Error::new(error).context(format!("{name} has failed")),
            };
            // Nobody listens any more once the platform is ending.
            let _ = failed.send(error);
        });
    }

    /// Ends when web, edge and read model answer; fails when a service does.
    pub(super) async fn answer(&self) -> Result<()> {
        let all = async {
            while !(self.listens().await && self.read_model.live().position().await.is_ok()) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            answered = tokio::time::timeout(ANSWER_DEADLINE, all) => answered.context("not everything answers in time"),
            error = self.failed() => Err(error),
        }
    }

    async fn listens(&self) -> bool {
        let connects = |address| async move { tokio::net::TcpStream::connect(address).await.is_ok() };
        connects(self.web).await && connects(self.edge).await
    }

    /// Why a service has ended, as soon as one has.
    pub(super) async fn failed(&self) -> Error {
        let mut failures = self.failures.lock().await;
        failures.recv().await.unwrap_or_else(|| anyhow!("every service has ended"))
    }

    pub(super) fn ready(&self, options: &Up, (servers, secrets): (&Servers, &Secrets)) -> Ready {
        let (s3_access_key, s3_secret_key) = secrets.s3("operator");
        Ready {
            web: format!("http://{}", self.web),
            edge: format!("http://{}", self.edge),
            admin: String::new(),
            s3: format!("http://{}", servers.s3),
            nats: servers.nats.url(),
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
        self.stop.cancel();
        self.tasks.close();
        let longest = runtime::shutdown::DRAIN_DEADLINE + Duration::from_secs(5);
        if tokio::time::timeout(longest, self.tasks.wait()).await.is_err() {
            tracing::warn!("some services did not end in time");
        }
    }
}

async fn bind_edge(options: &Up, folder: &Path, (servers, secrets): (&Servers, &Secrets)) -> Result<Edge> {
    let base_domain = options.sites_domain.clone();
    let config = edge::Config { base_domain, ..edge::Config::new(options.edge, folder.join("edge")) };
    let edge = Edge::bind(config, servers.nats_access("edge")?, storage(servers, secrets, "edge")).await?;
    Ok(edge.within(options.door.limits(Share::Edge)))
}

async fn bind_web(options: &Up, edge: SocketAddr, (servers, secrets): (&Servers, &Secrets)) -> Result<Web> {
    let config = web::Config {
        listen: options.web,
        tokens: vec![web::Token { name: "operator".to_owned(), secret: SecretString::from(secrets.token()) }],
        github_webhook_secret: SecretString::from(secrets.github_webhook_secret()),
        sites_url: web::SitesUrl {
            scheme: "http".to_owned(),
            base_domain: options.sites_domain.clone(),
            port: Some(edge.port()),
        },
    };
    let log = open(servers, "web").await?;
    let read_model = Store::connect(&servers.postgres.url(Role::Reader), WEB_CONNECTIONS).await?;
    let web = Web::bind(config, log, read_model, storage(servers, secrets, "web").platform()).await?;
    Ok(web.within(options.door.limits(Share::Web)))
}

async fn open(servers: &Servers, user: &str) -> Result<Log> {
    Ok(Log::new(Connection::open(&servers.nats_access(user)?).await?))
}

fn storage(servers: &Servers, secrets: &Secrets, name: &str) -> Storage {
    let (id, secret) = secrets.s3(name);
    let endpoint = format!("http://{}", servers.s3);
    Storage::connect(&storage::Config::new(endpoint, REGION.to_owned(), (id, SecretString::from(secret))))
}
