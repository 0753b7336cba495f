//! The S3 server, in this process.

use super::super::secrets::Secrets;
use super::WATCH_EVERY;
use anyhow::{Context, Result};
use depot::Depot;
use runtime::error::chain;
use runtime::health::{Health, Need, Reporter};
use std::net::SocketAddr;
use std::path::Path;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The region that the S3 server of `pagefold up` goes by.
pub(in crate::up) const REGION: &str = "us-east-1";

pub(super) struct StoreServer {
    config: depot::Config,
    running: JoinHandle<Result<(), depot::Error>>,
    stop: CancellationToken,
    health: Reporter,
}

impl StoreServer {
    pub(super) async fn start(folder: &Path, listen: SocketAddr, secrets: &Secrets, health: &Health) -> Result<Self> {
        let config =
            depot::Config { root: folder.join("s3"), listen, region: REGION.to_owned(), keys: secrets.s3_keys() };
        let depot = Depot::bind(config.clone()).await.context("the S3 server cannot start")?;
        let (health, stop) = (health.part("s3_server", Need::Must), CancellationToken::new());
        let config = depot::Config { listen: depot.local_addr(), ..config };
        health.ok();
        Ok(Self { config, running: tokio::spawn(depot.run(stop.clone())), stop, health })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.config.listen
    }

    pub(super) async fn keep_up(&mut self) {
        loop {
            tokio::time::sleep(WATCH_EVERY).await;
            if !self.running.is_finished() {
                continue;
            }
            self.health.failing("it has ended");
            tracing::error!("the S3 server has ended, starting it again");
            match Depot::bind(self.config.clone()).await {
                Ok(again) => {
                    self.running = tokio::spawn(again.run(self.stop.clone()));
                    self.health.ok();
                }
                Err(error) => tracing::error!(error = chain(&error), "the S3 server cannot be started, trying again"),
            }
        }
    }

    pub(super) async fn stop(self) {
        self.stop.cancel();
        let _ = self.running.await;
    }
}
