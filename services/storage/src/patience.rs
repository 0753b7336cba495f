//! Patience with a store that is away: the same request again and again, later each time, until it is answered.

use crate::body::Body;
use crate::bucket::Put;
use crate::error::Error;
use crate::{Storage, keys};
use bytes::Bytes;
use std::time::Duration;
use uuid::Uuid;

/// The rest after the first failure; it doubles from failure to failure.
const FIRST_REST: Duration = Duration::from_millis(500);
/// The longest rest, so that work goes on soon after the store is back.
const LONGEST_REST: Duration = Duration::from_secs(10);

/// How long to rest before a request is repeated.
#[derive(Debug)]
pub struct Patience(Duration);

impl Default for Patience {
    fn default() -> Self {
        Self(FIRST_REST)
    }
}

impl Patience {
    /// Rests after a failure, each time longer than before. Whoever has a deadline drops it.
    pub async fn rest(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST_REST);
    }
}

impl Storage {
    /// Writes a small object of its own in the platform's bucket and removes it: whether the store works at all. Tells a
    /// failure of the world from one of a single piece of work.
    ///
    /// # Errors
    /// When the store fails or refuses.
    pub async fn works(&self) -> Result<(), Error> {
        let (bucket, key) = (self.platform().bucket, keys::probe(Uuid::now_v7()));
        bucket.put(&key, Body::Bytes(Bytes::from_static(b"probe")), Put::default()).await?;
        bucket.delete(&key).await
    }

    /// [`Self::probe`], once the store is there and knows us: a wrong key is often mended in the store. Whoever is to end
    /// before that drops it.
    ///
    /// # Errors
    /// [`Error::Unconditional`] when the store does not keep its promise.
    pub async fn probe_when_there(&self) -> Result<(), Error> {
        let mut patience = Patience::default();
        loop {
            match self.probe().await {
                Ok(()) => return Ok(()),
                Err(error @ Error::Unconditional { .. }) => return Err(error),
                Err(error) => {
                    // What was asked says less than whether the store is there and knows us.
                    let error = self.check().await.err().unwrap_or(error);
                    tracing::warn!(error = &error as &dyn std::error::Error, "waiting for the object store");
                }
            }
            patience.rest().await;
        }
    }
}
