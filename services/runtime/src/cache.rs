//! What a process remembers between decisions, and whose turn it is. Both only save work: the log's own expectations
//! decide. What was learned on one connection is forgotten with it, for the next may lead to another log.

mod recent;

use crate::aggregate::Loaded;
use crate::turn::Turn;
use events::Aggregate;
use recent::Recent;
use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Aggregates whose state is kept: those that were used last.
const CACHE_MAX: usize = 4096;

type Cached = (u64, Box<dyn Any + Send>);

struct Remembered {
    generation: u64,
    states: Recent<Cached>,
    /// Sequences that this process has seen on a subject, so that no read may miss them.
    seen: Recent<u64>,
}

impl Remembered {
    fn nothing(generation: u64) -> Self {
        Self { generation, states: Recent::of(CACHE_MAX), seen: Recent::of(CACHE_MAX) }
    }
}

impl Default for Remembered {
    fn default() -> Self {
        Self::nothing(0)
    }
}

/// What is remembered of one connection to the log.
#[derive(Clone, Default)]
pub(crate) struct Cache {
    states: Arc<Mutex<Remembered>>,
    turns: Arc<Mutex<HashMap<String, Weak<Turn>>>>,
}

impl Cache {
    pub(crate) fn get<A: Aggregate>(&self, generation: u64, subject: &str) -> Option<Loaded<A>> {
        let mut remembered = self.of(generation)?;
        let (sequence, state) = remembered.states.get(subject)?;
        Some(Loaded { state: state.downcast_ref::<A>()?.clone(), sequence: *sequence })
    }

    pub(crate) fn remember<A: Aggregate>(&self, generation: u64, subject: &str, loaded: Loaded<A>) {
        let Some(mut remembered) = self.of(generation) else { return };
        let states = &mut remembered.states;
        let newer = states.get(subject).is_none_or(|(sequence, _)| *sequence <= loaded.sequence);
        if newer {
            states.put(subject, (loaded.sequence, Box::new(loaded.state)));
        }
    }

    /// A fact at `sequence` has been heard of `subject`.
    pub(crate) fn see(&self, generation: u64, subject: &str, sequence: u64) {
        let Some(mut remembered) = self.of(generation) else { return };
        match remembered.seen.get(subject) {
            Some(seen) => *seen = sequence.max(*seen),
            None => remembered.seen.put(subject, sequence),
        }
    }

    /// The newest fact of `subject` that was heard; 0 for none.
    pub(crate) fn seen(&self, generation: u64, subject: &str) -> u64 {
        self.of(generation).and_then(|mut remembered| remembered.seen.get(subject).copied()).unwrap_or(0)
    }

    /// What belongs to this connection; none if there is a newer one already.
    fn of(&self, generation: u64) -> Option<MutexGuard<'_, Remembered>> {
        let mut remembered = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        if generation > remembered.generation {
            *remembered = Remembered::nothing(generation);
        }
        (generation == remembered.generation).then_some(remembered)
    }

    /// Decisions on one aggregate that take turns in this process do not conflict with each other.
    pub(crate) fn turn(&self, subject: &str) -> Arc<Turn> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(subject).and_then(Weak::upgrade) {
            return turn;
        }
        if turns.len() >= CACHE_MAX {
            turns.retain(|_, turn| turn.strong_count() > 0);
        }
        let turn = Arc::default();
        turns.insert(subject.to_owned(), Arc::downgrade(&turn));
        turn
    }
}
