//! Follows a stream from a sequence, for ever. What keeps a state beside its position uses [`crate::fold`].

use crate::connection::Connection;
use crate::log::Log;
use crate::{clock, codec};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::message::Message;
use events::{EventId, Position, Recorded, subject};
use futures::{Stream, StreamExt, stream};
use std::pin::Pin;
use std::time::Duration;

/// How long a broken reader waits before it is set up anew.
pub(crate) const AGAIN: Duration = Duration::from_millis(500);
/// How long one request for messages waits in the server; also what bounds a stall after an interruption that the
/// client did not see.
const PULL_EXPIRES: Duration = Duration::from_secs(10);

/// Messages of a long past that are asked for at once.
const PAST_BATCH: usize = 5000;

/// What stands at one sequence of the log.
#[derive(Debug)]
pub struct Entry {
    /// Its sequence; the next entry's is one greater.
    pub sequence: u64,
    /// The id it claims; nil if it claims none.
    pub id: EventId,
    /// How many more the log held when this one was sent.
    pub pending: u64,
    /// The fact, or why it cannot be read.
    pub fact: Result<Recorded, codec::Error>,
}

impl Log {
    /// All entries after the sequence `after`, in order, each once; waits for new ones. Interruptions of the log are
    /// waited out.
    pub fn follow(&self, after: u64) -> impl Stream<Item = Entry> + Send + Unpin + use<> {
        let all = Reader::new(&self.connection, subject::EVENTS, subject::ALL_EVENTS.to_owned(), after);
        all.messages().map(Entry::from)
    }
}

impl Entry {
    /// Its place in the log.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position { sequence: self.sequence, id: self.id }
    }

    /// What stands where the log has nothing.
    pub(crate) fn absent(sequence: u64) -> Self {
        Self { sequence, id: EventId::nil(), pending: 0, fact: Err(codec::Error::Absent) }
    }
}

impl From<Delivered> for Entry {
    fn from(Delivered { sequence, pending, message }: Delivered) -> Self {
        let headers = message.message.headers.unwrap_or_default();
        let fact = codec::recorded(sequence, &headers, &message.message.payload);
        let id = fact.as_ref().map_or_else(|_| codec::identity(&headers), |recorded| recorded.envelope.id);
        Self { sequence, id, pending, fact }
    }
}

/// A message at its place in its stream.
pub(crate) struct Delivered {
    pub(crate) sequence: u64,
    pub(crate) pending: u64,
    pub(crate) message: Message,
}

/// Reads the messages of some subjects of a stream.
pub(crate) struct Reader {
    connection: Connection,
    stream: &'static str,
    filter: String,
    next: u64,
    feed: Option<Feed>,
}

/// A server that restarts forgets the reader, and the client would notice late: an interruption ends the feed.
pub(crate) struct Feed {
    messages: Messages,
    interrupted: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// What a feed is read from.
enum Messages {
    /// Puts things right itself when a message is lost on the way.
    Ordered(Box<pull::Ordered>),
    /// Asks for many messages at once, which costs the server less. A loss ends the feed.
    Many { messages: Box<pull::Stream>, last: u64 },
}

impl Reader {
    pub(crate) fn new(connection: &Connection, stream: &'static str, filter: String, after: u64) -> Self {
        Self { connection: connection.clone(), stream, filter, next: after.saturating_add(1), feed: None }
    }

    /// All messages, in order, each once, for ever.
    pub(crate) fn messages(self) -> impl Stream<Item = Delivered> + Send + Unpin + use<> {
        Box::pin(stream::unfold(self, |mut reader| async move {
            let delivered = reader.next().await;
            Some((delivered, reader))
        }))
    }

