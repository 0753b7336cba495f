//! What must be consistent at once: the unit of decision and of optimistic concurrency.

use crate::{Event, Refusal};
use std::time::Duration;

/// A state that decides: folded from its own facts, asked by commands.
///
/// One aggregate instance owns one subject of the log (`events.<KIND>.<id>`), and a decision is appended only if no
/// other fact has reached that subject since the state was folded.
pub trait Aggregate: Default + Clone + Send + Sync + 'static {
    /// The aggregate's token in subjects and event types, for example `build`.
    const KIND: &'static str;
    /// How long a fact counts, since it was stored: what is older is not read when the state is folded anew. None for an
    /// aggregate whose whole history counts, as nearly all do.
    const REMEMBERS: Option<Duration> = None;
    /// What may be asked of it.
    type Command: Clone + Send + Sync + 'static;
    /// What can happen to it.
    type Fact: Into<Event>;

    /// The fact inside `event`, if it is one of this aggregate's.
    fn narrow(event: &Event) -> Option<&Self::Fact>;

    /// Answers a command: facts, nothing (it is so already), or why not.
    ///
    /// # Errors
    /// A [`Refusal`] when a rule of the domain forbids it.
    fn decide(&self, command: &Self::Command) -> Result<Vec<Self::Fact>, Refusal>;

    /// The state after `fact`. Total: history is never refused.
    #[must_use]
    fn evolve(self, fact: &Self::Fact) -> Self;

    /// The state after `event`, which may belong to another aggregate and then changes nothing.
    #[must_use]
    fn fold(self, event: &Event) -> Self {
        match Self::narrow(event) {
            Some(fact) => self.evolve(fact),
            None => self,
        }
    }
}

/// Given/when/then for the tests of every aggregate.
#[cfg(test)]
pub(crate) mod story {
    use super::Aggregate;
    use crate::Refusal;
    use std::fmt::Debug;

    /// The state after these facts.
    pub(crate) fn given<A: Aggregate>(facts: impl IntoIterator<Item = A::Fact>) -> Given<A> {
        Given(facts.into_iter().fold(A::default(), |state, fact| state.evolve(&fact)))
    }

    pub(crate) struct Given<A>(A);
    pub(crate) struct When<F>(Result<Vec<F>, Refusal>);

    impl<A: Aggregate> Given<A> {
        pub(crate) fn when(self, command: A::Command) -> When<A::Fact> {
            When(self.0.decide(&command))
        }
    }

    impl<F: Debug + PartialEq> When<F> {
        pub(crate) fn then(self, facts: impl IntoIterator<Item = F>) {
            assert_eq!(self.0, Ok(facts.into_iter().collect()));
        }

        pub(crate) fn refuses(self, refusal: Refusal) {
            assert_eq!(self.0, Err(refusal));
        }
    }
}
