//! The places for connections: how many there are, who has one, and who gives way.

use crate::limits::Limits;
use crate::pulse::Pulse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// How long one that gives way may take before another is asked.
const GIVE_WAY: Duration = Duration::from_secs(1);

pub(crate) struct Places {
    limits: Arc<Limits>,
    free: Arc<Semaphore>,
    /// Told when a connection has nothing in hand any more.
    idle: Arc<Notify>,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    next: u64,
    by: HashMap<u64, Holder>,
}

struct Holder {
    counted: Option<IpAddr>,
    pulse: Arc<Pulse>,
    give_way: CancellationToken,
}

/// A connection's place, free again when dropped.
pub(crate) struct Seat {
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) give_way: CancellationToken,
    id: u64,
    places: Arc<Places>,
    _held: OwnedSemaphorePermit,
}

impl Places {
    pub(crate) fn new(limits: Arc<Limits>) -> Self {
        let free = Arc::new(Semaphore::new(limits.connections));
        Self { limits, free, idle: Arc::default(), taken: Mutex::default() }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is room for one more. When there is none, whoever is idle longest gives way: only connections
    /// that do something keep others out.
    pub(crate) async fn room(&self) -> Option<OwnedSemaphorePermit> {
        loop {
            if let Ok(held) = Arc::clone(&self.free).try_acquire_owned() {
                return Some(held);
            }
            let asked = self.free_one();
            tokio::select! {
                biased;
                held = Arc::clone(&self.free).acquire_owned() => return held.ok(),
                () = self.idle.notified(), if !asked => {}
                () = tokio::time::sleep(GIVE_WAY) => {}
            }
        }
    }

    /// Whether somebody was idle and gives way.
    pub(crate) fn free_one(&self) -> bool {
        self.taken().free_one(|_| true)
    }

    /// Takes `room` for a connection from `address`; none if that address has as many as it may, all of them busy.
    pub(crate) fn seat(self: &Arc<Self>, room: OwnedSemaphorePermit, address: IpAddr) -> Option<Seat> {
        let counted = self.limits.counted(address);
        let mut taken = self.taken();
        if counted.is_some() {
            let same = |holder: &Holder| holder.counted == counted;
            let full = taken.by.values().filter(|holder| same(holder)).count() >= self.limits.per_address;
            if full && !taken.free_one(same) {
                return None;
            }
        }
        let (id, give_way) = (taken.next, CancellationToken::new());
        taken.next += 1;
        let pulse = Arc::new(Pulse::new(Arc::clone(&self.idle)));
        taken.by.insert(id, Holder { counted, pulse: Arc::clone(&pulse), give_way: give_way.clone() });
        drop(taken);
        Some(Seat { pulse, give_way, id, places: Arc::clone(self), _held: room })
    }
}

impl Taken {
    fn free_one(&mut self, of: impl Fn(&Holder) -> bool) -> bool {
        let holders = self.by.iter().filter(|(_, holder)| of(holder));
        let idle = holders.filter_map(|(id, holder)| Some((holder.pulse.idle_since()?, *id)));
        let Some(holder) = idle.min().and_then(|(_, id)| self.by.remove(&id)) else { return false };
        holder.give_way.cancel();
        true
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.places.taken().by.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(connections: usize, per_address: usize) -> Arc<Places> {
        let limits = Limits { per_address, ..Limits::with_connections(connections) };
        Arc::new(Places::new(Arc::new(limits)))
    }

    async fn seat(places: &Arc<Places>, address: &str) -> Option<Seat> {
        let room = places.room().await.unwrap();
        places.seat(room, address.parse().unwrap())
    }

    #[tokio::test]
    async fn one_address_takes_its_own_places_only() {
        let places = places(8, 2);
        let (first, second) = (seat(&places, "192.0.2.1").await.unwrap(), seat(&places, "192.0.2.1").await.unwrap());
        let busy = second.pulse.begin(false);
        let third = seat(&places, "192.0.2.1").await.unwrap();
        assert!(first.give_way.is_cancelled() && !second.give_way.is_cancelled(), "its own idle one gives way");
        let also_busy = third.pulse.begin(false);
        assert!(seat(&places, "192.0.2.1").await.is_none(), "all of its places are busy");
        let other = seat(&places, "192.0.2.2").await.unwrap();
        assert!(!other.give_way.is_cancelled());
        drop((busy, also_busy));
        assert!(seat(&places, "192.0.2.1").await.is_some());
        let networks = ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"];
        let seated = gone(&places, &networks).await;
        assert_eq!(seated, [true, false, false, false], "an IPv6 network is one address");
    }

    /// Which of them have given way after all have come.
    async fn gone(places: &Arc<Places>, addresses: &[&str]) -> Vec<bool> {
        let mut seated = Vec::new();
        for address in addresses {
            seated.push(seat(places, address).await.unwrap());
        }
        seated.iter().map(|place| place.give_way.is_cancelled()).collect()
    }

    #[tokio::test]
    async fn the_one_that_is_idle_longest_gives_way_and_a_busy_one_never() {
        let places = places(2, 2);
        let (first, second) = (seat(&places, "127.0.0.1").await.unwrap(), seat(&places, "127.0.0.1").await.unwrap());
        let busy = first.pulse.begin(false);
        let leaving = second.give_way.clone();
        tokio::spawn(async move {
            second.give_way.cancelled().await;
            drop(second);
        });
        let third = seat(&places, "127.0.0.1").await.unwrap();
        assert!(leaving.is_cancelled() && !first.give_way.is_cancelled());
        let also_busy = third.pulse.begin(false);
        let waits = tokio::time::timeout(Duration::from_millis(50), places.room()).await;
        assert!(waits.is_err(), "busy ones keep others out");
        drop((busy, also_busy));
    }
}
