//! Pushes as fast as they are taken in, and as fast as bare messages would be.

use super::crowd::Sender;
use crate::append;
use crate::log::FilledLog;
use async_nats::Client;
use journeys::{Delivery, Platform};
use std::time::Instant;

/// Pushes of one round. No site is built from their repositories: what is measured is the way in, with every fold behind it.
const PUSHES: usize = 5_000;
const IN_FLIGHT: usize = 64;

/// Pushes per second, to so many repositories in turn.
pub(super) async fn pushes(platform: &Platform, round: usize, repositories: usize) -> f64 {
    let mut crowd = Vec::new();
    for first in 0..IN_FLIGHT {
        let mut sender = Sender::connect(platform.ready()).await;
        let deliveries = (first..PUSHES).step_by(IN_FLIGHT).map(|index| push(round, index, index % repositories));
        // Signed before the clock runs: that is the host's work.
        let requests: Vec<_> = deliveries.map(|delivery| sender.request(&delivery, platform.ready())).collect();
        crowd.push(async move {
            for request in requests {
                sender.send(request).await;
            }
        });
    }
    let started = Instant::now();
    let crowd: Vec<_> = crowd.into_iter().map(tokio::spawn).collect();
    for sender in crowd {
        sender.await.unwrap();
    }
    let rate = PUSHES as f64 / started.elapsed().as_secs_f64();
    platform.read_model_has_caught_up().await;
    rate
}

fn push(round: usize, index: usize, repository: usize) -> Delivery {
    let url = format!("https://git.example.org/intake/repository-{repository}");
    let commit = |version: usize| format!("{:040x}", (round << 32) + index + version + 1);
    Delivery::of_push(&url, "main", &commit(0), &commit(1))
}

/// A log of its own, with nobody behind it.
pub(super) struct Bare {
    log: FilledLog,
    client: Client,
}

impl Bare {
    pub(super) async fn new() -> Self {
        let log = FilledLog::new(std::iter::empty()).await;
        let client = log.bare("web").await;
        Self { log, client }
    }

    /// Publishes per second.
    pub(super) async fn publishes(&self, round: &str) -> f64 {
        append::crowd(PUSHES, round, async |name| append::publish(&self.client, &name).await).await
    }

    pub(super) async fn stop(self) {
        self.log.stop().await;
    }
}
