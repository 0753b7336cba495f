//! Sessions of people who have signed in: records in a bucket of the log, which every web process sees at once.
//!
//! Reads ask the stream's leader, not a copy that may lag: a session that was ended is over everywhere. A record that is
//! renewed names the revision it replaces, so a session that ends meanwhile stays ended.

use crate::connection::Connection;
use crate::error::Error;
use async_nats::jetstream::kv::{Store, UpdateErrorKind};
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use events::subject;
use tokio::sync::OnceCell;

/// What the server says of a key that was ended.
const OPERATION: &str = "KV-Operation";

/// The sessions' bucket, opened when it is first needed.
#[derive(Debug)]
pub struct Sessions {
    connection: Connection,
    store: OnceCell<Store>,
}

/// A session's record and which version of it this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What [`Sessions::begin`] or [`Sessions::renew`] was given.
    pub value: Vec<u8>,
    /// What [`Sessions::renew`] has to name.
    pub revision: u64,
}

impl Sessions {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(connection: &Connection) -> Self {
        Self { connection: connection.clone(), store: OnceCell::new() }
    }

    async fn store(&self) -> Result<&Store, Error> {
        let open = || self.connection.jetstream.get_key_value(subject::SESSIONS);
        self.store.get_or_try_init(open).await.map_err(Error::unavailable("open the sessions"))
    }

    /// Keeps `value` under `key`, which nobody may guess, until it was not renewed for
    /// [`SESSION_IDLE`](crate::streams::SESSION_IDLE).
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the log does not confirm it.
    pub async fn begin(&self, key: &str, value: Vec<u8>) -> Result<(), Error> {
        let put = self.store().await?.put(key, value.into()).await;
        put.map(drop).map_err(Error::unavailable("begin a session"))
    }

    /// The record of `key`; none if there is none any more.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the log does not answer.
    pub async fn read(&self, key: &str) -> Result<Option<Record>, Error> {
        let store = self.store().await?;
        match store.stream.get_last_raw_message_by_subject(&format!("{}{key}", store.prefix)).await {
            Ok(message) if message.headers.get(OPERATION).is_some() => Ok(None),
            Ok(message) => Ok(Some(Record { value: message.payload.to_vec(), revision: message.sequence })),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(Error::unavailable("read a session")(error)),
        }
    }

    /// Replaces a record, unless it was replaced or ended meanwhile.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the log does not answer.
    pub async fn renew(&self, key: &str, record: Record) -> Result<(), Error> {
        match self.store().await?.update(key, record.value.into(), record.revision).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => Ok(()),
            Err(error) => Err(Error::unavailable("renew a session")(error)),
        }
    }

    /// Ends the session of `key`, if there is one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the log does not confirm it: the session may live on.
    pub async fn end(&self, key: &str) -> Result<(), Error> {
        self.store().await?.delete(key).await.map_err(Error::unavailable("end a session"))
    }
}
