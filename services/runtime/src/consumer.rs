//! Reactions: a service hears a fact, does its work, and only then acknowledges it.

use crate::clock;
use crate::error::{BoxError, Error};
use crate::log::Log;
use crate::parked::{self, Shelf};
use crate::shutdown::DRAIN_DEADLINE;
use crate::{codec, telemetry};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::message::{AckKind, Message};
use events::{Recorded, subject};
use futures::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// How long a fact may go without a sign of work before it is given to another process.
pub const ACK_WAIT: Duration = Duration::from_secs(30);
/// How often work in hand says that it goes on.
const PROGRESS: Duration = Duration::from_secs(10);
/// How long one request for work waits in the server.
const PULL_EXPIRES: Duration = Duration::from_secs(5);
/// Deliveries after which a fact that always fails is parked.
pub const DELIVERIES_MAX: u64 = 8;
/// The longest delay between two tries.
const RETRY_MAX: Duration = Duration::from_secs(60);

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

    /// Does the work a fact asks for. A fact it has no use for is passed over with `Ok`.
    ///
    /// # Errors
    /// A [`Failure`] says what happens next.
    fn handle(&self, recorded: Recorded) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Why a fact was not handled, and what happens next.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The world failed: the fact comes again, later each time, and is parked after [`DELIVERIES_MAX`] deliveries.
    #[error("the work failed and will be tried again")]
    Retry(#[source] BoxError),
    /// Trying again is no use: the fact goes to the operator's shelf.
    #[error("the work cannot be done and is parked")]
    Park(#[source] BoxError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Unreadable { .. } | Error::Corrupt { .. } => Self::Park(error.into()),
            Error::Unavailable { .. } | Error::Rejected { .. } | Error::Contended { .. } | Error::Server { .. } => {
                Self::Retry(error.into())
            }
        }
    }
}

struct Worker<C> {
    consumer: C,
    log: Log,
    slots: Arc<Semaphore>,
    tasks: TaskTracker,
}

/// Runs `consumer` with at most `slots` facts in hand, until `stop` fires; then waits for the work in hand, but not
/// longer than the drain deadline.
///
/// # Errors
/// [`Error`] if its durable consumers cannot be made.
pub async fn run<C: Consumer>(log: Log, consumer: C, slots: usize, stop: CancellationToken) -> Result<(), Error> {
    let facts = durable(&log, subject::EVENTS, C::NAME, C::HEARS.iter().map(|kind| subject::events_of(kind)).collect());
    let retries = durable(&log, subject::PARKED, C::NAME, vec![parked::retry_subject(C::NAME, "*")]);
    let (facts, retries) = (facts.await?, retries.await?);
    let slots = Arc::new(Semaphore::new(slots));
    let worker = Arc::new(Worker { consumer, log, slots, tasks: TaskTracker::new() });
    tracing::info!(consumer = C::NAME, "listening");
    tokio::select! {
        () = stop.cancelled() => {}
        () = Arc::clone(&worker).pull(facts) => {}
        () = Arc::clone(&worker).pull(retries) => {}
    }
    worker.tasks.close();
    if tokio::time::timeout(DRAIN_DEADLINE, worker.tasks.wait()).await.is_err() {
        tracing::warn!(consumer = C::NAME, left = worker.tasks.len(), "work in hand is left to another process");
    }
    Ok(())
}

async fn durable(
    log: &Log,
    stream: &'static str,
    name: &str,
    filter_subjects: Vec<String>,
) -> Result<pull::Config, Error> {
    let config = pull::Config {
        durable_name: Some(name.to_owned()),
        filter_subjects,
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::Explicit,
        ack_wait: ACK_WAIT,
        // The count of deliveries is ours to judge, and backoff in the server would skew our delays.
        max_deliver: -1,
        max_ack_pending: 1000,
        ..pull::Config::default()
    };
    let made = log.connection.jetstream.create_consumer_on_stream(config.clone(), stream).await;
    made.map_err(Error::unavailable("make a durable consumer"))?;
    Ok(config)
}

