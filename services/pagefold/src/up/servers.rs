//! The servers below the services: the S3 server in this process, nats-server and PostgreSQL beside it.

use super::secrets::Secrets;
use anyhow::{Context, Error, Result};
use depot::Depot;
use projections::server as postgres;
use runtime::{Connection, connection, server as nats, streams};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The region that the S3 server of `pagefold up` goes by.
pub(super) const REGION: &str = "us-east-1";
/// How often the servers are looked after.
const WATCH_EVERY: Duration = Duration::from_millis(500);

pub(super) struct Servers {
    folder: PathBuf,
    pub(super) nats: nats::Server,
    pub(super) postgres: postgres::Server,
    pub(super) s3: SocketAddr,
    depot: JoinHandle<Result<(), depot::Error>>,
    depot_stop: CancellationToken,
}

impl Servers {
    pub(super) async fn start(folder: &Path, s3: SocketAddr, secrets: &Secrets) -> Result<Self> {
        let config =
            depot::Config { root: folder.join("s3"), listen: s3, region: REGION.to_owned(), keys: secrets.s3_keys() };
        let depot = Depot::bind(config).await.context("the S3 server cannot start")?;
        let (s3, depot_stop) = (depot.local_addr(), CancellationToken::new());
        let depot = tokio::spawn(depot.run(depot_stop.clone()));
        let nats = nats::Server::start(&folder.join("nats"), 0).await?;
        let postgres = postgres::Config::new(folder.join("postgres"));
        let postgres = postgres::Server::start(&postgres).await.context("PostgreSQL cannot start")?;
        let servers = Self { folder: folder.to_owned(), nats, postgres, s3, depot, depot_stop };
        let operator = Connection::open(&servers.nats_access("ctl")?).await?;
        streams::provision(&operator, 1).await?;
        operator.close().await;
        Ok(servers)
    }

    /// How `user` reaches the log.
    pub(super) fn nats_access(&self, user: &str) -> Result<connection::Config> {
        let (url, password) = (self.nats.url(), self.nats.password(user)?);
        Ok(connection::Config { url, user: user.to_owned(), password })
    }

    /// Starts a server again that has died, at its old address, as often as it takes: the first tries may fail while
    /// processes of the dead one still end, and what does not need it goes on meanwhile. Ends only with the S3 server.
    pub(super) async fn keep_up(&mut self) -> Error {
        loop {
            tokio::time::sleep(WATCH_EVERY).await;
            if self.depot.is_finished() {
                return Error::msg("the S3 server has ended");
            }
            if !self.nats.is_running() {
                tracing::error!("nats-server has ended, starting it again");
                match nats::Server::start(&self.folder.join("nats"), self.nats.port()).await {
                    Ok(again) => self.nats = again,
                    Err(error) => again_later("nats-server", &error),
                }
            }
            if !self.postgres.is_running() {
                tracing::error!("PostgreSQL has ended, starting it again");
                let port = Some(self.postgres.port());
                let config = postgres::Config { port, ..postgres::Config::new(self.folder.join("postgres")) };
                match postgres::Server::start(&config).await {
                    Ok(again) => self.postgres = again,
                    Err(error) => again_later("PostgreSQL", &error),
                }
            }
        }
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

fn again_later(server: &str, error: &(dyn std::error::Error + 'static)) {
    tracing::error!(error, server, "it could not be started, trying again");
}
