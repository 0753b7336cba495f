//! Decisions on several aggregates that hold together: all of their facts are appended, or none.
//!
//! One atomic batch (NATS ADR-50) with an expectation on each subject. For what must not come apart, such as a new site
//! and the host that bears its name; a decision that one aggregate can take alone is [`Log::execute`]d.

use crate::error::{Error, ExecuteError};
use crate::log::Log;
use crate::publish::{self, Outgoing, Rejection};
use crate::{codec, read, statement};
use events::{Aggregate, Cause, Event, Recorded, subject};
use futures::future::BoxFuture;
use std::time::Duration;
use tokio::time::Instant;

/// How often the decisions are taken anew when other writers are faster.
const CONTENTION_MAX: usize = 32;
/// How long one batch is pursued when nobody says what became of it.
const DEADLINE: Duration = Duration::from_secs(30);
/// How long it rests between two tries.
const AGAIN: Duration = Duration::from_millis(200);
const EXPECTED: &str = "Nats-Expected-Last-Subject-Sequence";

/// Commands that are decided together.
pub struct Transaction<'a> {
    log: &'a Log,
    cause: Cause,
    steps: Vec<Box<dyn Step>>,
}

trait Step: Send + Sync {
    fn decide<'a>(&'a self, log: &'a Log) -> BoxFuture<'a, Result<Decided, ExecuteError>>;
}

struct Command<A: Aggregate> {
    id: String,
    command: A::Command,
}

/// What follows from one command, and where.
struct Decided {
    id: String,
    subject: String,
    /// The sequence of the subject's last fact that the decision knew; 0 for none.
    expected: u64,
    facts: Vec<Event>,
}

/// What became of a batch.
enum Outcome {
    /// It is in the log; the sequence of its first message.
    Stored(u64),
    /// A subject has moved on.
    Conflict,
}

impl Log {
    /// Commands that are decided together, because of `cause`.
    #[must_use]
    pub const fn transaction(&self, cause: Cause) -> Transaction<'_> {
        Transaction { log: self, cause, steps: Vec::new() }
    }
}

impl<A: Aggregate> Step for Command<A> {
    fn decide<'a>(&'a self, log: &'a Log) -> BoxFuture<'a, Result<Decided, ExecuteError>> {
        Box::pin(async move {
            let loaded = log.load::<A>(&self.id).await?;
            let facts = loaded.state.decide(&self.command)?.into_iter().map(Into::into).collect();
            let subject = subject::events(A::KIND, &self.id);
            Ok(Decided { id: self.id.clone(), subject, expected: loaded.sequence, facts })
        })
    }
}

impl Transaction<'_> {
    /// Also decides `command` on the aggregate `id`, which no other command of the transaction is about. The facts are
    /// appended in the order of the commands; the first one begins the story unless the cause belongs to one.
    #[must_use]
    pub fn with<A: Aggregate>(mut self, id: impl ToString, command: A::Command) -> Self {
        self.steps.push(Box::new(Command::<A> { id: id.to_string(), command }));
        self
    }

    /// Decides every command on the present state of its aggregate, and appends what follows, durably, before it answers:
    /// the facts, or none if all was so already.
    ///
    /// # Errors
    /// [`ExecuteError::Refused`] if the domain says no to any of the commands, [`ExecuteError::Failed`] if the log cannot
    /// be reached; nothing is appended then, unless the failure is that no answer came.
    pub async fn commit(self) -> Result<Vec<Recorded>, ExecuteError> {
        for _ in 0..CONTENTION_MAX {
            let mut decided = Vec::new();
            for step in &self.steps {
                decided.push(step.decide(self.log).await?);
            }
            decided.retain(|decided| !decided.facts.is_empty());
            let Some(first) = decided.first() else { return Ok(Vec::new()) };
            let subject = first.subject.clone();
            let mut recorded = self.record(&decided);
            #[cfg(debug_assertions)]
            crate::hold::before(&recorded).await;
            match pursue(self.log, &decided, &recorded).await? {
                Outcome::Stored(first) => {
                    for (fact, sequence) in recorded.iter_mut().zip(first..) {
                        fact.sequence = sequence;
                    }
                    #[cfg(debug_assertions)]
                    crate::hold::after(&recorded).await;
                    statement::tell(self.log, &recorded);
                    return Ok(recorded);
                }
                Outcome::Conflict => tracing::debug!(subject, "another writer was faster, deciding anew"),
            }
        }
        Err(Error::Contended { subject: "several".to_owned() }.into())
    }

    fn record(&self, decided: &[Decided]) -> Vec<Recorded> {
        let mut cause = self.cause.clone();
        let mut recorded: Vec<Recorded> = Vec::new();
        for Decided { id, facts, .. } in decided {
            for (index, event) in facts.iter().cloned().enumerate() {
                let fact = statement::state(self.log.connection(), id, index, event, &cause);
                // The id that the outside world gave belongs to one fact alone.
                cause = Cause { id: None, correlation: Some(fact.envelope.correlation), ..cause };
                recorded.push(fact);
            }
        }
        recorded
    }
}

