//! Follows the log from a position, for ever: the reading half of every fold.

use crate::codec;
use crate::log::Log;
use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use async_nats::jetstream::message::Message;
use events::{Recorded, subject};
use futures::{Stream, StreamExt, stream};
use std::time::Duration;

/// How long a broken reader waits before it is set up anew.
const AGAIN: Duration = Duration::from_millis(500);

/// What stands at one sequence of the log.
#[derive(Debug)]
pub struct Entry {
    /// Its sequence; the next entry's is one greater.
    pub sequence: u64,
    /// How many more the log held when this one was sent.
    pub pending: u64,
    /// The fact, or why it cannot be read.
    pub fact: Result<Recorded, codec::Error>,
}

struct Reader {
    log: Log,
    next: u64,
    messages: Option<pull::Ordered>,
}

impl Log {
    /// All entries after the sequence `after`, in order, each once; waits for new ones. Interruptions of the log are
    /// waited out.
    pub fn follow(&self, after: u64) -> impl Stream<Item = Entry> + Send + Unpin + use<> {
        let reader = Reader { log: self.clone(), next: after + 1, messages: None };
        Box::pin(stream::unfold(reader, |mut reader| async move {
            let entry = reader.entry().await;
            Some((entry, reader))
        }))
    }
}

impl Reader {
    async fn entry(&mut self) -> Entry {
        loop {
            let mut messages = match self.messages.take() {
                Some(messages) => messages,
                None => match subscribe(self.log.clone(), self.next).await {
                    Ok(messages) => messages,
                    Err(error) => {
                        tracing::warn!(%error, after = self.next - 1, "cannot follow the log, trying again");
                        tokio::time::sleep(AGAIN).await;
                        continue;
                    }
                },
            };
            match messages.next().await {
                Some(Ok(message)) => {
                    if let Some(entry) = read(&message).filter(|entry| entry.sequence >= self.next) {
                        self.next = entry.sequence + 1;
                        self.messages = Some(messages);
                        return entry;
                    }
                    self.messages = Some(messages);
                }
                Some(Err(error)) => {
                    tracing::debug!(%error, after = self.next - 1, "the reader of the log was interrupted");
                    tokio::time::sleep(AGAIN).await;
                }
                None => tokio::time::sleep(AGAIN).await,
            }
        }
    }
}

async fn subscribe(log: Log, start_sequence: u64) -> Result<pull::Ordered, async_nats::Error> {
    let config = pull::OrderedConfig {
        filter_subject: subject::ALL_EVENTS.to_owned(),
        deliver_policy: DeliverPolicy::ByStartSequence { start_sequence },
        ..pull::OrderedConfig::default()
    };
    let stream = log.connection.jetstream.get_stream_no_info(subject::EVENTS).await?;
    Ok(stream.create_consumer(config).await?.messages().await?)
}

fn read(message: &Message) -> Option<Entry> {
    let info = message.info().ok()?;
    let headers = message.headers.clone().unwrap_or_default();
    let fact = codec::recorded(info.stream_sequence, &headers, &message.payload);
    Some(Entry { sequence: info.stream_sequence, pending: info.pending, fact })
}
