//! The question asked at start: does this store keep its promise about conditional writes? Some ignore the condition
//! and answer 200; some check it and then write, so that two writers win. Both would let one deploy have two manifests,
//! and one plain tree two writers.

use crate::body::Body;
use crate::bucket::{Bucket, Put, Tagged, Written};
use crate::error::Error;
use crate::{Storage, keys};
use bytes::Bytes;
use futures::future::try_join_all;
use uuid::Uuid;

/// Writers of one key at the same time; of 200 keys written so, a store that checks and then writes let 149 be written
/// more than once.
const WRITERS: usize = 8;

impl Storage {
    /// Checks that the store honours `If-None-Match: *` and `If-Match`, with a key of its own in the platform's bucket, which must
    /// exist and be writable. For services that write deploys.
    ///
    /// # Errors
    /// [`Error::Unconditional`] if it does not; else when the store fails or refuses.
    pub async fn probe(&self) -> Result<(), Error> {
        let bucket = self.platform().bucket;
        let key = keys::probe(Uuid::now_v7());
        let with = Put { only_new: true, ..Put::default() };
        let write = || bucket.put(&key, Body::Bytes(Bytes::from_static(b"probe")), with);
        let together = try_join_all((0..WRITERS).map(|_| write())).await?;
        let winners = together.iter().filter(|written| **written == Written::Yes).count();
        let late = write().await?;
        let replaced = bucket.replaced_twice(&key).await?;
        bucket.delete(&key).await?;
        // None wins when an answer is lost and the repeated request finds its own work.
        if winners <= 1 && late == Written::Kept && !replaced {
            Ok(())
        } else {
            Err(Error::Unconditional { endpoint: self.config.endpoint.clone() })
        }
    }
}

impl Bucket {
    /// Whether an object can be replaced twice by writers that both name its first version.
    async fn replaced_twice(&self, key: &str) -> Result<bool, Error> {
        let Some(Tagged { tag, .. }) = self.get_tagged(key).await? else { return Ok(false) };
        self.swap(key, Some(&tag), Bytes::from_static(b"second")).await?;
        Ok(self.swap(key, Some(&tag), Bytes::from_static(b"third")).await?.is_some())
    }
}
