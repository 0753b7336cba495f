//! Leases: at most one process does a thing at a time, and another takes over when it falls silent.
//!
//! A lease is a key that lives for [`LEASE_TTL`] unless renewed; each write names the revision it replaces, so a holder
//! that was away too long learns it. A lease makes work rare, not safe: what must not happen twice is guarded by the
//! log's own expectations.

use crate::connection::Connection;
use crate::error::Error;
use crate::streams::LEASE_TTL;
use async_nats::jetstream::kv::Store;
use events::subject;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A lease held; given up when dropped.
pub struct Lease {
    lost: CancellationToken,
    _renewal: DropGuard,
}

impl Lease {
    /// Waits until the lease `name` is free, and takes it for `holder`. Answers `None` if `stop` fires first.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the leases cannot be reached at all.
    pub async fn acquire(
        connection: &Connection,
        (name, holder): (&str, &str),
        stop: &CancellationToken,
    ) -> Result<Option<Self>, Error> {
        let store = connection.jetstream.get_key_value(subject::LEASES).await;
        let store = store.map_err(Error::unavailable("open the leases"))?;
        let mut waiting = false;
        loop {
            if let Ok(revision) = store.create(name, holder.to_owned().into()).await {
                tracing::info!(lease = name, holder, "lease taken");
                return Ok(Some(Self::renewing(store, (name, holder), revision)));
            }
            if !waiting {
                tracing::info!(lease = name, "lease is held by another process, waiting");
                waiting = true;
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(None),
                () = tokio::time::sleep(LEASE_TTL / 12) => {}
            }
        }
    }

    /// Fires when the lease was lost.
    #[must_use]
    pub fn lost(&self) -> CancellationToken {
        self.lost.clone()
    }

    fn renewing(store: Store, (name, holder): (&str, &str), revision: u64) -> Self {
        let (lost, ended) = (CancellationToken::new(), CancellationToken::new());
        let renewal = ended.clone().drop_guard();
        let (name, holder, lost_too) = (name.to_owned(), holder.to_owned(), lost.clone());
        tokio::spawn(async move { renew(store, (name, holder), revision, (lost_too, ended)).await });
        Self { lost, _renewal: renewal }
    }
}

async fn renew(
    store: Store,
    (name, holder): (String, String),
    mut revision: u64,
    (lost, ended): (CancellationToken, CancellationToken),
) {
    let mut renewed = tokio::time::Instant::now();
    loop {
        tokio::select! {
            () = ended.cancelled() => {
                // Another process need not wait for the key to expire.
                let _ = store.purge_expect_revision(&name, Some(revision)).await;
                return;
            }
            () = tokio::time::sleep(LEASE_TTL / 4) => {}
        }
        match store.update(&name, holder.clone().into(), revision).await {
            Ok(next) => (revision, renewed) = (next, tokio::time::Instant::now()),
            // Silence is not loss yet: the key lives on until it expires.
            Err(error) if renewed.elapsed() < LEASE_TTL * 3 / 4 => {
                tracing::warn!(%error, lease = name, "lease was not renewed, trying again");
            }
            Err(error) => {
                tracing::error!(%error, lease = name, "lease lost");
                return lost.cancel();
            }
        }
    }
}
