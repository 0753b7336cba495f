//! The turn to write a plain tree, which its mark gives. [`crate::mark`] has the rules.

use crate::bucket::{Bucket, Tagged};
use crate::error::Error;
use crate::keys;
use crate::mark::{Mark, Rhythm};
use crate::site::SiteBucket;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use tokio::time::{Instant, sleep_until, timeout_at};
use uuid::Uuid;

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
        self.turn_at(keys::mark(tree), Some(wanted)).await
    }

    /// The same with the key of a mark.
    pub(crate) async fn turn_at(&self, key: String, wanted: Option<&Mark>) -> Result<Option<Turn>, Error> {
        let bucket = &self.bucket;
        let resource = bucket.resource(&key);
        let (before, tag) = match bucket.get_tagged(&key).await? {
            Some(Tagged { content, tag }) => (Mark::decode(&content), Some(tag)),
            None => (None, None),
        };
        if wanted.is_some() && before.as_ref() == wanted {
            return Ok(None);
        }
        if let (Some(Mark::Writing { .. }), Some(tag)) = (&before, &tag)
            && self.sightings.stood(&resource, tag) < self.rhythm.takeover
        {
            return Err(Error::Busy { resource });
        }
        self.sightings.forget(&resource);
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
            let Some(Tagged { content, tag }) = self.bucket.get_tagged(&self.key).await? else { break };
            match Mark::decode(&content) {
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
        Error::Busy { resource: self.bucket.resource(&self.key) }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
