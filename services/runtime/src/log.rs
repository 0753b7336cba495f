//! The log as services see it: decide on an aggregate, read one, or look at a single fact.

use crate::append::{Append, Appender, NotAppended};
use crate::cache::Cache;
use crate::connection::Connection;
use crate::error::{Error, ExecuteError};
use crate::publish::Outgoing;
use crate::read::{self, Recent, Stored};
use crate::together::Place;
use crate::turn::Go;
use crate::{clock, codec, telemetry};
use events::{Aggregate, Cause, Envelope, Event, EventId, Position, Recorded, subject};
use std::time::Duration;
use tokio::time::Instant;
use tracing::Instrument;

/// How often a decision is taken anew when other writers are faster.
pub(crate) const CONTENTION_MAX: usize = 32;

/// How long a fact that was delivered may take to reach the leader's store, and how often that is looked at.
const SEEN_MAX: Duration = Duration::from_secs(10);
const SEEN_AGAIN: Duration = Duration::from_millis(10);

/// A service's view of the log.
#[derive(Clone)]
pub struct Log {
    pub(crate) connection: Connection,
    appender: Appender,
    pub(crate) cache: Cache,
}

/// An aggregate's state and the sequence of its last fact (0 for none).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded<A> {
    /// The state.
    pub state: A,
    /// Where it stands.
    pub sequence: u64,
}

