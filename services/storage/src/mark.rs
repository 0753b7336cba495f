//! The mark beside a plain tree: which deploy the tree shows whole, or that somebody is writing it.
//!
//! Whoever writes a tree first puts their name on its mark, and renews it while they write. Every change of a mark names
//! the mark it replaces, so of two who come at once one is turned away, and one who was away too long cannot say in the
//! end that the tree is whole. A mark that does not move for [`Rhythm::takeover`] is a dead writer's. No clocks are
//! compared: each process counts from when it first saw the mark.

use crate::bucket::Bucket;
use crate::error::{Error, Place};
use crate::keys;
use crate::site::SiteBucket;
use bytes::Bytes;
use events::DeployId;
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};
use uuid::Uuid;

/// How writers of plain trees keep apart.
#[derive(Debug, Clone, Copy)]
pub struct Rhythm {
    /// How often a writer renews its mark.
    pub renew_every: Duration,
    /// How long a writer goes on without a renewal; from then on it writes nothing more.
    pub trust: Duration,
    /// How long a mark stands still before its writer counts as dead. Longer than [`Self::trust`], by the time that a
    /// request already sent may take to reach the store.
    pub takeover: Duration,
}

impl Default for Rhythm {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { renew_every: seconds(4), trust: seconds(12), takeover: seconds(30) }
    }
}

/// What a mark says. One that says nothing we know is as good as none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mark {
    /// The tree is this deploy, whole.
    Shows(DeployId),
    /// The tree was removed, whole.
    Empty,
    /// The tree is being written. The beat makes each renewal an object of its own.
    Writing { writer: Uuid, beat: u64 },
}

impl Mark {
    fn encode(&self) -> Bytes {
        let text = match self {
            Self::Shows(deploy) => format!("shows {deploy}"),
            Self::Empty => "empty".to_owned(),
            Self::Writing { writer, beat } => format!("writing {writer} {beat}"),
        };
        text.into()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(bytes).ok()?.split(' ');
        match (words.next()?, words.next(), words.next()) {
            ("shows", Some(deploy), None) => deploy.parse().ok().map(Self::Shows),
            ("empty", None, None) => Some(Self::Empty),
            ("writing", Some(writer), Some(beat)) => {
                Some(Self::Writing { writer: writer.parse().ok()?, beat: beat.parse().ok()? })
            }
            _ => None,
        }
    }
}

/// Marks of writers at work as this process last saw them, by the place where they lie.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sightings(Arc<Mutex<HashMap<String, Sighting>>>);

/// A version of a mark, and since when it is known.
#[derive(Debug)]
struct Sighting {
    tag: String,
    since: Instant,
}

impl Sightings {
    /// For how long the mark has stood as it is.
    fn stood(&self, place: &Place, tag: &str) -> Duration {
        let mut seen = locked(&self.0);
        let now = || Sighting { tag: tag.to_owned(), since: Instant::now() };
        let sighting = seen.entry(place.to_string()).or_insert_with(now);
        if sighting.tag != tag {
            *sighting = now();
        }
        sighting.since.elapsed()
    }

    fn forget(&self, place: &Place) {
        locked(&self.0).remove(&place.to_string());
    }
}

/// The right to write a tree, and what its mark said before.
pub(crate) struct Turn {
    bucket: Bucket,
    key: String,
    writer: Uuid,
    rhythm: Rhythm,
    held: Mutex<Held>,
    pub(crate) before: Option<Mark>,
}

/// The mark as we wrote it last.
struct Held {
    tag: Option<String>,
    beat: u64,
    sent: Instant,
}

impl SiteBucket {
    /// Takes the turn to write `tree`; `None` if its mark says `wanted` already.
    pub(crate) async fn turn(&self, tree: &str, wanted: &Mark) -> Result<Option<Turn>, Error> {
        let (bucket, key) = (&self.bucket, keys::mark(tree));
        let place = bucket.place(&key);
        let (before, tag) = match bucket.get_tagged(&key).await? {
            Some((mark, tag)) => (Mark::decode(&mark), Some(tag)),
            None => (None, None),
        };
        if before.as_ref() == Some(wanted) {
            return Ok(None);
        }
        if let (Some(Mark::Writing { .. }), Some(tag)) = (&before, &tag)
            && self.sightings.stood(&place, tag) < self.rhythm.takeover
        {
            return Err(Error::Busy { place });
        }
        self.sightings.forget(&place);
        let held = Mutex::new(Held { tag, beat: 0, sent: Instant::now() });
        let turn = Turn { bucket: bucket.clone(), key, writer: Uuid::now_v7(), rhythm: self.rhythm, held, before };
        turn.renew().await?;
        Ok(Some(turn))
    }
}

impl Turn {
    /// Does `work` on the tree for as long as the turn is ours, and not a moment longer. What fails leaves the mark as it
    /// is: requests of it may still be on their way, so the next turn waits for [`Rhythm::takeover`].
    pub(crate) async fn hold<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let mut work = pin!(work);
        // A process that was stopped wakes with its work first, so the work asks for the time itself.
        let guarded = poll_fn(|context| {
            if Instant::now() < self.trusted_until() {
                work.as_mut().poll(context)
            } else {
                Poll::Ready(Err(self.lost()))
            }
        });
        tokio::select! {
            done = guarded => done,
            lost = self.keep() => Err(lost),
        }
    }

    /// Says what the tree is now. Fails if the turn is another's by now.
    pub(crate) async fn end(self, mark: Mark) -> Result<(), Error> {
        self.replace(&mark).await
    }

    /// Renews the mark until that is no longer possible.
    async fn keep(&self) -> Error {
        let mut next = self.renewed() + self.rhythm.renew_every;
        loop {
            sleep_until(next.min(self.trusted_until())).await;
            next = Instant::now() + self.rhythm.renew_every;
            match timeout_at(self.trusted_until(), self.renew()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) if matches!(error, Error::Busy { .. }) || !error.is_transient() => return error,
                Ok(Err(error)) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, mark = self.key, "a mark was not renewed");
                }
                Err(_) => return self.lost(),
            }
        }
    }

    async fn renew(&self) -> Result<(), Error> {
        let beat = {
            let mut held = locked(&self.held);
            held.beat += 1;
            held.beat
        };
        let sent = Instant::now();
        self.replace(&Mark::Writing { writer: self.writer, beat }).await?;
        locked(&self.held).sent = sent;
        Ok(())
    }

    /// Replaces our mark, unless it is another's by now.
    async fn replace(&self, mark: &Mark) -> Result<(), Error> {
        let mut expected = locked(&self.held).tag.clone();
        // An earlier mark of ours may have come through although its answer did not.
        for _ in 0..2 {
            if let Some(tag) = self.bucket.swap(&self.key, expected.as_deref(), mark.encode()).await? {
                locked(&self.held).tag = Some(tag);
                return Ok(());
            }
            let Some((standing, tag)) = self.bucket.get_tagged(&self.key).await? else { break };
            match Mark::decode(&standing) {
                Some(Mark::Writing { writer, .. }) if writer == self.writer => expected = Some(tag),
                Some(standing) if standing == *mark => return Ok(()),
                Some(_) | None => break,
            }
        }
        Err(self.lost())
    }

    fn renewed(&self) -> Instant {
        locked(&self.held).sent
    }

    fn trusted_until(&self) -> Instant {
        self.renewed() + self.rhythm.trust
    }

    fn lost(&self) -> Error {
        Error::Busy { place: self.bucket.place(&self.key) }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
