//! The servers below the services: the S3 server in this process, nats-server and PostgreSQL beside it.

use super::secrets::Secrets;
use anyhow::{Context, Result};
use depot::Depot;
use projections::server as postgres;
use runtime::{Connection, connection, server as nats, streams};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The region that the S3 server of `pagefold up` goes by.
pub(super) const REGION: &str = "us-east-1";
/// How often the servers are looked after.
const WATCH_EVERY: Duration = Duration::from_millis(500);
/// Ports that the log's server may have: it takes the second if somebody else sits on the first when it is started again.
const NATS_PORTS: usize = 2;

pub(super) struct Servers {
    folder: PathBuf,
    pub(super) nats: nats::Server,
    /// Where the log's server may be, now and after it was started again.
    nats_settings: nats::Settings,
    /// Where it is.
    nats_url: watch::Sender<String>,
    pub(super) postgres: postgres::Server,
    pub(super) s3: SocketAddr,
    depot_config: depot::Config,
    depot: JoinHandle<Result<(), depot::Error>>,
    depot_stop: CancellationToken,
}

impl Servers {
    pub(super) async fn start(folder: &Path, s3: SocketAddr, secrets: &Secrets) -> Result<Self> {
        let config =
            depot::Config { root: folder.join("s3"), listen: s3, region: REGION.to_owned(), keys: secrets.s3_keys() };
        let depot = Depot::bind(config.clone()).await.context("the S3 server cannot start")?;
        let (s3, depot_stop) = (depot.local_addr(), CancellationToken::new());
        let depot_config = depot::Config { listen: s3, ..config };
        let depot = tokio::spawn(depot.run(depot_stop.clone()));
        let nats_settings = nats::Settings::new(&folder.join("nats"), nats::free_ports(NATS_PORTS)?);
        let nats = nats::Server::start_as(nats_settings.clone()).await?;
        let postgres = postgres::Server::start(&postgres_config(folder)).await.context("PostgreSQL cannot start")?;
        let nats_url = watch::Sender::new(nats.url());
        let folder = folder.to_owned();
        let servers = Self { folder, nats, nats_settings, nats_url, postgres, s3, depot_config, depot, depot_stop };
        let operator = Connection::open(&servers.nats_access("ctl")?).await?;
        streams::provision(&operator, 1).await?;
        operator.close().await;
        Ok(servers)
    }

    /// How `user` reaches the log, wherever its server is started again.
    pub(super) fn nats_access(&self, user: &str) -> Result<connection::Config> {
        let urls: Vec<String> = self.nats_settings.ports.iter().map(|port| nats::url(*port)).collect();
        Ok(nats::access(&self.nats_settings.secrets, user, urls.join(","))?)
    }

    /// What the log's server proves itself by.
    pub(super) fn nats_certificate(&self) -> PathBuf {
        nats::certificate(&self.nats_settings.secrets)
    }

    /// Where the log's server is, as it changes.
    pub(super) fn nats_url(&self) -> watch::Receiver<String> {
        self.nats_url.subscribe()
    }

    /// Starts a server again that has died, as often as it takes: the first tries may fail while processes of the dead one
    /// still end, and what does not need it goes on meanwhile.
    pub(super) async fn keep_up(&mut self) {
        let Self { folder, nats, nats_settings, nats_url, postgres, depot_config, depot, depot_stop, .. } = self;
        tokio::join!(
            keep_nats(nats, nats_settings, nats_url),
            keep_postgres(postgres, folder),
            keep_depot(depot, depot_config, depot_stop),
        );
    }

    pub(super) async fn stop(self) {
        if let Err(error) = self.postgres.stop().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "PostgreSQL did not end in order");
        }
        self.nats.stop().await;
        self.depot_stop.cancel();
        let _ = self.depot.await;
    }
}

async fn keep_nats(server: &mut nats::Server, settings: &nats::Settings, url: &watch::Sender<String>) {
    loop {
        tokio::time::sleep(WATCH_EVERY).await;
        if server.is_running() {
            continue;
        }
        tracing::error!("nats-server has ended, starting it again");
        match nats::Server::start_as(settings.clone()).await {
            Ok(again) => {
                url.send_replace(again.url());
                *server = again;
            }
            Err(error) => again_later("nats-server", &error),
        }
    }
}

async fn keep_postgres(server: &mut postgres::Server, folder: &Path) {
    loop {
        tokio::time::sleep(WATCH_EVERY).await;
        if server.is_running() {
            continue;
        }
        tracing::error!("PostgreSQL has ended, starting it again");
        match postgres::Server::start(&postgres_config(folder)).await {
            Ok(again) => *server = again,
            Err(error) => again_later("PostgreSQL", &error),
        }
    }
}

async fn keep_depot(
    server: &mut JoinHandle<Result<(), depot::Error>>,
    config: &depot::Config,
    stop: &CancellationToken,
) {
    loop {
        tokio::time::sleep(WATCH_EVERY).await;
        if !server.is_finished() {
            continue;
        }
        tracing::error!("the S3 server has ended, starting it again");
        match Depot::bind(config.clone()).await {
            Ok(again) => *server = tokio::spawn(again.run(stop.clone())),
            Err(error) => again_later("the S3 server", &error),
        }
    }
}

fn postgres_config(folder: &Path) -> postgres::Config {
    postgres::Config::new(folder.join("postgres"))
}

fn again_later(server: &str, error: &(dyn std::error::Error + 'static)) {
    tracing::error!(error, server, "it could not be started, trying again");
}
