//! PostgreSQL.

use super::{Pause, WATCH_EVERY};
use anyhow::{Context, Result};
use runtime::error::chain;
use runtime::health::{Health, Need, Reporter};
use servers::postgres;
use std::path::Path;
use tokio::sync::watch;
use tokio::time::Instant;

pub(super) struct ReadModelServer {
    config: postgres::Config,
    endpoint: postgres::Endpoint,
    process: Option<postgres::Server>,
    /// Whether it has answered since this process began.
    answers: watch::Sender<bool>,
    health: Reporter,
}

impl ReadModelServer {
    pub(super) fn prepare(folder: &Path, health: &Health) -> Result<Self> {
        let config = postgres::Config::new(folder);
        let endpoint = postgres::Endpoint::prepare(&config).context("PostgreSQL cannot start")?;
        let health = health.part("postgresql", Need::Must);
        Ok(Self { config, endpoint, process: None, answers: watch::Sender::new(false), health })
    }

    pub(super) fn endpoint(&self) -> postgres::Endpoint {
        self.endpoint.clone()
    }

    pub(super) fn answers(&self) -> watch::Receiver<bool> {
        self.answers.subscribe()
    }

    pub(super) async fn keep_up(&mut self) {
        let mut pauses = Pause::none_yet();
        loop {
            let began = Instant::now();
            let ended = match postgres::Server::start(&self.config).await {
                Ok(started) => {
                    let process = self.process.insert(started);
                    self.health.ok();
                    self.answers.send_replace(true);
                    while process.is_running() {
                        tokio::time::sleep(WATCH_EVERY).await;
                    }
                    "it has ended".to_owned()
                }
                Err(error) => chain(&error),
            };
            let pause = pauses.after(began);
            tracing::error!(error = ended, ?pause, "PostgreSQL is not there, starting it again");
            self.health.failing(ended);
            tokio::time::sleep(pause).await;
        }
    }

    pub(super) async fn stop(self) {
        let Some(process) = self.process else { return };
        if let Err(error) = process.stop().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "PostgreSQL did not end in order");
        }
    }
}
