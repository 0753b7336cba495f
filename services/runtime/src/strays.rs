//! Deliveries that came for nobody or were refused: what was told of each lies here for a while, so that people can see why
//! nothing happened. Each owner has room for so many, apart from those that nobody signed, and the oldest go first.

use crate::connection::Connection;
use crate::error::Error;
use crate::read::{self, Stored};
use crate::telemetry::metrics;
use bytes::Bytes;
use events::{OrganizationId, subject};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::Instant;

/// Whose a stray delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The organization it was for; none if that cannot be told.
    pub owner: Option<OrganizationId>,
    /// Whether its signature was right, so that what it says can be believed.
    pub is_signed: bool,
}

/// A stray delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// What it is found by.
    pub id: u64,
    /// Whose it is.
    pub place: Place,
    /// When it came.
    pub received_at: OffsetDateTime,
    /// What is kept of it.
    pub text: Bytes,
}

/// Keeps what is told of a delivery. The same of the same owner within ten minutes is kept once.
///
/// # Errors
/// [`Error::Unavailable`] if the log does not confirm it.
pub async fn keep(connection: &Connection, place: Place, name: &str, text: Vec<u8>) -> Result<(), Error> {
    let doing = "keep a stray delivery";
    let subject = subject::strays(place.owner, place.is_signed);
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("Nats-Msg-Id", format!("{subject}/{}", subject::token(name)));
    let started = Instant::now();
    let sent = connection.jetstream.publish_with_headers(subject, headers, text.into()).await;
    sent.map_err(Error::unavailable(doing))?.await.map_err(Error::unavailable(doing))?;
    metrics::sent(subject::STRAYS, 1, started.elapsed(), None);
    Ok(())
}

/// Everything that is kept, oldest first.
///
/// # Errors
/// [`Error`] if the log does not answer.
pub async fn all(connection: &Connection) -> Result<Vec<Stray>, Error> {
    of_subject(connection, subject::ALL_STRAYS).await
}

/// What is kept at a place, oldest first.
///
/// # Errors
/// [`Error`] if the log does not answer.
pub async fn at(connection: &Connection, place: Place) -> Result<Vec<Stray>, Error> {
    of_subject(connection, &subject::strays(place.owner, place.is_signed)).await
}

/// The stray delivery with this id, if it is still kept.
///
/// # Errors
/// [`Error`] if the log does not answer.
pub async fn find(connection: &Connection, id: u64) -> Result<Option<Stray>, Error> {
    Ok(read::at(connection, subject::STRAYS, id).await?.as_ref().and_then(stray))
}

async fn of_subject(connection: &Connection, subject: &str) -> Result<Vec<Stray>, Error> {
    let found = read::subject_after(connection, subject::STRAYS, subject, 0).await?;
    Ok(found.iter().filter_map(stray).collect())
}

fn stray(stored: &Stored) -> Option<Stray> {
    let mut parts = stored.subject.split('.').skip(1);
    let (owner, kind) = (parts.next()?, parts.next()?);
    Some(Stray {
        id: stored.sequence,
        place: Place { owner: owner.parse().ok(), is_signed: kind == "signed" },
        received_at: OffsetDateTime::parse(&stored.stored_at, &Rfc3339).ok()?,
        text: stored.payload.clone(),
    })
}
