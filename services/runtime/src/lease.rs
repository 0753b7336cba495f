//! Leases: at most one process does a thing at a time, and another takes over when it falls silent.
//!
//! A lease is a key that lives for as long as its bucket says ([`LEASE_TTL`](crate::streams::LEASE_TTL)) unless renewed; each
//! write names the revision it replaces, so a holder that was away too long learns it. Who holds it is asked of the leader,
//! since another replica may lag behind. A lease makes work rare, not safe: what must not happen twice is guarded by the
//! log's own expectations.

use crate::connection::Connection;
use crate::error::Error;
use crate::read::{self, Stored};
use async_nats::jetstream::kv::{Store, UpdateError, UpdateErrorKind};
use events::subject;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How often a lease held by another is asked for.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// What the server says of a key that was given up.
const OPERATION: &str = "KV-Operation";

/// A lease held; given up when dropped.
pub struct Lease {
    lost: CancellationToken,
    ended: DropGuard,
    renewal: JoinHandle<()>,
}

impl Lease {
    /// Waits until the lease `name` is free, and takes it for `holder`, which no other process may be called. Answers
    /// `None` if `stop` fires first. Interruptions of the log are waited out.
    pub async fn acquire(connection: &Connection, name: &str, holder: &str, stop: &CancellationToken) -> Option<Self> {
        let mut waiting = false;
        loop {
            let asked = Instant::now();
            match take(connection, name, holder).await {
                Ok(Some(held)) => {
                    tracing::info!(lease = name, holder, "lease taken");
                    return Some(Self::renewing(held, asked));
                }
                Ok(None) => {
                    if !waiting {
                        tracing::info!(lease = name, "lease is held by another process, waiting");
                        waiting = true;
                    }
                }
                Err(error) => {
                    let error = crate::error::chain(&error);
                    tracing::warn!(error, lease = name, "cannot ask for the lease, trying again");
                }
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
        let renewal = tokio::spawn(held.keep(taken, lost.clone(), ended.clone()));
        Self { lost, ended: ended.drop_guard(), renewal }
    }
}

/// Takes the lease if it is free.
async fn take(connection: &Connection, name: &str, holder: &str) -> Result<Option<Held>, Error> {
    let store = connection.jetstream.get_key_value(subject::LEASES).await;
    let store = store.map_err(Error::unavailable("open the leases"))?;
    let key = Key { connection: connection.clone(), store, name: name.to_owned(), holder: holder.to_owned() };
    let replaced = match key.last().await? {
        None => 0,
        Some(last) if is_given_up(&last) => last.sequence,
        Some(_) => return Ok(None),
    };
    match key.write(replaced).await {
        Ok(revision) => Ok(Some(Held { timing: Timing::of(&key.store), key, revision })),
        // Somebody was faster.
        Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => Ok(None),
        Err(error) => Err(Error::unavailable("ask for a lease")(error)),
    }
}

fn is_given_up(last: &Stored) -> bool {
    last.headers.get(OPERATION).is_some()
}

/// The key of a lease, and who writes it here.
struct Key {
    connection: Connection,
    store: Store,
    name: String,
    holder: String,
}

impl Key {
    /// What the leader has of it.
    async fn last(&self) -> Result<Option<Stored>, Error> {
        let subject = format!("{}{}", self.store.prefix, self.name);
        read::last_of(&self.connection, &self.store.stream_name, &subject).await
    }

    /// Writes our name into it if its revision is still `replaced`; answers its new one.
    async fn write(&self, replaced: u64) -> Result<u64, UpdateError> {
        self.store.update(&self.name, self.holder.clone().into(), replaced).await
    }

    fn is_ours(&self, last: &Stored) -> bool {
        !is_given_up(last) && last.payload == self.holder.as_bytes()
    }
}

/// When what is due, by how long a key lives.
struct Timing {
    /// How often a lease held is renewed.
    renew_every: Duration,
    /// How long one renewal may take, and the rest before the next try.
    renew_max: Duration,
    renew_again: Duration,
    /// How long a holder trusts a lease it could not renew: it stops well before another may begin.
    trust: Duration,
}

impl Timing {
    fn of(store: &Store) -> Self {
        let ttl = store.stream.cached_info().config.max_age;
        Self { renew_every: ttl / 4, renew_max: ttl / 6, renew_again: ttl / 24, trust: ttl * 3 / 4 }
    }
}

struct Held {
    key: Key,
    timing: Timing,
    revision: u64,
}

impl Held {
    /// Renews until the lease is `ended` by its holder, or `lost`.
    async fn keep(mut self, mut renewed: Instant, lost: CancellationToken, ended: CancellationToken) {
        let mut next = renewed + self.timing.renew_every;
        loop {
            tokio::select! {
                () = ended.cancelled() => {
                    let _ = self.key.store.purge_expect_revision(&self.key.name, Some(self.revision)).await;
                    return;
                }
                () = tokio::time::sleep_until(next) => {}
            }
            // The key lives from when the server stores it, which is not before it is sent.
            let (sent, end) = (Instant::now(), renewed + self.timing.trust);
            let answered = tokio::time::timeout_at(end.min(sent + self.timing.renew_max), self.renew()).await;
            match answered.map_err(Into::into).flatten() {
                Ok(true) => (renewed, next) = (sent, sent + self.timing.renew_every),
                Ok(false) => {
                    tracing::error!(lease = self.key.name, "lease lost to another process");
                    return lost.cancel();
                }
                // Silence is not loss yet: the key lives on until it expires.
                Err(error) if Instant::now() < end => {
                    tracing::warn!(
                        error = &*error as &dyn std::error::Error,
                        lease = self.key.name,
                        "lease was not renewed, trying again"
                    );
                    next = end.min(Instant::now() + self.timing.renew_again);
                }
                Err(error) => {
                    tracing::error!(
                        error = &*error as &dyn std::error::Error,
                        lease = self.key.name,
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
        let renewed = match self.key.write(self.revision).await {
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {
                let last = self.key.last().await?.filter(|last| self.key.is_ours(last));
                let Some(last) = last else { return Ok(false) };
                self.key.write(last.sequence).await
            }
            answered => answered,
        };
        self.revision = renewed?;
        Ok(true)
    }
}
