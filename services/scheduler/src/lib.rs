//! The scheduler decides what is built and when.
//!
//! *Hears* sites, pushes, builds and aliases. *Says* `build.queued`, `build.dispatched`, `build.canceled`, and
//! `alias.removed` for a deleted branch. *Touches* nothing. *Safe to repeat because* it is one pure function over a fold of
//! the log: what was said is in the fold, and what was not is said again with the same identity.

pub mod queue;
pub mod schedule;

use events::{Cause, Recorded, subject};
use futures::{FutureExt, StreamExt, future};
use queue::{Origin, Queue};
use runtime::lease::Lease;
use runtime::snapshot::{self, Snapshot};
use runtime::{Entry, Error, ExecuteError, Log, clock, telemetry};
pub use schedule::Limits;
use schedule::{Decision, schedule};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Its name: lease, snapshot, source of its facts.
pub const NAME: &str = "scheduler";
/// Bumped when the shape or the meaning of [`Queue`] changes; an older snapshot is then not read.
const SNAPSHOT_VERSION: u32 = 2;
/// Facts between two snapshots.
const SNAPSHOT_EVERY: u64 = 1000;
/// How often the clock is looked at when nothing happens.
const TICK: Duration = Duration::from_secs(15);

/// Runs until `stop` fires. Of several processes one is active; the others wait for its lease.
///
/// # Errors
/// [`Error`] if the log cannot be reached when it starts.
pub async fn run(log: Log, limits: Limits, stop: CancellationToken) -> Result<(), Error> {
    let holder = format!("{NAME}-{}", clock::new_id());
    while !stop.is_cancelled() {
        let Some(lease) = Lease::acquire(log.connection(), (NAME, &holder), &stop).await else { return Ok(()) };
        let lost = lease.lost();
        tokio::select! {
            () = lost.cancelled() => tracing::warn!("another scheduler may be active, standing by"),
            result = Active::start(log.clone(), limits) => match result {
                Ok(mut active) => active.run(&stop, &lost).await,
                Err(error) => {
                    tracing::error!(%error, "the scheduler cannot start, trying again");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            },
        }
        lease.release().await;
    }
    Ok(())
}

struct Active {
    log: Log,
    limits: Limits,
    queue: Queue,
    position: u64,
    saved: u64,
}

impl Active {
    async fn start(log: Log, limits: Limits) -> Result<Self, Error> {
        let found = snapshot::load::<Queue>(log.connection(), NAME, SNAPSHOT_VERSION).await?;
        let (queue, position) = found.map_or_else(Default::default, |snapshot| (snapshot.state, snapshot.sequence));
        tracing::info!(position, "scheduling from snapshot");
        Ok(Self { log, limits, queue, position, saved: position })
    }

    async fn run(&mut self, stop: &CancellationToken, lost: &CancellationToken) {
        let mut entries = self.log.follow(self.position);
        // Nothing is decided before everything that was said is known.
        let mut known_until = self.log.last_sequence().await.unwrap_or(u64::MAX);
        loop {
            if self.position >= known_until {
                known_until = self.decide().await;
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = lost.cancelled() => return,
                Some(entry) = entries.next() => {
                    self.fold(entry);
                    // Whatever is there already is taken in before the next decision.
                    while let Some(Some(entry)) = entries.next().now_or_never() {
                        self.fold(entry);
                    }
                }
                () = tokio::time::sleep(TICK) => {
                    known_until = known_until.min(self.log.last_sequence().await.unwrap_or(known_until));
                }
            }
            if self.position >= self.saved + SNAPSHOT_EVERY {
                self.save().await;
            }
        }
        self.save().await;
    }

    fn fold(&mut self, entry: Entry) {
        self.position = entry.sequence;
        telemetry::metrics::fold_position(NAME, entry.sequence, entry.pending);
        match entry.fact {
            Ok(recorded) => self.queue.apply(&recorded),
            Err(error) if error.is_unknown_type() => {}
            Err(error) => {
                tracing::error!(%error, sequence = entry.sequence, "a fact cannot be read and is passed over")
            }
        }
    }

    /// Says everything there is to say now; answers the sequence that must be known before the next decision.
    async fn decide(&self) -> u64 {
        let decisions = schedule(&self.queue, &self.limits, clock::now());
        let said = future::join_all(decisions.into_iter().map(|decision| self.say(decision))).await;
        let last = said.iter().flatten().flatten().map(|recorded| recorded.sequence).max();
        if said.iter().any(Result::is_err) {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        self.report();
        last.unwrap_or(self.position)
    }

    async fn say(&self, decision: Decision) -> Result<Vec<Recorded>, Error> {
        let said = match decision {
            Decision::Build(id, command, origin) => {
                self.log.execute::<events::Build>(&id.to_string(), &command, &cause(origin)).await
            }
            Decision::Alias(site, alias, command, origin) => {
                self.log.execute::<events::Alias>(&subject::alias_id(&site, &alias), &command, &cause(origin)).await
            }
        };
        match said {
            Ok(recorded) => Ok(recorded),
            // Somebody else spoke first; the fold will tell.
            Err(ExecuteError::Refused(refusal)) => {
                tracing::debug!(%refusal, "a decision was overtaken");
                Ok(Vec::new())
            }
            Err(ExecuteError::Failed(error)) => {
                tracing::warn!(%error, "a decision could not be said, trying again");
                Err(error)
            }
        }
    }

    fn report(&self) {
        let waits = |build: &&queue::Build| build.progress == queue::Progress::Queued;
        let pending = self.queue.builds.values().filter(waits).count();
        telemetry::metrics::builds_active("pending", pending as u64);
        telemetry::metrics::builds_active("executing", (self.queue.builds.len() - pending) as u64);
    }

    async fn save(&mut self) {
        let snapshot = Snapshot { version: SNAPSHOT_VERSION, sequence: self.position, state: self.queue.clone() };
        match snapshot::save(self.log.connection(), NAME, &snapshot).await {
            Ok(()) => self.saved = self.position,
            Err(error) => tracing::warn!(%error, "the snapshot was not stored"),
        }
    }
}

fn cause(origin: Origin) -> Cause {
    Cause {
        causation: Some(origin.id),
        correlation: Some(origin.correlation),
        actor: events::Actor::service(NAME),
        traceparent: origin.traceparent,
        tracestate: origin.tracestate,
        id: None,
    }
}
