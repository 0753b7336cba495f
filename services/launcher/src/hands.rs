//! The builds that this process has in hand, each once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OwnedMutexGuard;

type Turn = Arc<tokio::sync::Mutex<()>>;

/// Which builds are worked on here and must not be swept away.
#[derive(Debug, Default)]
pub(crate) struct Hands(Mutex<HashMap<String, Turn>>);

/// A build in hand, as long as this lives.
#[derive(Debug)]
pub(crate) struct Held {
    hands: Arc<Hands>,
    build: String,
    turn: Option<OwnedMutexGuard<()>>,
}

impl Hands {
    /// Takes a build, when an earlier delivery of it in this process has let go of it: the log delivers a fact again when
    /// it has not heard of us for a while, however well the work goes.
    pub(crate) async fn take(self: &Arc<Self>, build: &str) -> Held {
        let turn = Arc::clone(self.lock().entry(build.to_owned()).or_default());
        // Made first, so that a caller who gives up waiting leaves no entry either.
        let mut held = Held { hands: Arc::clone(self), build: build.to_owned(), turn: None };
        held.turn = Some(turn.lock_owned().await);
        held
    }

    /// Whether a build is in hand.
    pub(crate) fn hold(&self, build: &str) -> bool {
        self.lock().contains_key(build)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Turn>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = self.hands.lock();
        drop(self.turn.take());
        // Who waits for its turn has a clone, and lets go of the build later.
        if held.get(&self.build).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            held.remove(&self.build);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Hands;
    use futures::FutureExt as _;
    use std::sync::Arc;

    #[tokio::test]
    async fn a_build_is_in_hand_once_and_until_the_last_lets_go() {
        let hands = Arc::new(Hands::default());
        let first = hands.take("a").await;
        assert!(hands.take("a").now_or_never().is_none(), "the second delivery waits");
        let mut second = Box::pin(hands.take("a"));
        assert!((&mut second).now_or_never().is_none());
        drop(first);
        let second = second.await;
        assert!(hands.hold("a") && !hands.hold("b"));
        drop(second);
        assert!(!hands.hold("a"));
    }
}