impl<C: Consumer> Worker<C> {
    /// Asks for one fact whenever a slot is free, so that no fact waits here while another process could work on it.
    async fn pull(self: Arc<Self>, config: pull::Config) {
        let retries = config.filter_subjects.iter().any(|subject| parked::is_retry(subject));
        let stream = if retries { subject::PARKED } else { subject::EVENTS };
        loop {
            let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await else { return };
            match self.next(&config, stream).await {
                Ok(Some(message)) => {
                    let worker = Arc::clone(&self);
                    self.tasks.spawn(async move { worker.work(message, slot).await });
                }
                Ok(None) => {}
                Err(error) => {
                    drop(slot);
                    tracing::warn!(consumer = C::NAME, %error, "cannot ask for work, trying again");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        }
    }

    async fn next(&self, config: &pull::Config, stream: &str) -> Result<Option<Message>, async_nats::Error> {
        let jetstream = &self.log.connection.jetstream;
        let consumer: async_nats::jetstream::consumer::Consumer<pull::Config> =
            jetstream.create_consumer_on_stream(config.clone(), stream).await?;
        loop {
            let mut batch = consumer.batch().max_messages(1).expires(PULL_EXPIRES).messages().await?;
            if let Some(message) = batch.next().await {
                return message.map(Some);
            }
        }
    }

    async fn work(&self, message: Message, _slot: OwnedSemaphorePermit) {
        let started = tokio::time::Instant::now();
        let Ok(info) = message.info() else { return };
        let (sequence, deliveries) = (info.stream_sequence, u64::try_from(info.delivered).unwrap_or(1));
        let recorded = match self.read(&message, sequence).await {
            Ok(recorded) => recorded,
            Err(codec) if codec.is_unknown_type() => {
                telemetry::metrics::processed(C::NAME, "unknown", started.elapsed(), "passed_over");
                return settle(&message, AckKind::Ack).await;
            }
            Err(codec) => {
                let (kind, label) = self.give_up(&message, (sequence, deliveries), &codec).await;
                telemetry::metrics::processed(C::NAME, "malformed", started.elapsed(), label);
                return settle(&message, kind).await;
            }
        };
        let name = recorded.event.name();
        let span = telemetry::propagation::process_span(C::NAME, &recorded, message.headers.as_ref());
        let work = async {
            let handled = keep_alive(&message, self.consumer.handle(recorded)).await;
            self.judge(&message, (sequence, deliveries), handled).await
        };
        let (kind, label) = work.instrument(span).await;
        telemetry::metrics::processed(C::NAME, &name, started.elapsed(), label);
        settle(&message, kind).await;
    }

    /// What a handled fact's message is answered, and the metric's word for it.
    async fn judge(
        &self,
        message: &Message,
        (sequence, deliveries): (u64, u64),
        handled: Result<(), Failure>,
    ) -> (AckKind, &'static str) {
        match handled {
            Ok(()) => (AckKind::Ack, "ok"),
            Err(Failure::Retry(error)) if deliveries < DELIVERIES_MAX => {
                let delay = retry_delay(deliveries, sequence);
                tracing::warn!(sequence, deliveries, error = chain(&*error), ?delay, "failed, will try again");
                (AckKind::Nak(Some(delay)), "retry")
            }
            Err(Failure::Retry(error) | Failure::Park(error)) => {
                self.give_up(message, (sequence, deliveries), &*error).await
            }
        }
    }

    async fn give_up(
        &self,
        message: &Message,
        (sequence, deliveries): (u64, u64),
        error: &(dyn std::error::Error + Send + Sync),
    ) -> (AckKind, &'static str) {
        let shelf = Shelf { consumer: C::NAME, deliveries, reason: chain(error) };
        tracing::error!(sequence, reason = shelf.reason, "parked for an operator");
        match parked::park(&self.log, &shelf, (message, clock::now())).await {
            Ok(()) => (AckKind::Term, "park"),
            // Not on the shelf, so not off the belt.
            Err(_) => (AckKind::Nak(Some(RETRY_MAX)), "retry"),
        }
    }

    /// The fact in hand: the message itself, or the fact that an operator's retry names.
    async fn read(&self, message: &Message, sequence: u64) -> Result<Recorded, codec::Error> {
        if parked::is_retry(&message.subject)
            && let Some(original) = parked::original_sequence(&message.subject)
            && let Ok(Some(recorded)) = self.log.fact(original).await
        {
            return Ok(recorded);
        }
        codec::recorded(sequence, &message.headers.clone().unwrap_or_default(), &message.payload)
    }
}

/// Says that the work goes on while it does.
async fn keep_alive(message: &Message, work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::pin!(work);
    let mut ticks = tokio::time::interval(PROGRESS);
    loop {
        tokio::select! {
            outcome = &mut work => return outcome,
            _ = ticks.tick() => {
                if let Err(error) = message.ack_with(AckKind::Progress).await {
                    tracing::debug!(%error, "cannot say that work goes on");
                }
            }
        }
    }
}

async fn settle(message: &Message, kind: AckKind) {
    if let Err(error) = message.double_ack_with(kind).await {
        tracing::warn!(%error, "an acknowledgement was not answered; the fact may come again");
    }
}

/// Doubles from one second, up to a minute, spread by a fifth so that failures of one moment do not return as one.
fn retry_delay(deliveries: u64, sequence: u64) -> Duration {
    let base = Duration::from_secs(1 << deliveries.saturating_sub(1).min(6)).min(RETRY_MAX);
    let spread = u32::try_from((sequence.wrapping_mul(0x9E37_79B9) ^ deliveries) % 100).unwrap_or(0);
    base + base * spread / 500
}

/// An error with all that caused it, in one line.
fn chain(error: &(dyn std::error::Error + Send + Sync)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_come_later_each_time_and_never_after_more_than_a_minute_and_a_fifth() {
        let delays: Vec<Duration> = (1..=DELIVERIES_MAX).map(|deliveries| retry_delay(deliveries, 42)).collect();
        assert!(delays[0] >= Duration::from_secs(1) && delays[0] < Duration::from_millis(1200));
        assert!(delays[..6].is_sorted(), "{delays:?}");
        assert!(delays.iter().all(|delay| *delay <= RETRY_MAX * 6 / 5));
    }
}
