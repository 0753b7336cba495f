//! What one connection does right now, and whether that is too little.

use crate::limits::Limits;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::time::Instant;

/// So many bytes at once are an answer's. Fewer may be a protocol's own, which keep nothing alive.
const SUBSTANCE: usize = 1024;

/// The state of one connection, told by its stream, its requests and its answers.
pub(crate) struct Pulse {
    idle: Arc<Notify>,
    state: Mutex<State>,
}

struct State {
    /// Requests whose answer is not finished.
    in_hand: usize,
    /// Since when there is none, and nothing of an answer has moved.
    since: Instant,
    /// When the head that is arriving began. HTTP/2 has none: its frames come at any time.
    head: Option<Instant>,
    begun: bool,
    http2: bool,
    written: u64,
    /// The client takes nothing: the socket is full, or a flow of HTTP/2 is.
    full: bool,
    waits: bool,
    /// Since when the client is slow to take an answer, and what was written until then.
    slow: Option<(Instant, u64)>,
}

/// A request in hand, until its answer is finished.
pub(crate) struct Hand(Arc<Pulse>);

impl Pulse {
    /// `idle` is told whenever nothing is in hand any more.
    pub(crate) fn new(idle: Arc<Notify>) -> Self {
        let now = Instant::now();
        let state = State {
            in_hand: 0,
            since: now,
            head: Some(now),
            begun: false,
            http2: false,
            written: 0,
            full: false,
            waits: false,
            slow: None,
        };
        Self { idle, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes have come.
    pub(crate) fn heard(&self) {
        let mut state = self.state();
        if state.in_hand == 0 && !state.http2 && state.head.is_none() {
            state.head = Some(Instant::now());
        }
    }

    /// Bytes have gone, as many as `bytes`.
    pub(crate) fn said(&self, bytes: usize) {
        let mut state = self.state();
        state.written += bytes as u64;
        state.full = false;
        if bytes >= SUBSTANCE {
            state.since = Instant::now();
        }
    }

    /// Bytes could not go.
    pub(crate) fn full(&self) {
        self.state().full = true;
    }

    /// A part of an answer was handed over, and more is there when it is taken.
    pub(crate) fn waits(&self, waits: bool) {
        self.state().waits = waits;
    }

    /// A request has come whole, body aside.
    pub(crate) fn begin(self: &Arc<Self>, http2: bool) -> Hand {
        let mut state = self.state();
        state.in_hand += 1;
        state.head = None;
        (state.begun, state.http2) = (true, http2);
        drop(state);
        Hand(Arc::clone(self))
    }

    /// Since when nobody would miss the connection; none while a request is in hand or an answer on its way.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        let state = self.state();
        (state.in_hand == 0 && !state.full).then_some(state.since)
    }

    /// Why the connection has to end, if it has.
    pub(crate) fn overdue(&self, limits: &Limits) -> Option<&'static str> {
        let (mut state, now) = (self.state(), Instant::now());
        if state.is_too_slow(now, limits) {
            return Some("the client does not take its answer");
        }
        if state.in_hand > 0 || state.full {
            return None;
        }
        if state.head.is_some_and(|begun| now - begun >= limits.head) {
            let first =
                if state.begun { "the head of a request did not come in time" } else { "no request came in time" };
            return Some(first);
        }
        (now - state.since >= limits.idle).then_some("the connection was idle")
    }
}

impl State {
    /// A client that takes an answer must take it at a pace; one that has taken all there is may do as it likes.
    fn is_too_slow(&mut self, now: Instant, limits: &Limits) -> bool {
        if !(self.full || self.waits && self.in_hand > 0) {
            self.slow = None;
            return false;
        }
        let (since, written) = *self.slow.get_or_insert((now, self.written));
        let elapsed = now - since;
        if elapsed < limits.stall {
            return false;
        }
        self.slow = Some((now, self.written));
        ((self.written - written) as f64) < limits.pace as f64 * elapsed.as_secs_f64()
    }
}

impl Hand {
    pub(crate) fn pulse(&self) -> &Pulse {
        &self.0
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.in_hand -= 1;
        if state.in_hand == 0 {
            (state.since, state.waits) = (Instant::now(), false);
            drop(state);
            self.0.idle.notify_one();
        }
    }
}
