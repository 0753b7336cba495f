//! Many decisions on one aggregate, taken one after the other and appended as one.

use crate::aggregate::{About, Loaded};
use crate::append::NotAppended;
use crate::error::Error;
use crate::log::Log;
use crate::publish::Outgoing;
use crate::statement;
use crate::turn::{Answer, Waiting};
use events::{Aggregate, Recorded};

/// How often they are decided anew when other writers are faster; after that each decides for itself.
const TRIES_MAX: usize = 32;

/// What follows from them all.
struct Decided<A> {
    /// The state after it.
    state: A,
    recorded: Vec<Recorded>,
    messages: Vec<Outgoing>,
    /// How many facts follow from each.
    counts: Vec<usize>,
}

impl Log {
    /// Decides for all who wait, and tells each what came of it. A decision that leads to nothing, or to a refusal, is left
    /// to whoever asked: it has to be held against the leader's state.
    pub(crate) async fn together<A: Aggregate>(&self, about: About, waiting: Vec<Waiting<A>>) {
        let generation = self.connection.generation();
        let mut loaded = match self.cache.get::<A>(generation, &about.subject) {
            Some(loaded) => Ok(loaded),
            None => self.read_on(&about.subject, Loaded::default()).await,
        };
        for _ in 0..TRIES_MAX {
            let Ok(known) = loaded else { break };
            let Decided { state, recorded, messages, counts } = self.decisions(&about, &known, &waiting);
            if recorded.is_empty() {
                break;
            }
            match self.store(known.sequence, recorded, messages).await {
                Ok(recorded) => {
                    let sequence = recorded.last().map_or(known.sequence, |last| last.sequence);
                    self.cache.remember(generation, &about.subject, Loaded { state, sequence });
                    return tell(waiting, recorded, &counts);
                }
                Err(NotAppended::Conflict) => loaded = self.read_on(&about.subject, known).await,
                Err(NotAppended::Known) => break,
                // Those who have waited for so long need not try as long again.
                Err(NotAppended::Failed(error)) => {
                    let failed = || Error::unavailable("append")(error.to_string()).into();
                    return waiting.into_iter().for_each(|waiting| waiting.answer(Some(Err(failed()))));
                }
            }
        }
        waiting.into_iter().for_each(|waiting| waiting.answer(None));
    }

    fn decisions<A: Aggregate>(&self, about: &About, known: &Loaded<A>, waiting: &[Waiting<A>]) -> Decided<A> {
        let mut decided =
            Decided { state: known.state.clone(), recorded: Vec::new(), messages: Vec::new(), counts: Vec::new() };
        for one in waiting {
            let facts = decided.state.decide(&one.command).unwrap_or_default();
            decided.counts.push(facts.len());
            for (index, event) in facts.into_iter().map(Into::into).enumerate() {
                let fact =
                    one.span.in_scope(|| statement::state(&self.connection, &about.id, index, event, &one.cause));
                decided.messages.push(one.span.in_scope(|| statement::outgoing(&about.subject, &fact)));
                decided.state = decided.state.fold(&fact.event);
                decided.recorded.push(fact);
            }
        }
        decided
    }
}

/// Gives each its own facts, as many as follow from it.
fn tell<A: Aggregate>(waiting: Vec<Waiting<A>>, recorded: Vec<Recorded>, counts: &[usize]) {
    let mut recorded = recorded.into_iter();
    for (one, count) in waiting.into_iter().zip(counts) {
        let own: Vec<Recorded> = recorded.by_ref().take(*count).collect();
        let answer: Answer = if own.is_empty() { None } else { Some(Ok(own)) };
        one.answer(answer);
    }
}
