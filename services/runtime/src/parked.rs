//! The operator's shelf: what a consumer could not handle, with the reason, until somebody retries or drops it.
//!
//! A parked message lies on `parked.<consumer>.<sequence>`. A retry is a message on `parked.<consumer>.retry.<sequence>`,
//! which only that consumer hears, so a fact is never stated twice and no other consumer is disturbed.

use crate::connection::Connection;
use crate::error::Error;
use crate::log::Log;
use async_nats::HeaderMap;
use async_nats::header::HeaderValue;
use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use async_nats::jetstream::message::Message;
use events::subject;
use futures::StreamExt;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Serialize;
use time::OffsetDateTime;

const REASON: &str = "Pagefold-Reason";
const DELIVERIES: &str = "Pagefold-Deliveries";
/// Longest reason kept, in characters.
const REASON_MAX: usize = 2000;

pub(crate) struct Shelf {
    pub(crate) consumer: &'static str,
    pub(crate) deliveries: u64,
    pub(crate) reason: String,
}

/// One message on the shelf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parked {
    /// Its place on the shelf: what `retry` and `drop` name.
    pub id: u64,
    /// The consumer that could not handle it.
    pub consumer: String,
    /// Sequence of the fact in the log.
    pub sequence: u64,
    /// The fact's CloudEvents type.
    pub event_type: String,
    /// The aggregate it is about.
    pub subject: String,
    /// Why it was parked.
    pub reason: String,
    /// How often it was tried.
    pub deliveries: u64,
    /// When it was parked.
    #[serde(with = "time::serde::rfc3339")]
    pub parked_at: OffsetDateTime,
}

pub(crate) fn retry_subject(consumer: &str, sequence: &str) -> String {
    format!("parked.{consumer}.retry.{sequence}")
}

pub(crate) fn is_retry(subject: &str) -> bool {
    subject.split('.').nth(2) == Some("retry")
}

pub(crate) fn original_sequence(subject: &str) -> Option<u64> {
    subject.rsplit('.').next()?.parse().ok()
}

/// Puts a message on the shelf, durably.
pub(crate) async fn park(log: &Log, shelf: &Shelf, (message, now): (&Message, OffsetDateTime)) -> Result<(), Error> {
    let sequence = match original_sequence(&message.subject).filter(|_| is_retry(&message.subject)) {
        Some(original) => original,
        None => message.info().map_err(Error::unavailable("park"))?.stream_sequence,
    };
    let mut headers = HeaderMap::new();
    for (name, values) in message.headers.iter().flat_map(HeaderMap::iter) {
        let context = name.to_string().to_ascii_lowercase().starts_with("ce-");
        for value in values.iter().filter(|_| context) {
            headers.insert(name.clone(), value.clone());
        }
    }
    let reason: String = shelf.reason.chars().take(REASON_MAX).collect();
    let reason = utf8_percent_encode(&reason, NON_ALPHANUMERIC).to_string();
    if let Ok(reason) = reason.parse::<HeaderValue>() {
        headers.insert(REASON, reason);
    }
    headers.insert(DELIVERIES, shelf.deliveries.to_string());
    // One place per parking: a second delivery of the same message finds it taken, a later retry does not.
    headers.insert("Nats-Msg-Id", format!("{}/{sequence}/{}", shelf.consumer, now.unix_timestamp() / 60));
    let place = subject::parked(shelf.consumer, sequence);
    let published = log.connection.jetstream.publish_with_headers(place, headers, message.payload.clone()).await;
    let acknowledged = published.map_err(Error::unavailable("park"))?.await;
    acknowledged.map_err(Error::unavailable("park"))?;
    Ok(())
}

/// Everything on the shelf, oldest first.
///
/// # Errors
/// [`Error`] if the shelf cannot be reached.
pub async fn list(connection: &Connection) -> Result<Vec<Parked>, Error> {
    let doing = "list the shelf";
    let stream = connection.jetstream.get_stream(subject::PARKED).await.map_err(Error::unavailable(doing))?;
    let config = pull::OrderedConfig {
        filter_subject: "parked.*.*".to_owned(),
        deliver_policy: DeliverPolicy::All,
        ..pull::OrderedConfig::default()
    };
    let consumer = stream.create_consumer(config).await.map_err(Error::unavailable(doing))?;
    let mut left = consumer.cached_info().num_pending;
    let mut messages = consumer.messages().await.map_err(Error::unavailable(doing))?;
    let mut found = Vec::new();
    while left > 0 {
        let Some(message) = messages.next().await else { break };
        let message = message.map_err(Error::unavailable(doing))?;
        left -= 1;
        found.extend(read(&message));
    }
    Ok(found)
}

/// Gives the message at `id` to its consumer again and takes it off the shelf.
///
/// # Errors
/// [`Error::Rejected`] if there is no such message.
pub async fn retry(connection: &Connection, id: u64) -> Result<Parked, Error> {
    let parked = find(connection, id).await?;
    let subject = retry_subject(&parked.consumer, &parked.sequence.to_string());
    let doing = "retry";
    let published = connection.jetstream.publish(subject, "".into()).await.map_err(Error::unavailable(doing))?;
    published.await.map_err(Error::unavailable(doing))?;
    take(connection, id).await?;
    Ok(parked)
}

/// Takes the message at `id` off the shelf for good. The fact stays in the log.
///
/// # Errors
/// [`Error::Rejected`] if there is no such message.
pub async fn discard(connection: &Connection, id: u64) -> Result<Parked, Error> {
    let parked = find(connection, id).await?;
    take(connection, id).await?;
    Ok(parked)
}

async fn find(connection: &Connection, id: u64) -> Result<Parked, Error> {
    let missing = || Error::Rejected {
        operation: "find a parked message",
        code: 404,
        description: format!("nothing is parked as {id}"),
    };
    list(connection).await?.into_iter().find(|parked| parked.id == id).ok_or_else(missing)
}

async fn take(connection: &Connection, id: u64) -> Result<(), Error> {
    let doing = "take a message off the shelf";
    let stream = connection.jetstream.get_stream(subject::PARKED).await.map_err(Error::unavailable(doing))?;
    stream.delete_message(id).await.map_err(Error::unavailable(doing))?;
    Ok(())
}

fn read(message: &Message) -> Option<Parked> {
    let info = message.info().ok()?;
    let headers = message.headers.clone().unwrap_or_default();
    let attribute = |name| crate::codec::attribute(&headers, name).unwrap_or_default();
    let header = |name| headers.get(name).map(ToString::to_string).unwrap_or_default();
    Some(Parked {
        id: info.stream_sequence,
        consumer: message.subject.split('.').nth(1)?.to_owned(),
        sequence: original_sequence(&message.subject)?,
        event_type: attribute("type"),
        subject: attribute("subject"),
        reason: percent_decode_str(&header(REASON)).decode_utf8_lossy().into_owned(),
        deliveries: header(DELIVERIES).parse().unwrap_or(0),
        parked_at: info.published,
    })
}
