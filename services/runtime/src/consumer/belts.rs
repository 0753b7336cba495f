//! The durable consumers that bring a service its facts.

use super::{AGAIN, Consumer, Timing};
use crate::error::Error;
use crate::log::Log;
use crate::parked;
use async_nats::jetstream::consumer::{AckPolicy, Consumer as Handle, DeliverPolicy, pull};
use async_nats::jetstream::message::Message;
use events::subject;
use futures::StreamExt;
use tokio::time::Instant;

/// Facts that may wait for another try, or for a newer version, before the log offers no more.
const PENDING_MAX: i64 = 100_000;

/// Where facts come from: the log, and now and then the retries an operator asked for. One slot waits for both, so an idle
/// belt never keeps a slot from the other.
pub(super) struct Belts {
    facts: Handle<pull::Config>,
    retries: Handle<pull::Config>,
    looked: Option<Instant>,
}

impl Belts {
    /// The belts, however long the log takes to come up: a service does not end because the log is away.
    pub(super) async fn opened<C: Consumer>(log: &Log, timing: &Timing) -> Self {
        loop {
            match Self::open::<C>(log, timing).await {
                Ok(belts) => return belts,
                Err(error) => {
                    let error = crate::error::chain(&error);
                    tracing::warn!(consumer = C::NAME, error, "cannot make the durable consumers, trying again");
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn open<C: Consumer>(log: &Log, timing: &Timing) -> Result<Self, Error> {
        let heard = C::HEARS.iter().map(|kind| subject::events_of(kind)).collect();
        let facts = durable(log, subject::EVENTS, config(C::NAME, heard, timing)).await?;
        let retries = vec![parked::retry_subject(C::NAME, "*")];
        let retries = durable(log, subject::PARKED, config(C::NAME, retries, timing)).await?;
        Ok(Self { facts, retries, looked: None })
    }

    pub(super) async fn next(&mut self, timing: &Timing) -> Result<Message, async_nats::Error> {
        loop {
            if self.looked.is_none_or(|looked| looked.elapsed() >= timing.pull_expires) {
                let mut waiting = self.retries.fetch().max_messages(1).messages().await?;
                if let Some(message) = waiting.next().await {
                    return message;
                }
                self.looked = Some(Instant::now());
            }
            let mut waiting = self.facts.batch().max_messages(1).expires(timing.pull_expires).messages().await?;
            if let Some(message) = waiting.next().await {
                return message;
            }
        }
    }
}

fn config(name: &str, filter_subjects: Vec<String>, timing: &Timing) -> pull::Config {
    pull::Config {
        durable_name: Some(name.to_owned()),
        filter_subjects,
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::Explicit,
        ack_wait: timing.ack_wait,
        // The count of deliveries is ours to judge, and backoff in the server would skew our delays.
        max_deliver: -1,
        max_ack_pending: PENDING_MAX,
        ..pull::Config::default()
    }
}

async fn durable(log: &Log, stream: &str, config: pull::Config) -> Result<Handle<pull::Config>, Error> {
    let made = log.connection.jetstream.create_consumer_on_stream(config, stream).await;
    made.map_err(Error::unavailable("make a durable consumer"))
}