/// Sends a batch until its fate is known: if its first fact is in the log, all of it is.
async fn pursue(log: &Log, decided: &[Decided], recorded: &[Recorded]) -> Result<Outcome, Error> {
    let deadline = Instant::now() + DEADLINE;
    let messages = messages(decided, recorded);
    loop {
        let rejection = match publish::publish(log.connection(), messages.clone()).await {
            Ok(last) => return Ok(Outcome::Stored(last + 1 - messages.len() as u64)),
            Err(rejection) => rejection,
        };
        let error = match (next(log, decided, recorded).await, rejection) {
            (Ok(Next::Ours(sequence)), _) => return Ok(Outcome::Stored(sequence)),
            (Ok(_), Rejection::Refused(error)) => return Err(error),
            (Err(error), _) => error,
            (Ok(Next::Other), _) => return Ok(Outcome::Conflict),
            (Ok(Next::None), Rejection::Ambiguous(error)) => error,
            // No subject has moved although the server says so: a write is in flight, perhaps our own.
            (Ok(Next::None), Rejection::Conflict | Rejection::Duplicate(_)) => {
                Error::unavailable("append")("another write to one of the subjects is in flight")
            }
        };
        if Instant::now() + AGAIN >= deadline {
            return Err(error);
        }
        tracing::warn!(%error, "a transaction was not answered, trying again");
        tokio::time::sleep(AGAIN).await;
    }
}

fn messages(decided: &[Decided], recorded: &[Recorded]) -> Vec<Outgoing> {
    let mut facts = recorded.iter();
    let mut messages = Vec::new();
    for Decided { subject, expected, facts: own, .. } in decided {
        for (index, fact) in facts.by_ref().take(own.len()).enumerate() {
            let mut message = statement::outgoing(subject, fact);
            if index == 0 {
                message.headers.insert(EXPECTED, expected.to_string());
            }
            messages.push(message);
        }
    }
    messages
}

/// What follows on the subjects of a batch where it was expected.
enum Next {
    /// The batch; the sequence of its first message.
    Ours(u64),
    /// Something else, on one of them.
    Other,
    /// Nothing yet.
    None,
}

async fn next(log: &Log, decided: &[Decided], recorded: &[Recorded]) -> Result<Next, Error> {
    let Some(id) = recorded.first().map(|fact| fact.envelope.id.to_string()) else { return Ok(Next::None) };
    let mut moved = false;
    for Decided { subject, expected, .. } in decided {
        let found = read::subject_after(log.connection(), subject::EVENTS, subject, *expected).await?;
        let ours = found.iter().find(|found| codec::attribute(&found.headers, "id").as_deref() == Some(&id));
        if let Some(ours) = ours {
            return Ok(Next::Ours(ours.sequence));
        }
        moved |= !found.is_empty();
    }
    Ok(if moved { Next::Other } else { Next::None })
}
