//! A home in the log's own object store, for a fold whose process has no disk.

use super::Home;
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

    async fn get(&self) -> Result<Option<Vec<u8>>, Error> {
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
}

impl Home for Objects {
    async fn read(&self) -> Result<Option<Vec<u8>>, BoxError> {
        // A snapshot that is replaced meanwhile loses its pieces, and its reader would wait for them for ever.
        Ok(tokio::time::timeout(READ_MAX, self.get()).await??)
    }

    async fn write(&self, snapshot: Vec<u8>) -> Result<(), BoxError> {
        let store = self.connection.jetstream.get_object_store(subject::SNAPSHOTS).await?;
        store.put(self.name, &mut snapshot.as_slice()).await?;
        Ok(())
    }
}
