//! One append on the wire: a plain publish for one message, an atomic batch (NATS ADR-50) for several.
//!
//! The acknowledgement is read by hand, because the error code alone tells a conflict from a failure: 10071 from a
//! single server, 10164 from a cluster with writes in flight.

use crate::error::{BoxError, Error};
use async_nats::{Client, HeaderMap};
use bytes::Bytes;
use serde::Deserialize;
use uuid::Uuid;

const WRONG_LAST_SEQUENCE: [u64; 2] = [10071, 10164];

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
    /// Nobody knows: no answer came.
    Ambiguous(Error),
    /// The server said no for another reason.
    Refused(Error),
}

#[derive(Deserialize)]
struct Ack {
    #[serde(default)]
    seq: u64,
    error: Option<ApiError>,
}

#[derive(Deserialize)]
struct ApiError {
    err_code: u64,
    description: String,
}

/// Publishes one message; answers its sequence.
pub(crate) async fn single(client: &Client, message: Outgoing) -> Result<u64, Rejection> {
    let Outgoing { subject, headers, payload } = message;
    answer(client.request_with_headers(subject, headers, payload).await)
}

/// Publishes all messages or none, in order; answers the sequence of the last.
pub(crate) async fn atomic(client: &Client, messages: Vec<Outgoing>) -> Result<u64, Rejection> {
    let batch = Uuid::now_v7().simple().to_string();
    let last = messages.len();
    for (index, Outgoing { subject, mut headers, payload }) in messages.into_iter().enumerate() {
        headers.insert("Nats-Batch-Id", batch.as_str());
        headers.insert("Nats-Batch-Sequence", (index + 1).to_string());
        if index + 1 == last {
            headers.insert("Nats-Batch-Commit", "1");
            return answer(client.request_with_headers(subject, headers, payload).await);
        }
        client.publish_with_headers(subject, headers, payload).await.map_err(ambiguous)?;
    }
    Err(ambiguous("an empty batch"))
}

fn answer(reply: Result<async_nats::Message, async_nats::RequestError>) -> Result<u64, Rejection> {
    let reply = reply.map_err(ambiguous)?;
    let ack: Ack = serde_json::from_slice(&reply.payload).map_err(ambiguous)?;
    match ack.error {
        None => Ok(ack.seq),
        Some(error) if WRONG_LAST_SEQUENCE.contains(&error.err_code) => Err(Rejection::Conflict),
        Some(ApiError { err_code: code, description }) => {
            Err(Rejection::Refused(Error::Rejected { operation: "append", code, description }))
        }
    }
}

fn ambiguous(source: impl Into<BoxError>) -> Rejection {
    Rejection::Ambiguous(Error::unavailable("append")(source))
}
