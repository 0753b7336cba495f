//! Reads one subject of a stream in order, many messages per round trip (NATS ADR-31, batched direct get).
//!
//! Any replica answers a direct get, also one that lags behind what was acknowledged. Only the leader of a stream knows
//! its end, so whoever must not miss anything asks the leader how far a subject reaches, and reads until it is there.

mod direct;

use crate::connection::Connection;
use crate::error::Error;
use async_nats::HeaderMap;
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{LastRawMessageErrorKind, RawMessageErrorKind};
use bytes::Bytes;
use direct::Page;
use serde_json::json;
use std::time::Duration;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};
use tokio::time::Instant;

/// Messages asked for at once.
const PAGE: usize = 500;
const READ: &str = "read";
/// How long one question is asked again and again, how long each answer may take, and the rest between them.
const DEADLINE: Duration = Duration::from_secs(10);
const ANSWER_MAX: Duration = Duration::from_secs(3);
const AGAIN: Duration = Duration::from_millis(100);

/// A message as the stream holds it.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) sequence: u64,
    pub(crate) subject: String,
    /// When the server stored it, RFC 3339.
    pub(crate) stored_at: String,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Bytes,
}

/// All messages of `subject`, which may have wildcards, after `after`, oldest first: none is missing that was acknowledged
/// before the question.
pub(crate) async fn subject_after(
    connection: &Connection,
    stream: &str,
    subject: &str,
    after: u64,
) -> Result<Vec<Stored>, Error> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let end = last_of(connection, stream, subject).await?.map_or(0, |last| last.sequence);
        if end <= after {
            return Ok(Vec::new());
        }
        let found = glimpse_after(connection, stream, subject, after).await?;
        if found.last().is_some_and(|last| last.sequence >= end) {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            return Err(Error::unavailable(READ)("the replica that answers lags behind"));
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// The newest messages of a subject, and where it ends.
pub(crate) struct Recent {
    /// Oldest first.
    pub(crate) found: Vec<Stored>,
    /// The sequence of the last message, which may be older than all that was asked for; 0 for none.
    pub(crate) end: u64,
}

/// The messages of `subject` that were stored since a moment: none is missing that was acknowledged before the question.
pub(crate) async fn subject_since(
    connection: &Connection,
    stream: &str,
    subject: &str,
    since: OffsetDateTime,
) -> Result<Recent, Error> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let last = last_of(connection, stream, subject).await?;
        let Some(Stored { sequence: end, stored_at, .. }) = last else {
            return Ok(Recent { found: Vec::new(), end: 0 });
        };
        if OffsetDateTime::parse(&stored_at, &Rfc3339).is_ok_and(|stored_at| stored_at < since) {
            return Ok(Recent { found: Vec::new(), end });
        }
        let found = glimpse(connection, stream, subject, Beginning::Time(since)).await?;
        if let Some(last) = found.last().filter(|last| last.sequence >= end) {
            return Ok(Recent { end: last.sequence, found });
        }
        if Instant::now() >= deadline {
            return Err(Error::unavailable(READ)("the replica that answers lags behind"));
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// What some replica holds of `subject` after `after`, oldest first. The newest may be missing.
pub(crate) async fn glimpse_after(
    connection: &Connection,
    stream: &str,
    subject: &str,
    after: u64,
) -> Result<Vec<Stored>, Error> {
    glimpse(connection, stream, subject, Beginning::Sequence(after + 1)).await
}

/// Where reading begins.
enum Beginning {
    Sequence(u64),
    Time(OffsetDateTime),
}

impl Beginning {
    fn request(&self, subject: &str) -> serde_json::Value {
        match self {
            Self::Sequence(sequence) => json!({ "seq": sequence, "next_by_subj": subject, "batch": PAGE }),
            Self::Time(time) => {
                let time = time.to_offset(UtcOffset::UTC).format(&Rfc3339).unwrap_or_default();
                json!({ "start_time": time, "next_by_subj": subject, "batch": PAGE })
            }
        }
    }
}

async fn glimpse(
    connection: &Connection,
    stream: &str,
    subject: &str,
    beginning: Beginning,
) -> Result<Vec<Stored>, Error> {
    let (mut found, mut beginning): (Vec<Stored>, _) = (Vec::new(), beginning);
    loop {
        if let Some(last) = found.last() {
            beginning = Beginning::Sequence(last.sequence + 1);
        }
        let request = Bytes::from(beginning.request(subject).to_string());
        let ask = || direct::batch(connection, stream, request.clone());
        let Page { found: page, left } = patiently(connection, ask).await?;
        let last = left == 0 || page.is_empty();
        found.extend(page);
        if last {
            return Ok(found);
        }
    }
}

/// The last message of `subject`, which may have wildcards, if there is one: as the leader knows it.
pub(crate) async fn last_of(connection: &Connection, stream: &str, subject: &str) -> Result<Option<Stored>, Error> {
    patiently(connection, || async {
        let handle = connection.jetstream.get_stream_no_info(stream).await.map_err(Error::unavailable(READ))?;
        let asked = handle.get_last_raw_message_by_subject(subject);
        match tokio::time::timeout(ANSWER_MAX, asked).await.map_err(Error::unavailable(READ))? {
            Ok(message) => Ok(Some(held(message))),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(Error::unavailable(READ)(error)),
        }
    })
    .await
}

/// The message at `sequence`, if there is one: as the leader knows it.
pub(crate) async fn at(connection: &Connection, stream: &str, sequence: u64) -> Result<Option<Stored>, Error> {
    // A stream begins with 1; for 0 a server has no answer but an error, and may have none at all.
    if sequence == 0 {
        return Ok(None);
    }
    patiently(connection, || async {
        let handle = connection.jetstream.get_stream_no_info(stream).await.map_err(Error::unavailable(READ))?;
        let asked = handle.get_raw_message(sequence);
        match tokio::time::timeout(ANSWER_MAX, asked).await.map_err(Error::unavailable(READ))? {
            Ok(message) => Ok(Some(held(message))),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(Error::unavailable(READ)(error)),
        }
    })
    .await
}

/// Asks until there is an answer. To ask again is safe, so an interruption is not a failure yet.
async fn patiently<T, F: Future<Output = Result<T, Error>>>(
    connection: &Connection,
    ask: impl Fn() -> F,
) -> Result<T, Error> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let interrupted = connection.interrupted();
        let answered = tokio::select! {
            answered = ask() => answered,
            () = interrupted => Err(Error::unavailable(READ)("the connection was interrupted")),
        };
        match answered {
            Err(Error::Unavailable { source, .. }) if Instant::now() < deadline => {
                tracing::debug!(error = &*source as &dyn std::error::Error, "not answered, asking again");
                tokio::time::sleep(AGAIN).await;
            }
            answered => return answered,
        }
    }
}

fn held(message: StreamMessage) -> Stored {
    let StreamMessage { subject, sequence, headers, payload, time } = message;
    let stored_at = time.format(&Rfc3339).unwrap_or_default();
    Stored { sequence, subject: subject.to_string(), stored_at, headers, payload }
}
