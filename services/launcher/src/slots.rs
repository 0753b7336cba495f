//! The places for builds, as the metrics tell them.

use crate::presence::Presence;
use crate::reserve::Reserve;
use runtime::attendance::{self, Telling};
use runtime::telemetry::metrics;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many builds fit, and how many are here.
pub(crate) struct Slots {
    all: usize,
    busy: AtomicUsize,
    presence: Arc<Presence>,
    reserve: Arc<Reserve>,
    /// Whoever looks after the installation.
    telling: Telling,
}

/// A place that is taken, as long as this lives.
pub(crate) struct Taken<'a>(&'a Slots);

impl Slots {
    pub(crate) const fn new(all: usize, presence: Arc<Presence>, reserve: Arc<Reserve>, telling: Telling) -> Self {
        Self { all, busy: AtomicUsize::new(0), presence, reserve, telling }
    }

    pub(crate) const fn all(&self) -> usize {
        self.all
    }

    pub(crate) fn take(&self) -> Taken<'_> {
        self.busy.fetch_add(1, Ordering::Relaxed);
        self.tell();
        Taken(self)
    }

    /// Tells of the places whenever the sandbox or the disk's room comes or goes: without both they are of no use.
    pub(crate) async fn follow(&self) -> Infallible {
        let (mut sandbox, mut room) = (self.presence.changes(), self.reserve.changes());
        loop {
            self.tell();
            // Who is told lives as long as who tells.
            tokio::select! {
                Ok(()) = sandbox.changed() => {}
                Ok(()) = room.changed() => {}
                else => std::future::pending().await,
            }
        }
    }

    fn tell(&self) {
        let busy = self.busy.load(Ordering::Relaxed);
        let free = self.all.saturating_sub(busy) as u64;
        let works = self.presence.sandbox().is_some() && !self.reserve.was_short();
        let (available, offline) = if works { (free, 0) } else { (0, free) };
        self.telling.slots(attendance::Slots { all: self.all, busy, works });
        metrics::workers("busy", busy as u64);
        metrics::workers("available", available);
        metrics::workers("offline", offline);
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
        self.0.tell();
    }
}
