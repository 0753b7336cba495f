//! Reads one subject of a stream in order, many messages per round trip (NATS ADR-31, batched direct get).

use crate::connection::{Connection, REQUEST_TIMEOUT};
use crate::error::Error;
use async_nats::{HeaderMap, Message, StatusCode};
use bytes::Bytes;
use futures::StreamExt;
use serde_json::json;

/// Messages asked for at once.
const PAGE: usize = 500;
const READ: &str = "read";
const END_OF_BATCH: u16 = 204;
const NOT_FOUND: u16 = 404;

/// A message as the stream holds it.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) sequence: u64,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Bytes,
}

/// All messages of `subject` after `after`, oldest first.
pub(crate) async fn subject_after(
    connection: &Connection,
    stream: &str,
    (subject, after): (&str, u64),
) -> Result<Vec<Stored>, Error> {
    let mut found: Vec<Stored> = Vec::new();
    loop {
        let from = found.last().map_or(after, |stored| stored.sequence) + 1;
        let request = json!({ "seq": from, "next_by_subj": subject, "batch": PAGE });
        let page = page(connection, stream, request.to_string().into()).await?;
        let last = page.len() < PAGE;
        found.extend(page);
        if last {
            return Ok(found);
        }
    }
}

/// The last message of `subject`, if there is one.
pub(crate) async fn last_of(connection: &Connection, stream: &str, subject: &str) -> Result<Option<Stored>, Error> {
    let request = json!({ "last_by_subj": subject }).to_string();
    Ok(page(connection, stream, request.into()).await?.pop())
}

/// The message at `sequence`, if there is one.
pub(crate) async fn at(connection: &Connection, stream: &str, sequence: u64) -> Result<Option<Stored>, Error> {
    let request = json!({ "seq": sequence }).to_string();
    Ok(page(connection, stream, request.into()).await?.pop())
}

async fn page(connection: &Connection, stream: &str, request: Bytes) -> Result<Vec<Stored>, Error> {
    let batched = request.windows(7).any(|window| window == b"\"batch\"");
    let inbox = connection.client.new_inbox();
    let mut replies = connection.client.subscribe(inbox.clone()).await.map_err(Error::unavailable(READ))?;
    let api = format!("$JS.API.DIRECT.GET.{stream}");
    let sent = connection.client.publish_with_reply(api, inbox, request).await;
    sent.map_err(Error::unavailable(READ))?;
    let mut found = Vec::new();
    loop {
        let reply = tokio::time::timeout(REQUEST_TIMEOUT, replies.next()).await;
        let reply = reply.map_err(Error::unavailable(READ))?;
        let reply = reply.ok_or("the connection was closed").map_err(Error::unavailable(READ))?;
        match reply.status {
            None => found.push(stored(reply)?),
            Some(status) if [END_OF_BATCH, NOT_FOUND].contains(&status.as_u16()) => return Ok(found),
            Some(StatusCode::NO_RESPONDERS) => {
                return Err(Error::unavailable(READ)("the stream has no responders"));
            }
            Some(status) => {
                let description = reply.description.unwrap_or_default();
                return Err(Error::Rejected { operation: READ, code: status.as_u16().into(), description });
            }
        }
        if !batched {
            return Ok(found);
        }
    }
}

fn stored(message: Message) -> Result<Stored, Error> {
    let headers = message.headers.unwrap_or_default();
    let sequence = headers.get("Nats-Sequence").and_then(|value| value.as_str().parse().ok());
    let sequence = sequence.ok_or("an answer without a sequence").map_err(Error::unavailable(READ))?;
    Ok(Stored { sequence, headers, payload: message.payload })
}
