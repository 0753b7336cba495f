//! The servers below the services: the S3 server in this process, nats-server and PostgreSQL beside it.
//!
//! Where each of them answers is known before it does, so services start at once and wait for what they need: the edge serves
//! what it has on its disk, however long a server takes to come up.

mod log;
mod read_model;
mod store;

use super::secrets::Secrets;
use anyhow::Result;
use log::LogServer;
use read_model::ReadModelServer;
use runtime::{Health, connection};
use secrecy::SecretString;
use servers::postgres;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::StoreServer;
use tokio::sync::watch;
use tokio::time::Instant;

pub(super) use store::REGION;

/// How often the servers are looked after.
const WATCH_EVERY: Duration = Duration::from_millis(500);
/// The longest pause before one that does not come up is started again.
const AGAIN_MAX: Duration = Duration::from_secs(5);

/// The pause before a server is started again; it doubles from time to time, as long as none lives.
struct Pause(Duration);

pub(super) struct Servers {
    log: LogServer,
    read_model: ReadModelServer,
    store: StoreServer,
    endpoints: Endpoints,
}

/// Where the servers answer, or will, for as long as this process lives.
#[derive(Clone)]
pub(super) struct Endpoints {
    log: log::Endpoint,
    read_model: postgres::Endpoint,
    read_model_answers: watch::Receiver<bool>,
    pub(super) s3: SocketAddr,
}

impl Pause {
    const fn none_yet() -> Self {
        Self(WATCH_EVERY)
    }

    /// That after a life which began at `began`.
    fn after(&mut self, began: Instant) -> Duration {
        self.0 = if began.elapsed() > AGAIN_MAX { WATCH_EVERY } else { (self.0 * 2).min(AGAIN_MAX) };
        self.0
    }
}

impl Servers {
    /// Sees to what the servers need, and to where they will answer. What can never work is an error.
    pub(super) async fn prepare(folder: &Path, s3: SocketAddr, secrets: &Secrets, health: &Health) -> Result<Self> {
        let store = StoreServer::start(folder, s3, secrets, health).await?;
        let log = LogServer::prepare(&folder.join("nats"), health).await?;
        let read_model = ReadModelServer::prepare(&folder.join("postgres"), health)?;
        let (read_model_answers, s3) = (read_model.answers(), store.address());
        let endpoints = Endpoints { log: log.endpoint(), read_model: read_model.endpoint(), read_model_answers, s3 };
        Ok(Self { log, read_model, store, endpoints })
    }

    pub(super) fn endpoints(&self) -> Endpoints {
        self.endpoints.clone()
    }

    /// Starts each, and again when it has died, as often as it takes: the first tries may fail while processes of the dead one
    /// still end, and what does not need it goes on meanwhile.
    pub(super) async fn keep_up(&mut self) {
        tokio::join!(self.log.keep_up(), self.read_model.keep_up(), self.store.keep_up());
    }

    pub(super) async fn stop(self) {
        self.read_model.stop().await;
        self.log.stop().await;
        self.store.stop().await;
    }
}

impl Endpoints {
    /// How `user` reaches the log.
    pub(super) fn log_access(&self, user: &str) -> Result<connection::Config> {
        self.log.access(user)
    }

    /// `host:port` of all that belongs to the log for as long as this process lives.
    pub(super) fn log_addresses(&self) -> Vec<String> {
        self.log.addresses()
    }

    /// Where the log's process listens, wherever it had to go.
    pub(super) fn log_process(&self) -> watch::Receiver<Option<SocketAddr>> {
        self.log.process()
    }

    /// Where the log answers, and what it proves itself by.
    pub(super) fn log_server(&self) -> (String, PathBuf) {
        (self.log.url(), self.log.certificate())
    }

    /// Comes back when the read model's server has answered, with its roles in place.
    pub(super) async fn read_model_has_answered(&self) {
        // The sender lives as long as the server is looked after.
        let _ = self.read_model_answers.clone().wait_for(|answers| *answers).await;
    }

    /// The read model's database, as `role` reaches it.
    pub(super) fn read_model(&self, role: postgres::Role) -> SecretString {
        self.read_model.url(role)
    }
}
