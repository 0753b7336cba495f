//! The last good table on disk, with the position it stands for: what the edge serves until it has heard more.

use crate::error::Error;
use crate::files;
use crate::routes::{self, Routes};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug, Clone)]
pub(crate) struct Store {
    path: PathBuf,
}

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    sequence: u64,
    state: &'a Routes,
}

#[derive(Deserialize)]
struct Read {
    version: u32,
    sequence: u64,
    state: serde_json::Value,
}

impl Store {
    pub(crate) fn new(data_dir: &Path) -> Self {
        Self { path: data_dir.join("routes.json") }
    }

    /// The last table and the sequence of the last fact in it. One that cannot be used is reported and passed over.
    pub(crate) async fn load(&self) -> Option<(u64, Arc<Routes>)> {
        let path = self.path.display();
        let json = match files::read(&self.path).await {
            Ok(json) => json?,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the last route table is not used");
                return None;
            }
        };
        match decode(&json) {
            Ok(Some(read)) => Some(read),
            Ok(None) => {
                tracing::info!(%path, "the last route table has another version and is not used");
                None
            }
            Err(error) => {
                tracing::error!(%error, %path, "the last route table is unreadable and is not used");
                None
            }
        }
    }

    pub(crate) async fn save(&self, sequence: u64, state: &Routes) -> Result<(), Error> {
        let json = serde_json::to_vec(&Written { version: routes::VERSION, sequence, state });
        let json = json.map_err(|error| Error::file("encode", &self.path)(error.into()))?;
        files::write(self.path.clone(), json).await
    }
}

fn decode(json: &[u8]) -> Result<Option<(u64, Arc<Routes>)>, serde_json::Error> {
    let Read { version, sequence, state } = serde_json::from_slice(json)?;
    if version != routes::VERSION {
        return Ok(None);
    }
    Ok(Some((sequence, Arc::new(serde_json::from_value(state)?))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_table_reads_back_and_one_of_another_version_or_cut_short_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        assert!(store.load().await.is_none());
        store.save(1, &Routes::default()).await.unwrap();
        store.save(7, &Routes::default()).await.unwrap();
        assert_eq!(store.load().await, Some((7, Arc::new(Routes::default()))));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let text = std::fs::read_to_string(&store.path).unwrap();
        let present = format!("\"version\":{}", routes::VERSION);
        for unusable in [text.replace(&present, "\"version\":0"), text[..text.len() - 3].to_owned()] {
            std::fs::write(&store.path, unusable).unwrap();
            assert!(store.load().await.is_none());
        }
    }
}
