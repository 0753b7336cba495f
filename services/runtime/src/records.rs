//! Small records beside the log, which every process sees at once: sessions of people, the keys that names and secrets are
//! sealed with, and when tokens were last used.
//!
//! Reads ask the bucket's leader, not a copy that may lag: what was ended is over everywhere. A record that is replaced or taken
//! names the revision it was read at, so what ends meanwhile stays ended, and what is taken is taken once.

use crate::connection::Connection;
use crate::error::Error;
use async_nats::jetstream::kv::{Store, UpdateErrorKind};
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use events::subject;
use tokio::sync::OnceCell;

/// What the server says of a key that was ended.
const OPERATION: &str = "KV-Operation";

/// A bucket of records, opened when it is first needed.
#[derive(Debug)]
pub struct Records {
    connection: Connection,
    bucket: &'static str,
    store: OnceCell<Store>,
}

/// A record and which version of it this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What was put there.
    pub value: Vec<u8>,
    /// What [`Records::replace`] and [`Records::take`] have to name.
    pub revision: u64,
}

impl Records {
    /// Sessions, and links that begin one. What nobody renews for [`SESSION_IDLE`](crate::streams::SESSION_IDLE) ends.
    #[must_use]
    pub fn sessions(connection: &Connection) -> Self {
        Self::of(connection, subject::SESSIONS)
    }

    /// The keys that texts are sealed with, which stay until they are destroyed.
    #[must_use]
    pub fn keys(connection: &Connection) -> Self {
        Self::of(connection, subject::KEYS)
    }

    /// When tokens were last used, until they are revoked.
    #[must_use]
    pub fn uses(connection: &Connection) -> Self {
        Self::of(connection, subject::USES)
    }

    /// What was asked with a key and what was answered, for a day.
    #[must_use]
    pub fn requests(connection: &Connection) -> Self {
        Self::of(connection, subject::REQUESTS)
    }

    /// Nothing is asked yet.
    fn of(connection: &Connection, bucket: &'static str) -> Self {
        Self { connection: connection.clone(), bucket, store: OnceCell::new() }
    }

    async fn store(&self) -> Result<&Store, Error> {
        let open = || self.connection.jetstream.get_key_value(self.bucket);
        self.store.get_or_try_init(open).await.map_err(Error::unavailable("open a bucket of records"))
    }

    /// Keeps `value` under `key`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the log does not confirm it.
    pub async fn put(&self, key: &str, value: Vec<u8>) -> Result<(), Error> {
        let put = self.store().await?.put(key, value.into()).await;
        put.map(drop).map_err(Error::unavailable("keep a record"))
    }

    /// Keeps `value` under `key` unless something is there or ever was; answers whether that was so.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the log does not confirm it.
    pub async fn create(&self, key: &str, value: Vec<u8>) -> Result<bool, Error> {
        self.replace(key, Record { value, revision: 0 }).await
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
            Err(error) => Err(Error::unavailable("read a record")(error)),
        }
    }

    /// Replaces a record, unless it was replaced or ended meanwhile; answers whether it was not.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the log does not answer.
    pub async fn replace(&self, key: &str, record: Record) -> Result<bool, Error> {
        match self.store().await?.update(key, record.value.into(), record.revision).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => Ok(false),
            Err(error) => Err(Error::unavailable("replace a record")(error)),
        }
    }

    /// The record of `key`, for whoever comes first: it is there no more.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the log does not answer: it may be gone then.
    pub async fn take(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let Some(Record { value, revision }) = self.read(key).await? else { return Ok(None) };
        // An empty record is nobody's: whoever replaces it has it alone.
        let taken = self.replace(key, Record { value: Vec::new(), revision }).await?;
        self.end(key).await?;
        Ok(taken.then_some(value).filter(|value| !value.is_empty()))
    }

    /// Ends the record of `key`, if there is one, with all that it ever was.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the log does not confirm it: the record may live on.
    pub async fn end(&self, key: &str) -> Result<(), Error> {
        self.store().await?.purge(key).await.map_err(Error::unavailable("end a record"))
    }
}
