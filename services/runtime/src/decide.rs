//! The way from a command to facts in the log: what has happened to the aggregate is folded, the command is decided on it,
//! and what follows is appended only if nothing else has reached the aggregate meanwhile.
//!
//! The way of a command: its turn at the aggregate (`turn`), alone here or with all who wait (`together`), then `append`, which
//! publishes one message or an atomic batch (`publish`) and answers what was appended.

use crate::aggregate::About;
use crate::append::NotAppended;
use crate::error::{Error, ExecuteError};
use crate::log::Log;
use crate::turn::Go;
use crate::{statement, telemetry};
use events::{Aggregate, Cause, Recorded, subject};
use tracing::Instrument;

/// How often a decision is taken anew when other writers are faster.
pub(crate) const CONTENTION_MAX: usize = 32;

impl Log {
    /// Decides `command` on the aggregate `id` and appends what follows from it, durably, before it answers.
    ///
    /// Answers the facts that were appended; none if it was so already, or if `cause` has led to the very same facts
    /// before (as far as the log remembers: [`DUPLICATE_WINDOW`](crate::streams::DUPLICATE_WINDOW)).
    ///
    /// # Errors
    /// [`ExecuteError::Refused`] if the domain says no, [`ExecuteError::Failed`] if the log cannot be reached.
    pub async fn execute<A: Aggregate>(
        &self,
        id: &str,
        command: &A::Command,
        cause: &Cause,
    ) -> Result<Vec<Recorded>, ExecuteError> {
        let span = telemetry::propagation::publish_span(subject::EVENTS, 1);
        self.in_turn::<A>(&About::of::<A>(id), command, cause).instrument(span).await
    }

    /// Whoever's turn it is decides for all who wait.
    async fn in_turn<A: Aggregate>(
        &self,
        about: &About,
        command: &A::Command,
        cause: &Cause,
    ) -> Result<Vec<Recorded>, ExecuteError> {
        match self.cache.turn(&about.subject).wait::<A>(command, cause).await {
            Go::Decided(decided) => decided,
            Go::Alone(turn) => {
                let decided = self.decide::<A>(about, command, cause).await;
                drop(turn);
                decided
            }
            Go::Together(turn, waiting, answer) => {
                let (log, at) = (self.clone(), about.clone());
                // The others depend on it: it goes on if this caller goes away.
                tokio::spawn(async move {
                    log.together::<A>(at, waiting).await;
                    drop(turn);
                });
                match answer.await.ok().flatten() {
                    Some(decided) => decided,
                    None => Box::pin(self.in_turn::<A>(about, command, cause)).await,
                }
            }
        }
    }

    async fn decide<A: Aggregate>(
        &self,
        about: &About,
        command: &A::Command,
        cause: &Cause,
    ) -> Result<Vec<Recorded>, ExecuteError> {
        let generation = self.connection.generation();
        let mut known = self.cache.get::<A>(generation, &about.subject);
        let mut current = false;
        for _ in 0..CONTENTION_MAX {
            let loaded = match known.take() {
                Some(loaded) if !current => loaded,
                // What is appended is checked by the log itself: any replica's view is good enough to try.
                None if !current && A::REMEMBERS.is_none() => self.glimpse(&about.subject).await?,
                earlier => self.read_on(&about.subject, earlier.unwrap_or_default()).await?,
            };
            let decided = loaded.state.decide(command);
            let settled = !matches!(&decided, Ok(facts) if !facts.is_empty());
            if settled && !current {
                // A state that may be outdated cannot say no: nothing would check it. Ask the leader first.
                (known, current) = (Some(loaded), true);
                continue;
            }
            let facts = match decided {
                Ok(facts) if !facts.is_empty() => facts,
                settled => {
                    self.cache.remember(generation, &about.subject, loaded);
                    return Ok(settled.map(|_| Vec::new())?);
                }
            };
            match self.append::<A>(about, loaded.sequence, facts, cause).await {
                Ok(recorded) => {
                    statement::tell(self, &recorded);
                    self.cache.remember(generation, &about.subject, loaded.advanced(&recorded));
                    return Ok(recorded);
                }
                Err(NotAppended::Conflict) => (known, current) = (Some(loaded), true),
                Err(NotAppended::Known) => return Ok(Vec::new()),
                Err(NotAppended::Failed(error)) => return Err(error.into()),
            }
        }
        Err(Error::Contended { subject: about.subject.clone() }.into())
    }

    async fn append<A: Aggregate>(
        &self,
        about: &About,
        expected: u64,
        facts: Vec<A::Fact>,
        cause: &Cause,
    ) -> Result<Vec<Recorded>, NotAppended> {
        let stated = facts.into_iter().map(Into::into).enumerate();
        let recorded: Vec<Recorded> =
            stated.map(|(index, event)| statement::state(&self.connection, &about.id, index, event, cause)).collect();
        let messages = recorded.iter().map(|fact| statement::outgoing(&about.subject, fact)).collect();
        self.store(expected, recorded, messages).await
    }
}
