//! Where a fold's entries come from: the log, once it is known to be the right one.

use crate::connection::Connection;
use crate::error::Error;
use crate::follow::{AGAIN, Delivered, Entry, Feed};
use crate::log::Log;
use crate::{codec, read};
use events::{Position, subject};
use futures::FutureExt;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Entries taken in at once.
const BATCH_MAX: usize = 1000;
/// How long a log that seems to end too early may take to show that it does not: a new leader may have to catch up.
const DOUBT: Duration = Duration::from_secs(2);

/// What a fold hears.
pub(super) enum Heard {
    /// The log is there, and is the one that the position is of.
    Reached,
    /// What follows on the position, without gaps.
    Entries(Vec<Entry>),
    /// The log is not the one that the position is of.
    OtherHistory(Difference),
}

/// How a log differs from the one that a position is of.
#[derive(Debug, thiserror::Error)]
pub(super) enum Difference {
    #[error("the log ends at {end}, before the position: it is another log, or an older copy of it")]
    Shorter { end: u64 },
    #[error("another fact stands at the position: it is another log")]
    OtherFact,
    #[error("fact {expected} comes next, but the log goes on with {found}")]
    Gap { expected: u64, found: u64 },
}

impl Difference {
    /// The metric's word for it.
    pub(super) const fn label(&self) -> &'static str {
        match self {
            Self::Shorter { .. } => "shorter",
            Self::OtherFact => "other_history",
            Self::Gap { .. } => "gap",
        }
    }
}

pub(super) struct Source {
    log: Log,
    /// Whether it is a long past that is read.
    past: bool,
    feed: Option<Open>,
    /// Where the log ended when it was last reached.
    end: Option<u64>,
    /// Whether the state was read from the log's start here. A gap is the log's own then, and to start over is no help.
    whole: bool,
}

/// A feed, with a message that was taken from it and not passed on yet.
pub(super) struct Open {
    feed: Feed,
    next: Option<Delivered>,
}

impl Source {
    pub(super) const fn connection(&self) -> &Connection {
        self.log.connection()
    }

    pub(super) const fn new(log: Log, past: bool) -> Self {
        Self { log, past, feed: None, end: None, whole: false }
    }

    pub(super) const fn end(&self) -> Option<u64> {
        self.end
    }

    /// Takes the feed away until it is given back: without it, the log is asked again what stands at the position.
    pub(super) const fn suspend(&mut self) -> Option<Open> {
        self.feed.take()
    }

    pub(super) fn resume(&mut self, feed: Option<Open>) {
        self.feed = feed;
    }

    /// Waits for what follows on `position`. Safe to cancel.
    pub(super) async fn hear(&mut self, position: Position) -> Heard {
        self.whole |= position == Position::START;
        loop {
            let Some(open) = &mut self.feed else {
                match self.reach(position).await {
                    Ok(heard) => return heard,
                    Err(error) => {
                        let error = crate::error::chain(&error);
                        tracing::warn!(error, "cannot follow the log, trying again");
                        sleep(AGAIN).await;
                    }
                }
                continue;
            };
            if open.next.is_none() {
                open.next = open.feed.next().await;
            }
            match &open.next {
                Some(delivered) if delivered.sequence > position.sequence => return self.entries(position),
                // Heard before.
                Some(_) => open.next = None,
                None => self.feed = None,
            }
        }
    }

    /// Whatever is there already, after `position`.
    fn entries(&mut self, position: Position) -> Heard {
        let (mut entries, mut expected) = (Vec::new(), position.sequence + 1);
        while let Some(open) = self.feed.as_mut().filter(|_| entries.len() < BATCH_MAX) {
            let Some(delivered) = open.next.take().or_else(|| open.feed.next().now_or_never().flatten()) else { break };
            let found = delivered.sequence;
            if found > expected {
                if !self.whole && entries.is_empty() {
                    self.feed = None;
                    return Heard::OtherHistory(Difference::Gap { expected, found });
                }
                open.next = Some(delivered);
                if !self.whole {
                    break;
                }
                entries.push(Entry::absent(expected));
            } else if found == expected {
                entries.push(delivered.into());
            } else {
                continue;
            }
            expected += 1;
        }
        Heard::Entries(entries)
    }

    async fn reach(&mut self, position: Position) -> Result<Heard, Error> {
        let end = match compare(&self.log, position).await? {
            Ok(end) => end,
            Err(difference) => return Ok(Heard::OtherHistory(difference)),
        };
        let next = position.sequence + 1;
        let connection = &self.log.connection;
        let feed = if self.past {
            Feed::open_past(connection, next).await
        } else {
            Feed::open(connection, subject::EVENTS, subject::ALL_EVENTS, next).await
        };
        let feed = feed.map_err(Error::unavailable("follow the facts"))?;
        (self.feed, self.end) = (Some(Open { feed, next: None }), Some(end));
        Ok(Heard::Reached)
    }
}

/// Where the log ends, if it is the one that `position` is of.
async fn compare(log: &Log, position: Position) -> Result<Result<u64, Difference>, Error> {
    let deadline = Instant::now() + DOUBT;
    loop {
        let end = log.last_sequence().await?;
        if end >= position.sequence {
            let there = match position.sequence {
                0 => None,
                sequence => read::at(&log.connection, subject::EVENTS, sequence).await?,
            };
            let id = there.map(|stored| codec::identity(&stored.headers)).unwrap_or_default();
            return Ok(if id == position.id { Ok(end) } else { Err(Difference::OtherFact) });
        }
        if Instant::now() >= deadline {
            return Ok(Err(Difference::Shorter { end }));
        }
        sleep(AGAIN).await;
    }
}
