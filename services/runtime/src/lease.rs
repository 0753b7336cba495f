//! Leases: at most one process does a thing at a time, and another takes over when it falls silent.
//!
//! A lease is a key that lives for [`LEASE_TTL`] unless renewed; each write names the revision it replaces, so a holder
//! that was away too long learns it. A lease makes work rare, not safe: what must not happen twice is guarded by the
//! log's own expectations.

use crate::connection::Connection;
use crate::streams::LEASE_TTL;
use async_nats::jetstream::kv::{CreateErrorKind, Entry, Operation, Store, UpdateErrorKind};
use events::subject;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How often a lease held by another is asked for.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How often a lease held is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(LEASE_TTL.as_secs() / 4);
/// How long one renewal may take, and the rest before the next try.
const RENEW_MAX: Duration = Duration::from_secs(2);
const RENEW_AGAIN: Duration = Duration::from_millis(500);
/// How long a holder trusts a lease it could not renew: it stops well before another may begin.
const TRUST: Duration = Duration::from_secs(LEASE_TTL.as_secs() * 3 / 4);

/// A lease held; given up when dropped.
pub struct Lease {
    lost: CancellationToken,
    ended: DropGuard,
    renewal: JoinHandle<()>,
}

impl Lease {
    /// Waits until the lease `name` is free, and takes it for `holder`, which no other process may be called. Answers
    /// `None` if `stop` fires first. A log that is away is waited for.
    pub async fn acquire(
        connection: &Connection,
        (name, holder): (&str, &str),
        stop: &CancellationToken,
    ) -> Option<Self> {
        let store = stop.run_until_cancelled(open(connection)).await?;
        let mut waiting = false;
        loop {
            let asked = Instant::now();
            match store.create(name, holder.to_owned().into()).await {
                Ok(revision) => {
                    tracing::info!(lease = name, holder, "lease taken");
                    let held = Held { store, name: name.to_owned(), holder: holder.to_owned(), revision };
                    return Some(Self::renewing(held, asked));
                }
                Err(error) if error.kind() == CreateErrorKind::AlreadyExists => {
                    if !waiting {
                        tracing::info!(lease = name, "lease is held by another process, waiting");
                        waiting = true;
                    }
                }
                Err(error) => tracing::warn!(%error, lease = name, "cannot ask for the lease, trying again"),
            }
            tokio::select! {
                () = stop.cancelled() => return None,
                () = tokio::time::sleep(ASK_EVERY) => {}
            }
        }
    }

    /// Fires when the lease was lost, or cannot be trusted any more: before another process can have it.
    #[must_use]
    pub fn lost(&self) -> CancellationToken {
        self.lost.clone()
    }

    /// Gives the lease up and waits until the log knows, so that another process need not wait for it to expire.
    pub async fn release(self) {
        drop(self.ended);
        let _ = self.renewal.await;
    }

    fn renewing(held: Held, taken: Instant) -> Self {
        let (lost, ended) = (CancellationToken::new(), CancellationToken::new());
        let renewal = tokio::spawn(held.keep(taken, (lost.clone(), ended.clone())));
        Self { lost, ended: ended.drop_guard(), renewal }
    }
}

/// The leases, however long the log takes to come up.
async fn open(connection: &Connection) -> Store {
    loop {
        match connection.jetstream.get_key_value(subject::LEASES).await {
            Ok(store) => return store,
            Err(error) => tracing::warn!(%error, "cannot open the leases, trying again"),
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

struct Held {
    store: Store,
    name: String,
    holder: String,
    revision: u64,
}

impl Held {
    /// Renews until the lease is `ended` by its holder, or `lost`.
    async fn keep(mut self, mut renewed: Instant, (lost, ended): (CancellationToken, CancellationToken)) {
        let mut next = renewed + RENEW_EVERY;
        loop {
            tokio::select! {
                () = ended.cancelled() => {
                    let _ = self.store.purge_expect_revision(&self.name, Some(self.revision)).await;
                    return;
                }
                () = tokio::time::sleep_until(next) => {}
            }
            // The key lives from when the server stores it, which is not before it is sent.
            let (sent, end) = (Instant::now(), renewed + TRUST);
            let answered = tokio::time::timeout_at(end.min(sent + RENEW_MAX), self.renew()).await;
            match answered.map_err(Into::into).flatten() {
                Ok(true) => (renewed, next) = (sent, sent + RENEW_EVERY),
                Ok(false) => {
                    tracing::error!(lease = self.name, "lease lost to another process");
                    return lost.cancel();
                }
                // Silence is not loss yet: the key lives on until it expires.
                Err(error) if Instant::now() < end => {
                    tracing::warn!(
                        error = &*error as &dyn std::error::Error,
                        lease = self.name,
                        "lease was not renewed, trying again"
                    );
                    next = end.min(Instant::now() + RENEW_AGAIN);
                }
                Err(error) => {
                    tracing::error!(
                        error = &*error as &dyn std::error::Error,
                        lease = self.name,
                        "lease could not be renewed in time"
                    );
                    return lost.cancel();
                }
            }
        }
    }

    /// Writes the key once more; false if it is another's. An earlier renewal that was stored but not answered has moved
    /// the revision, and the key still names us.
    async fn renew(&mut self) -> Result<bool, async_nats::Error> {
        let holder = || self.holder.clone().into();
        let renewed = match self.store.update(&self.name, holder(), self.revision).await {
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {
                let ours = |entry: &Entry| entry.operation == Operation::Put && entry.value == self.holder.as_bytes();
                let Some(entry) = self.store.entry(&self.name).await?.filter(ours) else { return Ok(false) };
                self.store.update(&self.name, holder(), entry.revision).await
            }
            answered => answered,
        };
        self.revision = renewed?;
        Ok(true)
    }
}
