//! The log as services see it: read an aggregate, or look at a single fact. Deciding is in [`decide`](crate::decide) and
//! [`transaction`](crate::transaction).

use crate::aggregate::{Loaded, unread};
use crate::append::{Append, Appender, NotAppended};
use crate::cache::Cache;
use crate::connection::Connection;
use crate::error::Error;
use crate::publish::Outgoing;
use crate::read::{self, Recent};
use crate::{clock, codec};
use events::{Aggregate, Position, Recorded, subject};
use std::time::Duration;
use tokio::time::Instant;

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

impl Log {
    /// The log behind `connection`.
    #[must_use]
    pub fn new(connection: Connection) -> Self {
        let appender = Appender::spawn(connection.clone());
        Self { connection, appender, cache: Cache::default() }
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
        self.cache.remember(generation, &subject, loaded.clone());
        Ok(loaded)
    }

    /// The state as some replica knows it, which may be behind.
    pub(crate) async fn glimpse<A: Aggregate>(&self, subject: &str) -> Result<Loaded<A>, Error> {
        let found = read::glimpse_after(&self.connection, subject::EVENTS, subject, 0).await?;
        Loaded::default().read_on(found)
    }

    /// The present state, read on from what is known of it.
    pub(crate) async fn read_on<A: Aggregate>(&self, subject: &str, known: Loaded<A>) -> Result<Loaded<A>, Error> {
        let mut loaded = known;
        let deadline = Instant::now() + SEEN_MAX;
        loop {
            loaded = match A::REMEMBERS.filter(|_| loaded.sequence == 0) {
                Some(kept) => self.recent(subject, kept).await?,
                None => {
                    let news = read::subject_after(&self.connection, subject::EVENTS, subject, loaded.sequence);
                    loaded.read_on(news.await?)?
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
        let loaded = Loaded::<A>::default().read_on(found)?;
        Ok(Loaded { sequence: loaded.sequence.max(end), ..loaded })
    }

    /// A fact was delivered to this process: from now on every state of its subject holds it.
    pub(crate) fn see(&self, subject: &str, sequence: u64) {
        self.cache.see(self.connection.generation(), subject, sequence);
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
