//! Decisions of one process on one aggregate take turns, so that they do not conflict with each other; and whoever's turn
//! it is decides for all who wait, so that a crowd at one aggregate shares an append as a crowd at many does.

use crate::error::ExecuteError;
use events::{Aggregate, Cause, Recorded};
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedMutexGuard, oneshot};
use tracing::Span;

/// How long a decision waits for earlier ones before it goes ahead regardless.
const TURN_MAX: Duration = Duration::from_secs(5);
/// Decisions that are taken together at most.
const TOGETHER_MAX: usize = 100;

/// The turn at one aggregate.
#[derive(Default)]
pub(crate) struct Turn {
    lock: Arc<tokio::sync::Mutex<()>>,
    queue: Mutex<Queue>,
}

/// Somebody's turn, until it is dropped. Whoever comes meanwhile waits at the same place.
pub(crate) struct Held {
    _lock: OwnedMutexGuard<()>,
    _turn: Arc<Turn>,
}

/// Those that wait, each a [`Waiting`] of the aggregate's type, by when they came.
#[derive(Default)]
struct Queue {
    came: u64,
    waiting: BTreeMap<u64, Box<dyn Any + Send>>,
}

/// A decision that waits.
pub(crate) struct Waiting<A: Aggregate> {
    pub(crate) command: A::Command,
    pub(crate) cause: Cause,
    /// In which it was asked for.
    pub(crate) span: Span,
    reply: oneshot::Sender<Answer>,
}

/// What becomes of one that waits: what another has decided for it, or none if it has to decide by itself.
pub(crate) type Answer = Option<Result<Vec<Recorded>, ExecuteError>>;

/// What one that has waited may do.
pub(crate) enum Go<A: Aggregate> {
    /// Decide for these, itself among them, who hears its answer as the others do.
    Together(Held, Vec<Waiting<A>>, oneshot::Receiver<Answer>),
    /// Decide for itself; it has the turn unless that took too long to come.
    Alone(Option<Held>),
    /// Nothing: another has.
    Decided(Result<Vec<Recorded>, ExecuteError>),
}

impl<A: Aggregate> Waiting<A> {
    pub(crate) fn answer(self, answer: Answer) {
        // A caller that has gone away needs no answer.
        let _ = self.reply.send(answer);
    }
}

impl Turn {
    /// Waits until the turn has come, or another has decided.
    pub(crate) async fn wait<A: Aggregate>(self: Arc<Self>, command: &A::Command, cause: &Cause) -> Go<A> {
        if let Ok(lock) = Arc::clone(&self.lock).try_lock_owned() {
            return Go::Alone(Some(Held { _lock: lock, _turn: self }));
        }
        let (reply, mut answer) = oneshot::channel();
        let (command, cause, span) = (command.clone(), cause.clone(), Span::current());
        let place = self.join(Waiting::<A> { command, cause, span, reply });
        let turn = tokio::select! {
            biased;
            answered = &mut answer => return self.answered(answered.ok().flatten()).await,
            turn = self.turn() => turn,
        };
        let waiting = match &turn {
            Some(_) => self.take::<A>(place),
            None => self.leave(place).then(Vec::new),
        };
        match (turn, waiting) {
            (Some(turn), Some(waiting)) if waiting.len() > 1 => Go::Together(turn, waiting, answer),
            (turn, Some(_)) => Go::Alone(turn),
            (turn, None) => {
                // Another has taken it on, and tells in any case what came of it.
                drop(turn);
                let answered = answer.await;
                self.answered(answered.ok().flatten()).await
            }
        }
    }

    async fn answered<A: Aggregate>(self: &Arc<Self>, answer: Answer) -> Go<A> {
        match answer {
            Some(decided) => Go::Decided(decided),
            None => Go::Alone(self.turn().await),
        }
    }

    async fn turn(self: &Arc<Self>) -> Option<Held> {
        let lock = tokio::time::timeout(TURN_MAX, Arc::clone(&self.lock).lock_owned()).await.ok()?;
        Some(Held { _lock: lock, _turn: Arc::clone(self) })
    }

    fn join<A: Aggregate>(&self, waiting: Waiting<A>) -> u64 {
        let mut queue = self.queue();
        queue.came += 1;
        let place = queue.came;
        queue.waiting.insert(place, Box::new(waiting));
        place
    }

    /// Takes on the one at `place`, if nobody has, and the oldest of the others whose callers are still there.
    fn take<A: Aggregate>(&self, place: u64) -> Option<Vec<Waiting<A>>> {
        let mut queue = self.queue();
        if !queue.waiting.contains_key(&place) {
            return None;
        }
        let others = queue.waiting.keys().copied().filter(|other| *other != place).take(TOGETHER_MAX - 1);
        let mut places: Vec<u64> = others.chain([place]).collect();
        places.sort_unstable();
        let taken = places.iter().filter_map(|place| queue.waiting.remove(place)?.downcast::<Waiting<A>>().ok());
        Some(taken.map(|waiting| *waiting).filter(|waiting| !waiting.reply.is_closed()).collect())
    }

    /// Takes back the one at `place`, if nobody has taken it on.
    fn leave(&self, place: u64) -> bool {
        self.queue().waiting.remove(&place).is_some()
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
