//! What happens to one fact in hand, until the log has its answer.

use super::{Consumer, Failure, Timing};
use crate::error::{self, Error};
use crate::log::Log;
use crate::parked::{self, Shelf};
use crate::{codec, telemetry};
use async_nats::jetstream::message::{AckKind, Message};
use events::Recorded;
use std::error::Error as StdError;
use std::ops::RangeInclusive;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

pub(super) struct Worker<C> {
    pub(super) consumer: C,
    pub(super) log: Log,
    pub(super) timing: Timing,
    /// Fires when work in hand is to be left to others.
    pub(super) abandon: CancellationToken,
}

/// A message with what it is about and how often it came.
struct Delivery<'a> {
    message: &'a Message,
    sequence: u64,
    deliveries: u64,
}

/// What the message is answered, and the metric's word for it.
type Verdict = (AckKind, &'static str);

/// Nobody ever answered for it: the fact may bring down whoever takes it.
#[derive(Debug, thiserror::Error)]
#[error("it was delivered {0} times and every worker fell silent over it")]
struct Unanswered(u64);

impl<C: Consumer> Worker<C> {
    /// Works on a message and answers it; when that is to be abandoned, gives it back at once.
    pub(super) async fn take(&self, message: &Message, slot: OwnedSemaphorePermit) {
        let started = Instant::now();
        let (Some(sequence), Ok(info)) = (parked::fact_sequence(message), message.info()) else {
            return settle(message, AckKind::Term).await;
        };
        if !parked::is_retry(&message.subject) {
            self.log.see(&message.subject, sequence);
        }
        let job = Delivery { message, sequence, deliveries: u64::try_from(info.delivered).unwrap_or(1) };
        let (kind, label) = match self.abandon.run_until_cancelled(self.work(&job, slot, started)).await {
            Some(verdict) => verdict,
            None => (AckKind::Nak(None), "abandoned"),
        };
        tracing::debug!(consumer = C::NAME, sequence, label, "answered");
        settle(message, kind).await;
    }

    async fn work(&self, job: &Delivery<'_>, slot: OwnedSemaphorePermit, started: Instant) -> Verdict {
        let headers = job.message.headers.clone().unwrap_or_default();
        let (name, verdict) = match codec::recorded(job.sequence, &headers, &job.message.payload) {
            Ok(recorded) => {
                let name = recorded.event.name();
                let span = telemetry::propagation::process_span(C::NAME, &recorded, job.message.headers.as_ref());
                let work = async {
                    let tries = match self.tries(job).await {
                        Ok(tries) => tries,
                        Err(error) => return self.try_again(job, &error),
                    };
                    if tries > self.timing.deliveries_max {
                        return self.give_up(job, &Unanswered(tries - 1)).await;
                    }
                    let handled = self.keep_alive(job.message, self.handle(recorded, slot)).await;
                    self.judge(job, tries, handled).await
                };
                (name, work.instrument(span).await)
            }
            Err(error) if error.unknown_type().is_some() => ("unknown".to_owned(), self.give_back(job, &error).await),
            Err(error) => ("malformed".to_owned(), self.give_up(job, &error).await),
        };
        telemetry::metrics::processed(C::NAME, &name, started.elapsed(), verdict.1);
        verdict
    }

    /// The work that needs the slot, then the rest of it.
    async fn handle(&self, recorded: Recorded, slot: OwnedSemaphorePermit) -> Result<(), Failure> {
        let handled = recorded.clone();
        self.consumer.handle(recorded).await?;
        drop(slot);
        self.consumer.follow_up(handled).await
    }

    /// How often it was tried, at least by versions that know it: what another gave back counts for nothing. Only a fact
    /// that came often is worth the question.
    async fn tries(&self, job: &Delivery<'_>) -> Result<u64, Error> {
        if job.deliveries < self.timing.deliveries_max {
            return Ok(job.deliveries);
        }
        let given_back = parked::given_back(&self.log, C::NAME, job.message).await?;
        Ok(job.deliveries.saturating_sub(given_back).max(1))
    }

    async fn judge(&self, job: &Delivery<'_>, tries: u64, handled: Result<(), Failure>) -> Verdict {
        match handled {
            Ok(()) => (AckKind::Ack, "ok"),
            Err(Failure::Wait(error)) => self.give_back(job, &*error).await,
            Err(Failure::Retry(error)) if tries < self.timing.deliveries_max => self.try_again(job, &*error),
            Err(Failure::Retry(error) | Failure::Park(error)) => self.give_up(job, &*error).await,
        }
    }

    fn try_again(&self, job: &Delivery<'_>, error: &(dyn StdError + Send + Sync)) -> Verdict {
        let Delivery { sequence, deliveries, .. } = *job;
        let delay = retry_delay(self.timing.retry_first..=self.timing.retry_max, deliveries, sequence);
        tracing::warn!(sequence, deliveries, error = error::chain(error), ?delay, "failed, will try again");
        (AckKind::Nak(Some(delay)), "retry")
    }

    /// Leaves a fact to a newer version of this program, which may run beside this one or come after it.
    async fn give_back(&self, job: &Delivery<'_>, error: &(dyn StdError + Send + Sync)) -> Verdict {
        let Delivery { message, sequence, deliveries } = *job;
        let delay = retry_delay(self.timing.retry_first..=self.timing.newer_max, deliveries, sequence);
        tracing::warn!(sequence, deliveries, reason = error::chain(error), ?delay, "given back for a newer version");
        // Written down often enough that what is not is no reason to park it.
        if deliveries.is_multiple_of((self.timing.deliveries_max / 2).max(1))
            && let Err(error) = parked::note_given_back(&self.log, C::NAME, message, deliveries).await
        {
            tracing::warn!(sequence, error = error::chain(&error), "that it was given back is not written down");
        }
        (AckKind::Nak(Some(delay)), "newer_version")
    }

    async fn give_up(&self, job: &Delivery<'_>, error: &(dyn StdError + Send + Sync)) -> Verdict {
        let Delivery { message, sequence, deliveries } = *job;
        let shelf = Shelf { consumer: C::NAME, deliveries, reason: error::chain(error) };
        tracing::error!(sequence, reason = shelf.reason, "parked for an operator");
        match parked::park(&self.log, &shelf, message).await {
            Ok(()) => (AckKind::Term, "park"),
            Err(error) => {
                // Not on the shelf, so not off the belt.
                tracing::error!(sequence, error = error::chain(&error), "could not be parked, comes again");
                (AckKind::Nak(Some(self.timing.retry_max)), "retry")
            }
        }
    }

    /// Says that the work goes on while it does.
    async fn keep_alive(
        &self,
        message: &Message,
        work: impl Future<Output = Result<(), Failure>>,
    ) -> Result<(), Failure> {
        tokio::pin!(work);
        let every = self.timing.ack_wait / 3;
        let mut ticks = tokio::time::interval_at(Instant::now() + every, every);
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
}

async fn settle(message: &Message, kind: AckKind) {
    if let Err(error) = message.double_ack_with(kind).await {
        tracing::warn!(%error, "an acknowledgement was not answered; the fact may come again");
    }
}

/// Doubles from try to try up to the longest, spread by a fifth so that failures of one moment do not return as one.
fn retry_delay(bounds: RangeInclusive<Duration>, deliveries: u64, sequence: u64) -> Duration {
    let doublings = u32::try_from(deliveries.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
    let base = bounds.start().saturating_mul(1 << doublings).min(*bounds.end());
    // Neighbours in the log are spread as far as strangers.
    let mixed = (sequence ^ deliveries << 48).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
    base + base * u32::try_from(mixed % 100).unwrap_or(0) / 500
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_come_later_each_time_and_never_after_more_than_the_longest_delay_and_a_fifth() {
        let timing = Timing::default();
        let bounds = timing.retry_first..=timing.retry_max;
        let delays: Vec<Duration> = (1..=20).map(|deliveries| retry_delay(bounds.clone(), deliveries, 42)).collect();
        assert!(delays[0] >= Duration::from_secs(1) && delays[0] < Duration::from_millis(1200));
        assert!(delays[..6].is_sorted(), "{delays:?}");
        assert!(delays.iter().all(|delay| *delay <= timing.retry_max * 6 / 5));
    }

    #[test]
    fn neighbours_that_fail_together_do_not_return_together() {
        let timing = Timing::default();
        let bounds = timing.retry_first..=timing.retry_max;
        let mut delays: Vec<Duration> = (1000..1050).map(|sequence| retry_delay(bounds.clone(), 4, sequence)).collect();
        delays.sort_unstable();
        delays.dedup();
        assert!(delays.len() > 30, "{delays:?}");
    }
}
