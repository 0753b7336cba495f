//! The scheduler decides what is built and when.
//!
//! *Hears* organizations, sites, pushes, builds and aliases. *Says* `build.scheduled`, `build.queued`, `build.dispatched`, `build.canceled`, and
//! `alias.removed` for a deleted branch, `site.erased` when a deleted site can no longer be restored; of a sandbox
//! `organization.clean_up_announced`, `site.deleted` and `organization.cleaned_up`. *Touches* nothing. *Safe to repeat
//! because* it is one pure function over a fold of the log: what was said is in the fold, and what was not is said again with
//! the same identity.

pub mod branches;
mod limits;
pub mod queue;
mod say;
pub mod schedule;
mod slots;

use events::{Position, Recorded};
use futures::future;
pub use limits::Limits;
use queue::Queue;
use runtime::fold::{Fold as _, Following, Memory, Objects, State, Step};
use runtime::lease::Lease;
use runtime::{Error, Log, clock, telemetry};
use say::say;
use schedule::{Decision, schedule};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Its name: lease, snapshot, source of its facts.
pub const NAME: &str = "scheduler";
/// Bumped when the shape or the meaning of [`Queue`] changes; an older snapshot is then not read.
const SNAPSHOT_VERSION: u32 = 11;
/// How long what the queue has heard may go unsaved.
const SAVE_AFTER: Duration = Duration::from_secs(15);
/// How long it rests when its snapshot or a decision failed.
const AGAIN: Duration = Duration::from_millis(500);
/// How often the clock is looked at when nothing happens.
const TICK: Duration = Duration::from_secs(15);

impl State for Queue {
    const NAME: &'static str = NAME;
    const VERSION: u32 = SNAPSHOT_VERSION;
    const SAVE_AFTER: Duration = SAVE_AFTER;

    fn apply(&mut self, recorded: &Recorded) -> bool {
        Self::apply(self, recorded)
    }
}

/// Runs until `stop` fires. Of several processes one is active; the others wait for its lease. One that hears a fact it
/// does not know decides nothing any more, and leaves the lease to a newer version.
///
/// # Errors
/// None today: what the log cannot do now is waited for.
pub async fn run(log: Log, limits: Limits, stop: CancellationToken) -> Result<(), Error> {
    let holder = format!("{NAME}-{}", clock::new_id());
    while !stop.is_cancelled() {
        let Some(lease) = Lease::acquire(log.connection(), NAME, &holder, &stop).await else { return Ok(()) };
        let lost = lease.lost();
        let mut newer = None;
        tokio::select! {
            () = lost.cancelled() => tracing::warn!("another scheduler may be active, standing by"),
            result = Active::start(log.clone(), limits) => match result {
                Ok(active) => newer = active.run(&stop, &lost).await,
                Err(error) => {
                    tracing::error!(error = &*error as &dyn std::error::Error, "the scheduler cannot start, trying again");
                    tokio::time::sleep(AGAIN).await;
                }
            },
        }
        lease.release().await;
        if let Some(newer) = newer {
            tracing::error!(sequence = newer.sequence, "standing by until a newer version takes over");
            let _ = stop.run_until_cancelled(gone(&log, newer)).await;
        }
    }
    Ok(())
}

/// Ends when the fact is not in the log any more, because an older copy was put back.
async fn gone(log: &Log, fact: Position) {
    while log.holds(fact).await.unwrap_or(true) {
        tokio::time::sleep(TICK).await;
    }
}

struct Active {
    log: Log,
    limits: Limits,
    queue: Following<Memory<Queue, Objects>>,
}

impl Active {
    async fn start(log: Log, limits: Limits) -> Result<Self, runtime::error::BoxError> {
        let queue = Memory::load(Objects::new(log.connection().clone(), NAME)).await?;
        tracing::info!(position = queue.position().sequence, "scheduling");
        Ok(Self { queue: Following::new(log.clone(), queue), log, limits })
    }

    /// Decides until `stop` fires, the lease is lost, or a fact is heard that only a newer version knows: that one.
    async fn run(mut self, stop: &CancellationToken, lost: &CancellationToken) -> Option<Position> {
        let mut known_until = 0;
        loop {
            if let Some((_, position)) = self.queue.fold().newer() {
                return Some(position);
            }
            // Nothing is decided before everything that was said is known.
            if self.queue.is_level() && self.queue.fold().position().sequence >= known_until {
                known_until = self.decide().await;
            }
            let rest = self.rest();
            tokio::select! {
                () = stop.cancelled() => break,
                () = lost.cancelled() => return None,
                Ok(step) = self.queue.next() => if step == Step::StartedOver {
                    known_until = 0;
                },
                () = tokio::time::sleep(rest) => {
                    known_until = known_until.min(self.log.last_sequence().await.unwrap_or(known_until));
                }
            }
        }
        if let Err(error) = self.queue.into_fold().close().await {
            tracing::warn!(error = &*error as &dyn std::error::Error, "the snapshot was not stored");
        }
        None
    }

    /// How long nothing is due for certain. What is overdue was said, or refused.
    fn rest(&self) -> Duration {
        let (queue, now_s) = (self.queue.fold().state(), clock::now().unix_timestamp());
        let next_s = queue.schedules.next().into_iter().chain(queue.expiries.next()).min();
        let due_in_s = next_s.map(|next_s| next_s - now_s).filter(|due_in_s| *due_in_s > 0);
        due_in_s.map_or(TICK, |due_in_s| Duration::from_secs(due_in_s.unsigned_abs()).min(TICK))
    }

    /// Says everything there is to say now; answers the sequence that must be known before the next decision.
    async fn decide(&mut self) -> u64 {
        let decisions = schedule(self.queue.fold().state(), &self.limits, clock::now());
        let log = &self.log;
        let said = future::join_all(decisions.iter().map(|decision| say(log, decision))).await;
        let last = said.iter().flatten().flatten().map(|recorded| recorded.sequence).max();
        if said.iter().any(Result::is_err) {
            tokio::time::sleep(AGAIN).await;
        }
        self.drop_wishes(&decisions, &said);
        self.report();
        last.unwrap_or(self.queue.fold().position().sequence)
    }

    /// A wish for a build that is there already would be a wish for ever: a delivery that came again after so long that
    /// its repository does not remember it.
    fn drop_wishes(&mut self, decisions: &[Decision], said: &[Result<Vec<Recorded>, Error>]) {
        let queue = self.queue.fold().state();
        let settled = decisions.iter().zip(said).filter(|(_, said)| said.as_ref().is_ok_and(Vec::is_empty));
        let wished = settled.filter_map(|(decision, _)| match decision {
            Decision::Build(id, ..) => queue.wishes.contains_key(id).then_some(*id),
            Decision::Schedule(..)
            | Decision::Expire(..)
            | Decision::Alias(..)
            | Decision::Site(..)
            | Decision::DeleteSite(..)
            | Decision::Organization(..) => None,
        });
        let there: BTreeSet<_> = wished.collect();
        if !there.is_empty() {
            self.queue.fold_mut().change(|queue| queue.drop_wishes(&there));
        }
    }

    fn report(&self) {
        let queue = self.queue.fold().state();
        let executing = queue.active().builds().len();
        telemetry::metrics::builds_active("pending", (queue.builds.len() - executing) as u64);
        telemetry::metrics::builds_active("executing", executing as u64);
    }
}
