//! The places for builds, as the metrics tell them.

use crate::presence::Presence;
use runtime::telemetry::metrics;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many builds fit, and how many are here.
pub(crate) struct Slots {
    all: usize,
    busy: AtomicUsize,
    presence: Arc<Presence>,
}

/// A place that is taken, as long as this lives.
pub(crate) struct Taken<'a>(&'a Slots);

impl Slots {
    pub(crate) const fn new(all: usize, presence: Arc<Presence>) -> Self {
        Self { all, busy: AtomicUsize::new(0), presence }
    }

    pub(crate) const fn all(&self) -> usize {
        self.all
    }

    pub(crate) fn take(&self) -> Taken<'_> {
        self.busy.fetch_add(1, Ordering::Relaxed);
        self.tell();
        Taken(self)
    }

    /// Tells of the places whenever the engine comes or goes: without it they are of no use.
    pub(crate) async fn follow(&self) -> Infallible {
        let mut changes = self.presence.changes();
        loop {
            self.tell();
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    fn tell(&self) {
        let busy = self.busy.load(Ordering::Relaxed);
        let free = self.all.saturating_sub(busy) as u64;
        let (available, offline) = if self.presence.engine().is_some() { (free, 0) } else { (0, free) };
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
