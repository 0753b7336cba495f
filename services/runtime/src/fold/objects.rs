//! A home in the log's own object store, for a fold whose process has no disk.

use super::{Home, Kept, State};
use crate::connection::Connection;
use crate::error::{BoxError, Error};
use async_nats::jetstream::object_store::GetErrorKind;
use events::subject;
use std::time::Duration;
use tokio::io::AsyncReadExt;

/// How long a snapshot may take to be read.
const READ_MAX: Duration = Duration::from_secs(30);

/// An object of the log's bucket of snapshots.
#[derive(Debug, Clone)]
pub struct Objects {
    connection: Connection,
    name: &'static str,
}

impl Objects {
    /// The object `name`.
    #[must_use]
    pub const fn new(connection: Connection, name: &'static str) -> Self {
        Self { connection, name }
    }

    /// What it holds, if it is there.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the log cannot be asked.
    pub async fn get(&self) -> Result<Option<Vec<u8>>, Error> {
        // An object that is replaced meanwhile loses its pieces, and its reader would wait for them for ever.
        let read = tokio::time::timeout(READ_MAX, self.read_all()).await;
        read.map_err(Error::unavailable("read a snapshot"))?
    }

    async fn read_all(&self) -> Result<Option<Vec<u8>>, Error> {
        let doing = "read a snapshot";
        let store = self.connection.jetstream.get_object_store(subject::SNAPSHOTS).await;
        let store = store.map_err(Error::unavailable(doing))?;
        let mut object = match store.get(self.name).await {
            Ok(object) => object,
            Err(error) if error.kind() == GetErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::unavailable(doing)(error)),
        };
        let mut body = Vec::new();
        object.read_to_end(&mut body).await.map_err(Error::unavailable(doing))?;
        Ok(Some(body))
    }

    /// Makes it hold `body`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the log cannot store it.
    pub async fn put(&self, body: &[u8]) -> Result<(), Error> {
        let doing = "write a snapshot";
        let store = self.connection.jetstream.get_object_store(subject::SNAPSHOTS).await;
        let store = store.map_err(Error::unavailable(doing))?;
        store.put(self.name, &mut &*body).await.map_err(Error::unavailable(doing))?;
        Ok(())
    }
}

impl<S: State> Home<S> for Objects {
    async fn read(&self) -> Result<Option<Kept<S>>, BoxError> {
        let Some(text) = self.get().await? else { return Ok(None) };
        Ok(tokio::task::spawn_blocking(move || Kept::from_json(&text)).await?)
    }

    async fn write(&self, kept: Kept<S>) -> Result<u64, BoxError> {
        let text = tokio::task::spawn_blocking(move || kept.to_json()).await??;
        self.put(&text).await?;
        Ok(text.len() as u64)
    }
}
