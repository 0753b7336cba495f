//! The store: the index and the bodies together, and the threads their blocking work runs on.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bodies::Bodies;
use crate::error::{Error, Fault};
use crate::index::{Index, Snapshot};
use crate::tables::Tables;

pub(crate) struct Store {
    index: Arc<Index>,
    pub(crate) bodies: Arc<Bodies>,
    pub(crate) region: String,
    /// The reads that hold the index open, also those whose request is gone.
    reads: TaskTracker,
}

impl Store {
    pub(crate) async fn open(root: PathBuf, region: String) -> Result<Self, Error> {
        let opened = tokio::task::spawn_blocking(move || {
            let bodies = Arc::new(Bodies::prepare(root.clone())?);
            let index = Index::open(&root, &bodies)?;
            let sweep = index.snapshot().and_then(|snapshot| bodies.sweep(|id| snapshot.knows_body(id)));
            let removed = sweep.map_err(|source| Error::Sweep { root, source: Box::new(source) })?;
            if removed > 0 {
                tracing::info!(removed, "removed the bodies of writes that were never published");
            }
            Ok((index, bodies))
        });
        let (index, bodies) = opened.await.map_err(|_| Error::Broken)??;
        Ok(Self { index: Arc::new(index), bodies, region, reads: TaskTracker::new() })
    }

    /// Cancelled when the index can no longer be written.
    pub(crate) fn broken(&self) -> CancellationToken {
        self.index.writer.broken.clone()
    }

    /// Applies a change and returns when it is durable.
    pub(crate) async fn write<T, F>(&self, change: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tables<'_>) -> Result<T, Fault> + Send + 'static,
    {
        self.index.writer.write(change).await
    }

    /// Reads on a blocking thread. `read` is given the index and may take several snapshots.
    pub(crate) async fn read_index<T, F>(&self, read: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(&Index) -> Result<T, Fault> + Send + 'static,
    {
        let index = Arc::clone(&self.index);
        self.reads.spawn_blocking(move || read(&index)).await.map_err(|_| Fault::Stopping)?
    }

    /// Reads one committed state on a blocking thread.
    pub(crate) async fn read<T, F>(&self, read: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(&Snapshot) -> Result<T, Fault> + Send + 'static,
    {
        self.read_index(move |index| read(&index.snapshot()?)).await
    }

    /// Waits for the reads of abandoned requests, then closes the index, so that it can be opened again at once.
    pub(crate) async fn settle(self: Arc<Self>) {
        self.reads.close();
        self.reads.wait().await;
        // Closing waits for the last group of writes, which is no work for an async thread.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}
