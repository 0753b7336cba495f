//! Snapshots of folds: a state with the sequence it stands for, so that a restart need not read the log from its start.

use crate::connection::Connection;
use crate::error::Error;
use async_nats::jetstream::object_store::GetErrorKind;
use events::subject;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::io::AsyncReadExt;

/// How long a snapshot may take to be read.
const READ_MAX: Duration = Duration::from_secs(30);

/// A state at a position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot<S> {
    /// The version of the state's shape; another version is not read.
    pub version: u32,
    /// The sequence of the last fact in the state.
    pub sequence: u64,
    /// The state.
    pub state: S,
}

/// Stores the snapshot of the fold `name`, in place of its last one.
///
/// # Errors
/// [`Error`] if the snapshots cannot be reached.
pub async fn save<S: Serialize + Sync>(
    connection: &Connection,
    name: &str,
    snapshot: &Snapshot<S>,
) -> Result<(), Error> {
    let doing = "store a snapshot";
    let body = serde_json::to_vec(snapshot).map_err(Error::unavailable(doing))?;
    let store = connection.jetstream.get_object_store(subject::SNAPSHOTS).await;
    let store = store.map_err(Error::unavailable(doing))?;
    store.put(name, &mut body.as_slice()).await.map_err(Error::unavailable(doing))?;
    Ok(())
}

/// The last snapshot of the fold `name`; none if there is none of this version.
///
/// # Errors
/// [`Error`] if the snapshots cannot be reached. A snapshot that cannot be read is reported and passed over.
pub async fn load<S: DeserializeOwned>(
    connection: &Connection,
    name: &str,
    version: u32,
) -> Result<Option<Snapshot<S>>, Error> {
    let doing = "read a snapshot";
    let store = connection.jetstream.get_object_store(subject::SNAPSHOTS).await;
    let store = store.map_err(Error::unavailable(doing))?;
    let mut body = Vec::new();
    let read = async {
        let mut object = match store.get(name).await {
            Ok(object) => object,
            Err(error) if error.kind() == GetErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(Error::unavailable(doing)(error)),
        };
        // A snapshot that is replaced meanwhile loses its pieces, and its reader would wait for them for ever.
        object.read_to_end(&mut body).await.map_err(Error::unavailable(doing))?;
        Ok(true)
    };
    if !tokio::time::timeout(READ_MAX, read).await.map_err(Error::unavailable(doing))?? {
        return Ok(None);
    }
    match serde_json::from_slice::<Snapshot<S>>(&body) {
        Ok(snapshot) if snapshot.version == version => Ok(Some(snapshot)),
        Ok(snapshot) => {
            tracing::info!(name, found = snapshot.version, wanted = version, "snapshot of another version is not used");
            Ok(None)
        }
        Err(error) => {
            tracing::warn!(name, %error, "snapshot cannot be read and is not used");
            Ok(None)
        }
    }
}
