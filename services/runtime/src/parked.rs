//! The operator's shelf: what a consumer could not handle, with the reason, until somebody retries or drops it.
//!
//! A parked message lies on `parked.<consumer>.<sequence>`. A retry is a message on `parked.<consumer>.retry.<sequence>`,
//! which only that consumer hears, so a fact is never stated twice and no other consumer is disturbed. It carries the
//! fact as the consumer heard it.

use crate::connection::Connection;
use crate::error::Error;
use crate::log::Log;
use crate::publish::Outgoing;
use crate::read::{self, Stored};
use async_nats::HeaderMap;
use async_nats::header::HeaderValue;
use async_nats::jetstream::message::Message;
use bytes::Bytes;
use events::subject;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Every place on the shelf, and no retry.
const PLACES: &str = "parked.*.*";
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
    /// Its place on the shelf: what [`retry`] and [`discard`] name.
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

/// The place of the fact in the log: the message's own, or the one that an operator's retry names.
pub(crate) fn fact_sequence(message: &Message) -> Option<u64> {
    if is_retry(&message.subject) {
        return last_number(&message.subject);
    }
    message.info().ok().map(|info| info.stream_sequence)
}

fn last_number(subject: &str) -> Option<u64> {
    subject.rsplit('.').next()?.parse().ok()
}

/// Puts a message on the shelf, durably.
pub(crate) async fn park(log: &Log, shelf: &Shelf, message: &Message) -> Result<(), Error> {
    let info = message.info().map_err(Error::unavailable("park"))?;
    let mut headers = envelope(message.headers.as_ref());
    let reason: String = shelf.reason.chars().take(REASON_MAX).collect();
    let reason = utf8_percent_encode(&reason, NON_ALPHANUMERIC).to_string();
    if let Ok(reason) = reason.parse::<HeaderValue>() {
        headers.insert(REASON, reason);
    }
    headers.insert(DELIVERIES, shelf.deliveries.to_string());
    // One place per message: its second delivery finds it taken; a retry is another message and takes another.
    headers.insert("Nats-Msg-Id", format!("{}/{}/{}", shelf.consumer, info.stream, info.stream_sequence));
    let place = subject::parked(shelf.consumer, fact_sequence(message).unwrap_or(info.stream_sequence));
    publish(&log.connection, Outgoing { subject: place, headers, payload: message.payload.clone() }, "park").await
}

/// Where it is written how often a fact was delivered when it was last given back for a newer version. No place on the
/// shelf, for its name ends in no sequence.
fn note_of(consumer: &str, message: &Message) -> Option<String> {
    let kind = if is_retry(&message.subject) { "newer-retry" } else { "newer" };
    fact_sequence(message).map(|sequence| format!("parked.{consumer}.{kind}-{sequence}"))
}

/// Writes down that a fact was given back at its `deliveries`-th delivery, for want of a newer version.
pub(crate) async fn note_given_back(
    log: &Log,
    consumer: &str,
    message: &Message,
    deliveries: u64,
) -> Result<(), Error> {
    let Some(note) = note_of(consumer, message) else { return Ok(()) };
    let mut headers = HeaderMap::new();
    headers.insert(DELIVERIES, deliveries.to_string());
    publish(
        &log.connection,
        Outgoing { subject: note, headers, payload: Bytes::new() },
        "write down that a fact was given back",
    )
    .await
}

/// The delivery at which a fact was last given back, as far as it is written down; 0 if it never was.
pub(crate) async fn given_back(log: &Log, consumer: &str, message: &Message) -> Result<u64, Error> {
    let Some(note) = note_of(consumer, message) else { return Ok(0) };
    let last = read::last_of(&log.connection, subject::PARKED, &note).await?;
    let deliveries = last.and_then(|note| note.headers.get(DELIVERIES)?.as_str().parse().ok());
    Ok(deliveries.unwrap_or(0))
}

