//! File work, which is no work for an async thread.

use crate::error::Fault;

/// Runs file work on a blocking thread.
pub(crate) async fn run<T, F>(work: F) -> Result<T, Fault>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Fault> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.map_err(|_| Fault::Stopping)?
}
