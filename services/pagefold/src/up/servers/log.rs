//! nats-server: on any port that is free, behind a door that this process keeps.

use super::{Pause, WATCH_EVERY};
use anyhow::Result;
use runtime::error::chain;
use runtime::health::{Health, Need, Reporter};
use runtime::{Connection, connection, streams};
use servers::nats::{self, Relay};
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Ports that nobody may fetch a source from, and of which the server takes one. If somebody else sits on all of them, it
/// takes any other.
const PORTS: usize = 2;
const ANY: u16 = 0;

pub(super) struct LogServer {
    settings: nats::Settings,
    process: Option<nats::Server>,
    /// Where the process listens, if there is one.
    address: watch::Sender<Option<SocketAddr>>,
    /// The same for clients, who are let in when it has what they expect.
    open: watch::Sender<Option<SocketAddr>>,
    door: JoinHandle<Infallible>,
    endpoint: Endpoint,
    /// Whether it has the streams that services expect.
    provisioned: bool,
    health: Reporter,
}

/// Where the log answers.
#[derive(Clone)]
pub(super) struct Endpoint {
    secrets: PathBuf,
    door: u16,
    ports: Vec<u16>,
    process: watch::Receiver<Option<SocketAddr>>,
}

impl LogServer {
    pub(super) async fn prepare(folder: &Path, health: &Health) -> Result<Self> {
        let ports = servers::free_ports(PORTS)?;
        let settings =
            nats::Settings { folder: folder.to_owned(), ports: ports.iter().copied().chain([ANY]).collect() };
        settings.prepare().await?;
        let relay = Relay::bind().await?;
        let (address, open) = (watch::Sender::new(None), watch::Sender::new(None));
        let secrets = settings.folder.clone();
        let endpoint = Endpoint { secrets, door: relay.port(), ports, process: address.subscribe() };
        let door = tokio::spawn(relay.run(open.subscribe()));
        let health = health.part("nats_server", Need::Must);
        Ok(Self { settings, process: None, address, open, door, endpoint, provisioned: false, health })
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        self.endpoint.clone()
    }

    pub(super) async fn keep_up(&mut self) {
        let mut pauses = Pause::none_yet();
        loop {
            let began = Instant::now();
            let Err(error) = self.live().await;
            self.open.send_replace(None);
            self.address.send_replace(None);
            let pause = pauses.after(began);
            tracing::error!(error = format!("{error:#}"), ?pause, "nats-server is not there, starting it again");
            self.health.failing(format!("{error:#}"));
            tokio::time::sleep(pause).await;
        }
    }

    /// One life of the process.
    async fn live(&mut self) -> Result<Infallible> {
        // The one before is dead: it is not to be found in the place of the one to come.
        self.process = None;
        let process = self.process.insert(nats::Server::spawn(&self.settings).await?);
        let address = process.address();
        self.address.send_replace(Some(address));
        let waiting = |waited: Duration| {
            self.health
                .failing(format!("it lives and has not answered for {} s: it reads what it stores", waited.as_secs()));
        };
        process.ready(waiting).await?;
        if !self.provisioned {
            // What a fresh log lacks is made before anybody can miss it. If that fails, an older one may do meanwhile.
            self.provisioned = provision(&self.endpoint, address, &self.health).await;
        }
        self.open.send_replace(Some(address));
        while process.is_running() {
            if !self.provisioned {
                self.provisioned = provision(&self.endpoint, address, &self.health).await;
            }
            if self.provisioned {
                self.health.ok();
            }
            tokio::time::sleep(WATCH_EVERY).await;
        }
        anyhow::bail!("it has ended")
    }

    pub(super) async fn stop(self) {
        if let Some(process) = self.process {
            process.stop().await;
        }
        self.door.abort();
    }
}

impl Endpoint {
    pub(super) fn access(&self, user: &str) -> Result<connection::Config> {
        Ok(nats::access(&self.secrets, user, self.url())?)
    }

    pub(super) fn url(&self) -> String {
        nats::url(self.door)
    }

    pub(super) fn certificate(&self) -> PathBuf {
        nats::certificate(&self.secrets)
    }

    /// Where the process listens, which may be none of its [`addresses`](Self::addresses) if all were taken.
    pub(super) fn process(&self) -> watch::Receiver<Option<SocketAddr>> {
        self.process.clone()
    }

    pub(super) fn addresses(&self) -> Vec<String> {
        let ports = [self.door].into_iter().chain(self.ports.iter().copied());
        ports.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)).to_string()).collect()
    }
}

/// Makes what services expect of the log, or brings it up to date, past the door; answers whether that is done.
async fn provision(endpoint: &Endpoint, process: SocketAddr, health: &Reporter) -> bool {
    let made = async {
        let access = nats::access(&endpoint.secrets, "ctl", nats::url(process.port()))?;
        let operator = Connection::open(&access).await?;
        let made = streams::provision(&operator, 1).await;
        operator.close().await;
        Ok::<_, anyhow::Error>(made?)
    };
    match made.await {
        Ok(()) => true,
        Err(error) => {
            let error = chain(&*error);
            tracing::warn!(error, "the log cannot be provisioned, trying again");
            health.failing(format!("the log cannot be provisioned: {error}"));
            false
        }
    }
}