    async fn next(&mut self) -> Delivered {
        loop {
            let Some(mut feed) = self.feed.take() else {
                match Feed::open(&self.connection, self.stream, &self.filter, self.next).await {
                    Ok(feed) => self.feed = Some(feed),
                    Err(error) => {
                        tracing::warn!(stream = self.stream, %error, "cannot follow, trying again");
                        tokio::time::sleep(AGAIN).await;
                    }
                }
                continue;
            };
            match feed.next().await {
                Some(delivered) => {
                    self.feed = Some(feed);
                    if delivered.sequence >= self.next {
                        self.next = delivered.sequence + 1;
                        return delivered;
                    }
                }
                None => tokio::time::sleep(AGAIN).await,
            }
        }
    }
}

impl Feed {
    /// The next message; `None` if the feed was interrupted: what comes next must be asked for anew. Safe to cancel.
    pub(crate) async fn next(&mut self) -> Option<Delivered> {
        loop {
            let next = tokio::select! {
                biased;
                () = &mut self.interrupted => return None,
                next = self.messages.next() => next?,
            };
            let message = match next {
                Ok(message) => message,
                Err(error) => {
                    tracing::debug!(error, "a reader was interrupted");
                    return None;
                }
            };
            let Ok(info) = message.info() else { continue };
            let (sequence, pending, delivered) = (info.stream_sequence, info.pending, info.consumer_sequence);
            if let Messages::Many { last, .. } = &mut self.messages {
                if delivered != *last + 1 {
                    tracing::debug!(delivered, last = *last, "a message was lost on the way");
                    return None;
                }
                *last = delivered;
            }
            return Some(Delivered { sequence, pending, message });
        }
    }

    /// [`Feed::open`] for a long past.
    pub(crate) async fn open_past(connection: &Connection, start_sequence: u64) -> Result<Self, async_nats::Error> {
        let interrupted = Box::pin(connection.interrupted());
        let config = pull::Config {
            name: Some(fresh_name(connection)),
            filter_subject: subject::ALL_EVENTS.to_owned(),
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence },
            ack_policy: AckPolicy::None,
            memory_storage: true,
            num_replicas: 1,
            inactive_threshold: PULL_EXPIRES * 3,
            ..pull::Config::default()
        };
        let stream = connection.jetstream.get_stream_no_info(subject::EVENTS).await?;
        let consumer = stream.create_consumer(config).await?;
        // A server may allow less.
        let allowed = usize::try_from(consumer.cached_info().config.max_batch).unwrap_or(0);
        let batch = if allowed == 0 { PAST_BATCH } else { PAST_BATCH.min(allowed) };
        let messages = consumer.stream().max_messages_per_batch(batch).expires(PULL_EXPIRES);
        let messages = Box::new(messages.heartbeat(PULL_EXPIRES / 2).messages().await?);
        Ok(Self { messages: Messages::Many { messages, last: 0 }, interrupted })
    }

    pub(crate) async fn open(
        connection: &Connection,
        stream: &str,
        filter: &str,
        start_sequence: u64,
    ) -> Result<Self, async_nats::Error> {
        let interrupted = Box::pin(connection.interrupted());
        let config = pull::OrderedConfig {
            name: Some(fresh_name(connection)),
            filter_subject: filter.to_owned(),
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence },
            max_expires: PULL_EXPIRES,
            ..pull::OrderedConfig::default()
        };
        let stream = connection.jetstream.get_stream_no_info(stream).await?;
        let messages = stream.create_consumer(config).await?.messages().await?;
        Ok(Self { messages: Messages::Ordered(Box::new(messages)), interrupted })
    }
}

impl Messages {
    async fn next(&mut self) -> Option<Result<Message, String>> {
        match self {
            Self::Ordered(messages) => Some(messages.next().await?.map_err(|error| error.to_string())),
            Self::Many { messages, .. } => Some(messages.next().await?.map_err(|error| error.to_string())),
        }
    }
}

/// What a reader is called in the log, so that the request for it names it: a request without a name could be one for another's.
/// Nobody else can guess it, and an operator sees whose it is.
fn fresh_name(connection: &Connection) -> String {
    format!("{}-{}", connection.service(), clock::new_id().simple())
}
