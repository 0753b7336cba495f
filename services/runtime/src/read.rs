//! Reads one subject of a stream in order, many messages per round trip (NATS ADR-31, batched direct get).

use crate::connection::Connection;
use crate::error::Error;
use async_nats::header::HeaderValue;
use async_nats::{HeaderMap, Message, StatusCode};
use bytes::Bytes;
use futures::StreamExt;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

/// Messages asked for at once.
const PAGE: usize = 500;
const READ: &str = "read";
/// How long one question is asked again and again, how long each answer may take, and the rest between them.
const DEADLINE: Duration = Duration::from_secs(10);
const ANSWER_MAX: Duration = Duration::from_secs(3);
const AGAIN: Duration = Duration::from_millis(100);
const END_OF_BATCH: u16 = 204;
const NOT_FOUND: u16 = 404;

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

/// All messages of `subject`, which may have wildcards, after `after`, oldest first.
pub(crate) async fn subject_after(
    connection: &Connection,
    stream: &str,
    (subject, after): (&str, u64),
) -> Result<Vec<Stored>, Error> {
    let mut found: Vec<Stored> = Vec::new();
    loop {
        let from = found.last().map_or(after, |stored| stored.sequence) + 1;
        let request = json!({ "seq": from, "next_by_subj": subject, "batch": PAGE });
        let (page, left) = page(connection, stream, request.to_string().into()).await?;
        let last = left == 0 || page.is_empty();
        found.extend(page);
        if last {
            return Ok(found);
        }
    }
}

/// The last message of `subject`, if there is one.
pub(crate) async fn last_of(connection: &Connection, stream: &str, subject: &str) -> Result<Option<Stored>, Error> {
    let request = json!({ "last_by_subj": subject }).to_string();
    Ok(page(connection, stream, request.into()).await?.0.pop())
}

/// The message at `sequence`, if there is one.
pub(crate) async fn at(connection: &Connection, stream: &str, sequence: u64) -> Result<Option<Stored>, Error> {
    let request = json!({ "seq": sequence }).to_string();
    Ok(page(connection, stream, request.into()).await?.0.pop())
}

/// One request's answers, and how many more messages it would have matched. To ask again is safe, so an interruption is
/// not a failure yet.
async fn page(connection: &Connection, stream: &str, request: Bytes) -> Result<(Vec<Stored>, u64), Error> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let interrupted = connection.interrupted();
        let answered = tokio::select! {
            answered = ask(connection, stream, request.clone()) => answered,
            () = interrupted => Err(Error::unavailable(READ)("the connection was interrupted")),
        };
        match answered {
            Err(Error::Unavailable { source, .. }) if Instant::now() < deadline => {
                tracing::debug!(stream, error = &*source as &dyn std::error::Error, "not answered, asking again");
                tokio::time::sleep(AGAIN).await;
            }
            answered => return answered,
        }
    }
}

async fn ask(connection: &Connection, stream: &str, request: Bytes) -> Result<(Vec<Stored>, u64), Error> {
    let batched = request.windows(7).any(|window| window == b"\"batch\"");
    let inbox = connection.client.new_inbox();
    let mut replies = connection.client.subscribe(inbox.clone()).await.map_err(Error::unavailable(READ))?;
    let api = format!("$JS.API.DIRECT.GET.{stream}");
    let sent = connection.client.publish_with_reply(api, inbox, request).await;
    sent.map_err(Error::unavailable(READ))?;
    let mut found = Vec::new();
    loop {
        let reply = tokio::time::timeout(ANSWER_MAX, replies.next()).await;
        let reply = reply.map_err(Error::unavailable(READ))?;
        let reply = reply.ok_or("the connection was closed").map_err(Error::unavailable(READ))?;
        match reply.status {
            None => found.push(stored(reply)?),
            Some(status) if status.as_u16() == NOT_FOUND => return Ok((found, 0)),
            // The server may end a batch early, by its size in bytes.
            Some(status) if status.as_u16() == END_OF_BATCH => return Ok((found, left(&reply))),
            Some(StatusCode::NO_RESPONDERS) => {
                return Err(Error::unavailable(READ)("the stream has no responders"));
            }
            Some(status) => {
                let description = reply.description.unwrap_or_default();
                return Err(Error::Rejected { operation: READ, code: status.as_u16().into(), description });
            }
        }
        if !batched {
            return Ok((found, 0));
        }
    }
}

fn left(end: &Message) -> u64 {
    end.headers.as_ref().and_then(|headers| header(headers, "Nats-Num-Pending")?.parse().ok()).unwrap_or(0)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(HeaderValue::as_str)
}

fn stored(message: Message) -> Result<Stored, Error> {
    let headers = message.headers.unwrap_or_default();
    let sequence = header(&headers, "Nats-Sequence").and_then(|value| value.parse().ok());
    let sequence = sequence.ok_or("an answer without a sequence").map_err(Error::unavailable(READ))?;
    let text = |name| header(&headers, name).unwrap_or_default().to_owned();
    let (subject, stored_at) = (text("Nats-Subject"), text("Nats-Time-Stamp"));
    Ok(Stored { sequence, subject, stored_at, headers, payload: message.payload })
}