async fn publish(connection: &Connection, note: Outgoing, doing: &'static str) -> Result<(), Error> {
    let Outgoing { subject, headers, payload } = note;
    let published = connection.jetstream.publish_with_headers(subject, headers, payload).await;
    published.map_err(Error::unavailable(doing))?.await.map_err(Error::unavailable(doing))?;
    Ok(())
}

/// The CloudEvents attributes, without the trace context of the sender and what the server adds.
fn envelope(headers: Option<&HeaderMap>) -> HeaderMap {
    let mut envelope = HeaderMap::new();
    for (name, values) in headers.iter().flat_map(|headers| headers.iter()) {
        let attribute = name.to_string().to_ascii_lowercase().starts_with("ce-");
        if let Some(value) = values.first().filter(|_| attribute) {
            envelope.insert(name.clone(), value.clone());
        }
    }
    envelope
}

/// Everything on the shelf, oldest first.
///
/// # Errors
/// [`Error`] if the shelf cannot be reached.
pub async fn list(connection: &Connection) -> Result<Vec<Parked>, Error> {
    let found = read::subject_after(connection, subject::PARKED, PLACES, 0).await?;
    Ok(found.iter().filter_map(parked).collect())
}

/// Gives the message at `id` to its consumer again and takes it off the shelf.
///
/// # Errors
/// [`Error::Rejected`] if there is no such message.
pub async fn retry(connection: &Connection, id: u64) -> Result<Parked, Error> {
    let (stored, parked) = find(connection, id).await?;
    let mut headers = envelope(Some(&stored.headers));
    // Asked for twice before it is off the shelf, it is given once.
    headers.insert("Nats-Msg-Id", format!("retry/{id}"));
    let subject = retry_subject(&parked.consumer, &parked.sequence.to_string());
    publish(connection, Outgoing { subject, headers, payload: stored.payload }, "retry").await?;
    take(connection, id).await?;
    Ok(parked)
}

/// Takes the message at `id` off the shelf for good. The fact stays in the log.
///
/// # Errors
/// [`Error::Rejected`] if there is no such message.
pub async fn discard(connection: &Connection, id: u64) -> Result<Parked, Error> {
    let (_, parked) = find(connection, id).await?;
    take(connection, id).await?;
    Ok(parked)
}

async fn find(connection: &Connection, id: u64) -> Result<(Stored, Parked), Error> {
    let missing = || Error::Rejected {
        operation: "find a parked message",
        code: 404,
        description: format!("nothing is parked as {id}"),
    };
    let stored = read::at(connection, subject::PARKED, id).await?.ok_or_else(missing)?;
    let parked = parked(&stored).ok_or_else(missing)?;
    Ok((stored, parked))
}

async fn take(connection: &Connection, id: u64) -> Result<(), Error> {
    let doing = "take a message off the shelf";
    let stream = connection.jetstream.get_stream(subject::PARKED).await.map_err(Error::unavailable(doing))?;
    stream.delete_message(id).await.map_err(Error::unavailable(doing))?;
    Ok(())
}

fn parked(stored: &Stored) -> Option<Parked> {
    if is_retry(&stored.subject) {
        return None;
    }
    let attribute = |name| crate::codec::attribute(&stored.headers, name).unwrap_or_default();
    let header = |name| stored.headers.get(name).map(HeaderValue::as_str).unwrap_or_default();
    Some(Parked {
        id: stored.sequence,
        consumer: stored.subject.split('.').nth(1)?.to_owned(),
        sequence: last_number(&stored.subject)?,
        event_type: attribute("type"),
        subject: attribute("subject"),
        reason: percent_decode_str(header(REASON)).decode_utf8_lossy().into_owned(),
        deliveries: header(DELIVERIES).parse().unwrap_or(0),
        parked_at: OffsetDateTime::parse(&stored.stored_at, &Rfc3339).ok()?,
    })
}
