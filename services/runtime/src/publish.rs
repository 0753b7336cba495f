//! One append on the wire: a plain publish for one message, an atomic batch (NATS ADR-50) for several.
//!
//! The acknowledgement is read by hand, because the error code alone tells a conflict from a failure: 10071 from a
//! single server, 10164 from a cluster with writes in flight. A cluster without a leader answers with errors that pass.

use crate::connection::Connection;
use crate::error::{BoxError, Error};
use async_nats::{Client, HeaderMap};
use bytes::Bytes;
use serde::Deserialize;
use uuid::Uuid;

const WRONG_LAST_SEQUENCE: [u64; 2] = [10071, 10164];
const DUPLICATE_IN_BATCH: u64 = 10201;
/// The same message is being stored at this moment.
const DUPLICATE_IN_FLIGHT: u64 = 10158;
/// A new leader does not know the batch that the one before it has begun.
const BATCH_INCOMPLETE: u64 = 10176;
/// What the server calls a failure that passes.
const SERVICE_UNAVAILABLE: u16 = 503;

/// One message of an append.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) subject: String,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Bytes,
}

/// Why an append did not happen, or may not have.
#[derive(Debug)]
pub(crate) enum Rejection {
    /// The subject has moved on.
    Conflict,
    /// The log knows a message of this id already, stored at this sequence if the server says so.
    Duplicate(Option<u64>),
    /// Nobody knows: no answer came.
    Ambiguous(Error),
    /// The server said no for another reason.
    Refused(Error),
}

#[derive(Deserialize)]
struct Ack {
    seq: Option<u64>,
    #[serde(default)]
    duplicate: bool,
    /// Messages of the batch; absent for a plain publish, and from a server that knows no batches.
    count: Option<usize>,
    error: Option<ApiError>,
}

#[derive(Deserialize)]
struct ApiError {
    #[serde(default)]
    code: u16,
    err_code: u64,
    description: String,
}

/// Publishes all messages or none, in order; answers the sequence of the last.
pub(crate) async fn publish(connection: &Connection, messages: Vec<Outgoing>) -> Result<u64, Rejection> {
    let interrupted = connection.interrupted();
    tokio::select! {
        answered = send(&connection.client, messages) => answered,
        () = interrupted => Err(ambiguous("the connection was interrupted")),
    }
}

async fn send(client: &Client, mut messages: Vec<Outgoing>) -> Result<u64, Rejection> {
    if messages.len() > 1 {
        return batch(client, messages).await;
    }
    let Outgoing { subject, headers, payload } = messages.pop().ok_or_else(|| ambiguous("nothing to append"))?;
    let ack = answer(client.request_with_headers(subject, headers, payload).await)?;
    ack.seq.ok_or_else(|| ambiguous("an answer without a sequence"))
}

async fn batch(client: &Client, messages: Vec<Outgoing>) -> Result<u64, Rejection> {
    let batch = Uuid::now_v7().simple().to_string();
    let last = messages.len();
    for (index, Outgoing { subject, mut headers, payload }) in messages.into_iter().enumerate() {
        headers.insert("Nats-Batch-Id", batch.as_str());
        headers.insert("Nats-Batch-Sequence", (index + 1).to_string());
        if index + 1 == last {
            headers.insert("Nats-Batch-Commit", "1");
            let ack = answer(client.request_with_headers(subject, headers, payload).await)?;
            let whole = ack.seq.filter(|sequence| ack.count == Some(last) && *sequence >= last as u64);
            return whole.ok_or_else(|| ambiguous("the server did not take the messages as one batch"));
        }
        client.publish_with_headers(subject, headers, payload).await.map_err(ambiguous)?;
    }
    Err(ambiguous("nothing to append"))
}

fn answer(reply: Result<async_nats::Message, async_nats::RequestError>) -> Result<Ack, Rejection> {
    let reply = reply.map_err(ambiguous)?;
    let ack: Ack = serde_json::from_slice(&reply.payload).map_err(ambiguous)?;
    match ack.error {
        None if ack.duplicate => Err(Rejection::Duplicate(ack.seq)),
        None => Ok(ack),
        Some(error) if WRONG_LAST_SEQUENCE.contains(&error.err_code) => Err(Rejection::Conflict),
        Some(error) if error.err_code == DUPLICATE_IN_BATCH => Err(Rejection::Duplicate(None)),
        Some(error) if error.passes() => Err(ambiguous(error.description)),
        Some(ApiError { err_code: code, description, .. }) => {
            Err(Rejection::Refused(Error::Rejected { operation: "append", code, description }))
        }
    }
}

impl ApiError {
    fn passes(&self) -> bool {
        self.code == SERVICE_UNAVAILABLE || [DUPLICATE_IN_FLIGHT, BATCH_INCOMPLETE].contains(&self.err_code)
    }
}

fn ambiguous(source: impl Into<BoxError>) -> Rejection {
    Rejection::Ambiguous(Error::unavailable("append")(source))
}