impl Log {
    /// The log behind `connection`.
    #[must_use]
    pub fn new(connection: Connection) -> Self {
        let appender = Appender::spawn(connection.clone());
        Self { connection, appender, cache: Cache::default() }
    }

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
        let subject = subject::events(A::KIND, id);
        let span = telemetry::propagation::publish_span(subject::EVENTS, 1);
        self.decide::<A>(&subject, id, (command, cause)).instrument(span).await
    }

    async fn decide<A: Aggregate>(
        &self,
        subject: &str,
        id: &str,
        (command, cause): (&A::Command, &Cause),
    ) -> Result<Vec<Recorded>, ExecuteError> {
        let _turn = match self.cache.turn(subject).wait::<A>(command, cause).await {
            Go::Alone(turn) => turn,
            Go::Decided(decided) => return decided,
            Go::Together(turn, waiting, answer) => {
                let (log, place) = (self.clone(), Place { id: id.to_owned(), subject: subject.to_owned() });
                // The others depend on it: it goes on if this caller goes away.
                let deciding = async move {
                    let _turn = turn;
                    log.together::<A>(place, waiting).await;
                };
                tokio::spawn(deciding);
                match answer.await.ok().flatten() {
                    Some(decided) => return decided,
                    None => return Box::pin(self.decide::<A>(subject, id, (command, cause))).await,
                }
            }
        };
        let generation = self.connection.generation();
        let mut known = self.cache.get::<A>(generation, subject);
        let mut current = false;
        for _ in 0..CONTENTION_MAX {
            let loaded = match known.take() {
                Some(loaded) if !current => loaded,
                // What is appended is checked by the log itself: any replica's view is good enough to try.
                None if !current && A::REMEMBERS.is_none() => self.glimpse(subject).await?,
                earlier => self.read_on(subject, earlier.unwrap_or_default()).await?,
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
                    self.cache.remember(generation, (subject, loaded));
                    return Ok(settled.map(|_| Vec::new())?);
                }
            };
            match self.append(&loaded, (subject, id), (facts, cause)).await {
                Ok(recorded) => {
                    self.cache.remember(generation, (subject, advance(loaded, &recorded)));
                    return Ok(recorded);
                }
                Err(NotAppended::Conflict) => (known, current) = (Some(loaded), true),
                Err(NotAppended::Known) => return Ok(Vec::new()),
                Err(NotAppended::Failed(error)) => return Err(error.into()),
            }
        }
        Err(Error::Contended { subject: subject.to_owned() }.into())
    }

    async fn append<A: Aggregate>(
        &self,
        loaded: &Loaded<A>,
        (subject, id): (&str, &str),
        (facts, cause): (Vec<A::Fact>, &Cause),
    ) -> Result<Vec<Recorded>, NotAppended> {
        let mut recorded: Vec<Recorded> = Vec::new();
        for (index, event) in facts.into_iter().map(Into::into).enumerate() {
            let envelope = self.envelope(id, (&event, index), cause);
            recorded.push(Recorded { sequence: 0, envelope, event });
        }
        let messages = recorded.iter().map(|fact| outgoing(subject, fact)).collect();
        self.store(loaded.sequence, recorded, messages).await
    }

    /// Appends facts of one aggregate, with the messages that hold them, after its fact at `expected`.
    pub(crate) async fn store(
        &self,
        expected: u64,
        mut recorded: Vec<Recorded>,
        messages: Vec<Outgoing>,
    ) -> Result<Vec<Recorded>, NotAppended> {
        let append = Append { expected, messages };
        #[cfg(debug_assertions)]
        crate::hold::before(&recorded).await;
        let last = self.appender.append(append).await?;
        let count = recorded.len() as u64;
        for (fact, sequence) in recorded.iter_mut().zip(last + 1 - count..) {
            fact.sequence = sequence;
        }
        #[cfg(debug_assertions)]
        crate::hold::after(&recorded).await;
        Ok(recorded)
    }

    pub(crate) fn envelope(&self, id: &str, (event, index): (&Event, usize), cause: &Cause) -> Envelope {
        let own: EventId = cause.event_id(id, event, index, clock::new_id());
        let current = telemetry::propagation::current();
        let (traceparent, tracestate) = match &cause.traceparent {
            Some(traceparent) => (Some(traceparent.clone()), cause.tracestate.clone()),
            None => current.map_or((None, None), |(traceparent, tracestate)| (Some(traceparent), tracestate)),
        };
        Envelope {
            id: own,
            source: format!("/pagefold/{}", self.connection.service),
            subject: id.to_owned(),
            time: clock::now(),
            correlation: cause.correlation.unwrap_or(own),
            causation: cause.causation,
            actor: cause.actor.clone(),
            traceparent,
            tracestate,
        }
    }

    /// The present state of an aggregate: with every fact that was acknowledged before the question, and with every fact
    /// of it that this process was given to work on.
    ///
    /// # Errors
    /// [`Error`] if the log cannot be reached or a fact cannot be read, [`Error::Newer`] if it is of a type that this
    /// version does not know.
    pub async fn load<A: Aggregate>(&self, id: &str) -> Result<Loaded<A>, Error> {
        let subject = subject::events(A::KIND, id);
        let generation = self.connection.generation();
        let known = self.cache.get::<A>(generation, &subject).unwrap_or_default();
        let loaded = self.read_on(&subject, known).await?;
        self.cache.remember(generation, (&subject, loaded.clone()));
        Ok(loaded)
    }

    /// The state as some replica knows it, which may be behind.
    async fn glimpse<A: Aggregate>(&self, subject: &str) -> Result<Loaded<A>, Error> {
        let found = read::glimpse_after(&self.connection, subject::EVENTS, (subject, 0)).await?;
        fold(Loaded::default(), found)
    }

    /// The present state, read on from what is known of it.
    pub(crate) async fn read_on<A: Aggregate>(&self, subject: &str, known: Loaded<A>) -> Result<Loaded<A>, Error> {
        let mut loaded = known;
        let deadline = Instant::now() + SEEN_MAX;
        loop {
            loaded = match A::REMEMBERS.filter(|_| loaded.sequence == 0) {
                Some(kept) => self.recent(subject, kept).await?,
                None => {
                    let after = (subject, loaded.sequence);
                    fold(loaded, read::subject_after(&self.connection, subject::EVENTS, after).await?)?
                }
            };
            // A leader may take a moment to have what a faster replica has already shown us.
            if loaded.sequence >= self.cache.seen(self.connection.generation(), subject) {
                return Ok(loaded);
            }
            if Instant::now() >= deadline {
                return Err(Error::unavailable("read an aggregate")("a fact that was delivered is not there"));
            }
            tokio::time::sleep(SEEN_AGAIN).await;
        }
    }

    /// The present state of an aggregate that remembers no more than what came in the time `kept`.
    async fn recent<A: Aggregate>(&self, subject: &str, kept: Duration) -> Result<Loaded<A>, Error> {
        let since = clock::now() - kept;
        let Recent { found, end } = read::subject_since(&self.connection, subject::EVENTS, subject, since).await?;
        let loaded = fold(Loaded::default(), found)?;
        Ok(Loaded { sequence: loaded.sequence.max(end), ..loaded })
    }

    /// A fact was delivered to this process: from now on every state of its subject holds it.
    pub(crate) fn see(&self, subject: &str, sequence: u64) {
        self.cache.see(self.connection.generation(), (subject, sequence));
    }

    /// The fact at `sequence`, if there is one.
    ///
    /// # Errors
    /// [`Error`] if the log cannot be reached or the fact cannot be read.
    pub async fn fact(&self, sequence: u64) -> Result<Option<Recorded>, Error> {
        let Some(stored) = read::at(&self.connection, subject::EVENTS, sequence).await? else { return Ok(None) };
        let recorded = codec::recorded(sequence, &stored.headers, &stored.payload);
        recorded.map(Some).map_err(|source| unread(sequence, source))
    }

    /// Whether this very fact stands in the log.
    ///
    /// # Errors
    /// [`Error`] if the log cannot be reached.
    pub async fn holds(&self, position: Position) -> Result<bool, Error> {
        let there = read::at(&self.connection, subject::EVENTS, position.sequence).await?;
        Ok(there.is_some_and(|stored| codec::identity(&stored.headers) == position.id))
    }

    /// The sequence of the newest fact; 0 for an empty log.
    ///
    /// # Errors
    /// [`Error`] if the log cannot be reached.
    pub async fn last_sequence(&self) -> Result<u64, Error> {
        let stream = self.connection.jetstream.get_stream(subject::EVENTS).await;
        let stream = stream.map_err(Error::unavailable("find its end"))?;
        Ok(stream.cached_info().state.last_sequence)
    }

    /// The connection behind it.
    #[must_use]
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }
}

