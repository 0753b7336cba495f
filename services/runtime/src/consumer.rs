//! Reactions: a service hears a fact, does its work, and only then acknowledges it.

mod belts;
mod work;

use crate::error::{BoxError, Error};
use crate::log::Log;
use crate::shutdown::DRAIN_DEADLINE;
use belts::Belts;
use events::Recorded;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use work::Worker;

/// How long a broken connection to the durable consumers rests before it is set up anew.
const AGAIN: Duration = Duration::from_millis(500);

/// A service that reacts to facts.
///
/// Its durable consumer is made once and lives in the log; several processes may share it and compete for facts.
/// `handle` may run many times at once, for different facts, and again for the same fact after a failure: it must be
/// safe to repeat.
pub trait Consumer: Send + Sync + 'static {
    /// The name of its durable consumer, which is also its name in logs, metrics and on the shelf.
    const NAME: &'static str;
    /// The aggregates whose facts it hears.
    const HEARS: &'static [&'static str];

    /// Ends when work can be done; no fact is taken before. A process that lacks what it works with leaves the facts to others.
    fn ready(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// Does the work a fact asks for. A fact it has no use for is passed over with `Ok`.
    ///
    /// # Errors
    /// A [`Failure`] says what happens next.
    fn handle(&self, recorded: Recorded) -> impl Future<Output = Result<(), Failure>> + Send;

    /// What is left to do about a fact that was handled. Its slot is another's by then, so this must bound by itself how much
    /// of it goes on at once. The fact is acknowledged when this is done too; a failure counts as one of `handle`.
    ///
    /// # Errors
    /// A [`Failure`] says what happens next.
    fn follow_up(&self, recorded: Recorded) -> impl Future<Output = Result<(), Failure>> + Send {
        drop(recorded);
        std::future::ready(Ok(()))
    }
}

/// Why a fact was not handled, and what happens next.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The world failed: the fact comes again, later each time, and is parked after [`Timing::deliveries_max`].
    #[error("the work failed and will be tried again")]
    Retry(#[source] BoxError),
    /// This version must not decide: the fact is given back for a newer one, and that counts for nothing.
    #[error("the work needs a newer version of this program")]
    Wait(#[source] BoxError),
    /// Trying again is no use: the fact goes to the operator's shelf.
    #[error("the work cannot be done and is parked")]
    Park(#[source] BoxError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Unreadable { .. } | Error::Corrupt { .. } | Error::WrongKey { .. } => Self::Park(error.into()),
            Error::Newer { .. } => Self::Wait(error.into()),
            Error::Unavailable { .. }
            | Error::Denied { .. }
            | Error::Unproved { .. }
            | Error::Silent { .. }
            | Error::Rejected { .. }
            | Error::Contended { .. } => Self::Retry(error.into()),
        }
    }
}

/// The rhythm of a consumer.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// How long a fact may go without a sign of work before it is given to another process; work in hand gives three
    /// signs in that time.
    pub ack_wait: Duration,
    /// How long one request for work waits in the server, and how often an operator's retries are looked for.
    pub pull_expires: Duration,
    /// The delay before the second try; it doubles from try to try.
    pub retry_first: Duration,
    /// The longest delay between two tries, but for a spread of a fifth.
    pub retry_max: Duration,
    /// The longest delay before a fact that needs a newer version is offered again.
    pub newer_max: Duration,
    /// Deliveries after which a fact that always fails is parked.
    pub deliveries_max: u64,
    /// How long work in hand may take when the process is asked to end.
    pub drain: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            ack_wait: Duration::from_secs(30),
            pull_expires: Duration::from_secs(5),
            retry_first: Duration::from_secs(1),
            retry_max: Duration::from_secs(60),
            newer_max: Duration::from_secs(30),
            deliveries_max: 8,
            drain: DRAIN_DEADLINE,
        }
    }
}

/// Runs `consumer` with at most `slots` facts in hand, until `stop` fires; then waits for the work in hand, but not
/// longer than the drain deadline, and leaves the rest to another process. A log that is away is waited for.
///
/// # Errors
/// None today: what the log cannot do now is waited for.
pub async fn run<C: Consumer>(log: Log, consumer: C, slots: usize, stop: CancellationToken) -> Result<(), Error> {
    run_with(log, consumer, slots, Timing::default(), stop).await
}

/// [`run`] in a rhythm of one's own.
///
/// # Errors
/// None today: what the log cannot do now is waited for.
pub async fn run_with<C: Consumer>(
    log: Log,
    consumer: C,
    slots: usize,
    timing: Timing,
    stop: CancellationToken,
) -> Result<(), Error> {
    let Some(belts) = stop.run_until_cancelled(Belts::opened::<C>(&log, &timing)).await else { return Ok(()) };
    let worker = Arc::new(Worker { consumer, log, timing, abandon: CancellationToken::new() });
    let tasks = TaskTracker::new();
    tracing::info!(consumer = C::NAME, "listening");
    tokio::select! {
        () = stop.cancelled() => {}
        () = pull(&worker, belts, slots, &tasks) => {}
    }
    tasks.close();
    if tokio::time::timeout(timing.drain, tasks.wait()).await.is_err() {
        tracing::warn!(consumer = C::NAME, left = tasks.len(), "work in hand is left to another process");
        worker.abandon.cancel();
        tasks.wait().await;
    }
    Ok(())
}

/// Asks for one fact whenever a slot is free, so that no fact waits here while another process could work on it.
async fn pull<C: Consumer>(worker: &Arc<Worker<C>>, mut belts: Belts, slots: usize, tasks: &TaskTracker) {
    let slots = Arc::new(Semaphore::new(slots));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        worker.consumer.ready().await;
        let interrupted = worker.log.connection.interrupted();
        let next = tokio::select! {
            next = belts.next(&worker.timing) => next,
            // What was asked for before will not come.
            () = interrupted => continue,
        };
        match next {
            Ok(message) => {
                let worker = Arc::clone(worker);
                tasks.spawn(async move {
                    worker.take(&message, slot).await;
                });
            }
            Err(error) => {
                tracing::warn!(consumer = C::NAME, %error, "cannot ask for work, trying again");
                tokio::time::sleep(AGAIN).await;
                belts = Belts::opened::<C>(&worker.log, &worker.timing).await;
            }
        }
    }
}
