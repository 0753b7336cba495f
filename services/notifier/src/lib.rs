//! The notifier tells people and programs outside what happens to sites.
//!
//! *Hears* everything. *Says* `notice.delivered` and `notice.failed`. *Touches* the receivers that sites' people chose, and the
//! keys that their addresses are sealed with, only to read. *Safe to repeat because* what was settled is a fact, and a notice
//! that is sent twice has the same identity both times.

mod cdevents;
mod config;
mod desk;
mod hub;
mod mail;
mod news;
mod office;
mod round;
mod slack;
mod story;
mod tried;
mod webhook;

pub use config::{Config, Timing};
pub use desk::{Desk, Job};

use events::ReceiverId;
use office::Office;
use runtime::fold::{Fold as _, Following, Memory, Objects, Step};
use runtime::lease::Lease;
use runtime::{Error, Log, clock, telemetry};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

/// Its name: lease, snapshot, source of its facts.
pub const NAME: &str = "notifier";
/// How long it rests when its snapshot cannot be read.
const AGAIN: Duration = Duration::from_millis(500);
/// How long it leaves the lease to a newer version before it looks again.
const NEWER_AGAIN: Duration = Duration::from_secs(15);

/// Runs until `stop` fires. Of several processes one is active; the others wait for its lease. One that hears a fact it does
/// not know leaves the lease to a newer version.
///
/// # Errors
/// None today: what the log cannot do now is waited for.
pub async fn run(log: Log, config: Config, stop: CancellationToken) -> Result<(), Error> {
    let (holder, office) = (format!("{NAME}-{}", clock::new_id()), Arc::new(Office::new(log.clone(), config)));
    while !stop.is_cancelled() {
        let Some(lease) = Lease::acquire(log.connection(), NAME, &holder, &stop).await else { return Ok(()) };
        let (lost, mut rest) = (lease.lost(), Duration::ZERO);
        tokio::select! {
            () = lost.cancelled() => tracing::warn!("another notifier may be active, standing by"),
            result = Active::start(Arc::clone(&office)) => match result {
                Ok(active) => if active.run(&stop, &lost).await == Ended::Newer {
                    tracing::error!("standing by until a newer version takes over");
                    rest = NEWER_AGAIN;
                },
                Err(error) => {
                    tracing::error!(error = &*error as &dyn std::error::Error, "the notifier cannot start, trying again");
                    rest = AGAIN;
                }
            },
        }
        lease.release().await;
        let _ = stop.run_until_cancelled(tokio::time::sleep(rest)).await;
    }
    Ok(())
}

/// Why it is not active any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// It was asked to, or another may be.
    Asked,
    /// Only a newer version knows all that was stated.
    Newer,
}

struct Active {
    office: Arc<Office>,
    desk: Following<Memory<Desk, Objects>>,
    rounds: JoinSet<u64>,
    busy: HashMap<Id, ReceiverId>,
    /// Up to where the log must be known before a receiver is told more.
    known_until: HashMap<ReceiverId, u64>,
}

impl Active {
    async fn start(office: Arc<Office>) -> Result<Self, runtime::error::BoxError> {
        let log = office.log.clone();
        let desk = Memory::load(Objects::new(log.connection().clone(), NAME)).await?;
        tracing::info!(position = desk.position().sequence, "telling receivers");
        let desk = Following::new(log, desk);
        Ok(Self { office, desk, rounds: JoinSet::new(), busy: HashMap::new(), known_until: HashMap::new() })
    }

    async fn run(mut self, stop: &CancellationToken, lost: &CancellationToken) -> Ended {
        loop {
            if self.desk.fold().newer().is_some() {
                return Ended::Newer;
            }
            // Nothing is told before it is known what was told already.
            if self.desk.is_level() {
                self.begin();
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = lost.cancelled() => return Ended::Asked,
                Ok(step) = self.desk.next() => if step == Step::StartedOver {
                    self.rounds.abort_all();
                    self.known_until.clear();
                },
                Some(ended) = self.rounds.join_next_with_id() => self.end(ended),
            }
        }
        if let Err(error) = self.desk.into_fold().close().await {
            tracing::warn!(error = &*error as &dyn std::error::Error, "the snapshot was not stored");
        }
        Ended::Asked
    }

    /// Begins the next round of every receiver that something waits for and that none is under way for.
    fn begin(&mut self) {
        let (desk, position) = (self.desk.fold().state(), self.desk.fold().position().sequence);
        telemetry::metrics::notices_waiting(desk.waiting() as u64);
        for job in desk.due() {
            let is_busy = self.known_until.get(&job.receiver).is_some_and(|known_until| *known_until > position);
            if !is_busy {
                let office = Arc::clone(&self.office);
                let round = self.rounds.spawn(async move { round::run(&office, job).await });
                self.busy.insert(round.id(), job.receiver);
                self.known_until.insert(job.receiver, u64::MAX);
            }
        }
    }

    fn end(&mut self, ended: Result<(Id, u64), tokio::task::JoinError>) {
        match ended {
            Ok((round, known_until)) => {
                if let Some(receiver) = self.busy.remove(&round) {
                    self.known_until.insert(receiver, known_until);
                }
            }
            // Whatever it is, it is of this receiver alone, and stays so: it is told no more by this process.
            Err(error) => {
                self.busy.remove(&error.id());
                tracing::error!(%error, "a notice has brought down whoever told it");
            }
        }
    }
}