impl<A: Default> Default for Loaded<A> {
    fn default() -> Self {
        Self { state: A::default(), sequence: 0 }
    }
}

/// Why a fact cannot be read: a newer version wrote it, or it is damaged.
fn unread(sequence: u64, source: codec::Error) -> Error {
    match source.unknown_type() {
        Some(type_name) => Error::Newer { sequence, type_name: type_name.to_owned() },
        None => Error::Unreadable { sequence, source },
    }
}

fn fold<A: Aggregate>(known: Loaded<A>, news: Vec<Stored>) -> Result<Loaded<A>, Error> {
    news.into_iter().try_fold(known, |loaded, Stored { sequence, headers, payload, .. }| {
        let recorded = codec::recorded(sequence, &headers, &payload).map_err(|source| unread(sequence, source))?;
        Ok(Loaded { state: loaded.state.fold(&recorded.event), sequence })
    })
}

fn advance<A: Aggregate>(loaded: Loaded<A>, recorded: &[Recorded]) -> Loaded<A> {
    recorded
        .iter()
        .fold(loaded, |loaded, fact| Loaded { state: loaded.state.fold(&fact.event), sequence: fact.sequence })
}

pub(crate) fn outgoing(subject: &str, fact: &Recorded) -> Outgoing {
    let mut headers = codec::headers(&fact.envelope, &fact.event);
    headers.insert("Nats-Msg-Id", fact.envelope.id.to_string());
    telemetry::propagation::inject(&mut headers);
    Outgoing { subject: subject.to_owned(), headers, payload: fact.event.data().to_string().into() }
}
