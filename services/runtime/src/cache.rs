//! What a process remembers between decisions, and whose turn it is. Both only save work: the log's own expectations
//! decide.

use crate::log::Loaded;
use events::Aggregate;
use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::Mutex as Turn;

/// Aggregates whose state is kept.
const CACHE_MAX: usize = 4096;

type Cached = (u64, Box<dyn Any + Send>);

#[derive(Clone, Default)]
pub(crate) struct Cache {
    states: Arc<Mutex<HashMap<String, Cached>>>,
    turns: Arc<Mutex<HashMap<String, Weak<Turn<()>>>>>,
}

impl Cache {
    pub(crate) fn get<A: Aggregate>(&self, subject: &str) -> Option<Loaded<A>> {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let (sequence, state) = states.get(subject)?;
        Some(Loaded { state: state.downcast_ref::<A>()?.clone(), sequence: *sequence })
    }

    pub(crate) fn remember<A: Aggregate>(&self, subject: &str, loaded: Loaded<A>) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        if states.len() >= CACHE_MAX && !states.contains_key(subject) {
            states.clear();
        }
        let newer = states.get(subject).is_none_or(|(sequence, _)| *sequence <= loaded.sequence);
        if newer {
            states.insert(subject.to_owned(), (loaded.sequence, Box::new(loaded.state)));
        }
    }

    /// Decisions on one aggregate that take turns in this process do not conflict with each other.
    pub(crate) fn turn(&self, subject: &str) -> Arc<Turn<()>> {
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
