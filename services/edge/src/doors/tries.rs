//! How often a password may be guessed: a few times from one address, and by a few at the same time, for each guess takes a processor
//! and memory.

use events::SiteId;
use moka::sync::Cache;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

/// Wrong guesses of one address at one site, within this time.
const MAX: u32 = 10;
pub(super) const SECONDS: u64 = 5 * 60;
/// Addresses that are remembered.
const ADDRESSES_MAX: u64 = 100_000;
/// Guesses that are looked at together.
const TOGETHER: usize = 2;
/// How long one waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

type Whose = (Option<IpAddr>, SiteId);

pub(super) struct Tries {
    counts: Cache<Whose, Arc<AtomicU32>>,
    places: Semaphore,
}

/// A guess, which counts as wrong until it is known not to be.
pub(super) struct Attempt(Arc<AtomicU32>);

impl Default for Tries {
    fn default() -> Self {
        let lives = Duration::from_secs(SECONDS);
        let counts = Cache::builder().max_capacity(ADDRESSES_MAX).time_to_live(lives).build();
        Self { counts, places: Semaphore::new(TOGETHER) }
    }
}

impl Tries {
    /// A guess from an address; none if there were too many.
    pub(super) fn begin(&self, client: Option<IpAddr>, site: SiteId) -> Option<Attempt> {
        let count = self.counts.get_with((client, site), Arc::default);
        (count.fetch_add(1, Ordering::Relaxed) < MAX).then_some(Attempt(count))
    }

    /// The turn of a guess; none if it does not come.
    pub(super) async fn place(&self) -> Option<SemaphorePermit<'_>> {
        timeout(PATIENCE, self.places.acquire()).await.ok()?.ok()
    }
}

impl Attempt {
    pub(super) fn succeeded(self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn an_address_guesses_a_few_times_at_each_site() {
        let (tries, site) = (Tries::default(), SiteId(Uuid::from_u128(1)));
        let (one, other) = (Some("192.0.2.1".parse().unwrap()), Some("192.0.2.2".parse().unwrap()));
        for _ in 0..MAX {
            assert!(tries.begin(one, site).is_some());
        }
        assert!(tries.begin(one, site).is_none() && tries.begin(other, site).is_some());
        let attempt = tries.begin(one, SiteId(Uuid::from_u128(2))).unwrap();
        attempt.succeeded();
        assert!(tries.begin(one, SiteId(Uuid::from_u128(2))).is_some());
    }
}
