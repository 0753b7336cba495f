//! One batched direct get (NATS ADR-31): a question, and messages until the server says that there are no more.

use super::{ANSWER_MAX, READ, Stored};
use crate::connection::Connection;
use crate::error::Error;
use async_nats::header::HeaderValue;
use async_nats::{HeaderMap, Message, StatusCode};
use bytes::Bytes;
use futures::StreamExt;

const END_OF_BATCH: u16 = 204;
const NOT_FOUND: u16 = 404;

/// What one question brings.
pub(super) struct Page {
    /// Oldest first.
    pub(super) found: Vec<Stored>,
    /// How many more there would have been.
    pub(super) left: u64,
}

/// Asks for a batch of messages of a stream; any replica answers.
pub(super) async fn batch(connection: &Connection, stream: &str, request: Bytes) -> Result<Page, Error> {
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
            Some(status) if status.as_u16() == NOT_FOUND => return Ok(Page { found, left: 0 }),
            // The server may end a batch early, by its size in bytes.
            Some(status) if status.as_u16() == END_OF_BATCH => return Ok(Page { left: left(&reply), found }),
            Some(StatusCode::NO_RESPONDERS) => {
                return Err(Error::unavailable(READ)("the stream has no responders"));
            }
            Some(status) => {
                let description = reply.description.unwrap_or_default();
                return Err(Error::Rejected { operation: READ, code: status.as_u16().into(), description });
            }
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
