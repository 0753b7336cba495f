//! Files in other encodings: made beside the first request that would like one, and kept as long as there is room.

use crate::encoding::Encoding;
use bytes::Bytes;
use events::Digest;
use moka::sync::Cache;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// How many are made at once: the rest of the machine answers requests.
const AT_ONCE: usize = 1;
/// How many may wait for that; who comes when there are more is sent the content as it is, and the next one asks again.
const WAITING_MAX: usize = 1_000;
/// What one takes beside its bytes, roughly.
const VARIANT_BYTES: usize = 200;

type Key = (Digest, Encoding);

/// A content that is the same for ever, in an encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variant {
    pub(crate) encoding: Encoding,
    pub(crate) bytes: Bytes,
}

/// A clone shares what is kept.
#[derive(Clone)]
pub(crate) struct Variants {
    /// None for what is no shorter in that encoding.
    kept: Cache<Key, Option<Bytes>>,
    waiting: Arc<Mutex<HashSet<Key>>>,
    slots: Arc<Semaphore>,
}

impl Variants {
    /// With room for so many bytes.
    pub(crate) fn new(bytes_max: u64) -> Self {
        let weigh = |_: &Key, kept: &Option<Bytes>| {
            u32::try_from(kept.as_ref().map_or(0, Bytes::len) + VARIANT_BYTES).unwrap_or(u32::MAX)
        };
        let kept = Cache::builder().max_capacity(bytes_max).weigher(weigh).build();
        Self { kept, waiting: Arc::default(), slots: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// The first of the encodings that is there. What is not is left in `missing`.
    pub(crate) fn find(
        &self,
        digest: Digest,
        liked: impl Iterator<Item = Encoding>,
        missing: &mut Vec<Encoding>,
    ) -> Option<Variant> {
        for encoding in liked {
            match self.kept.get(&(digest, encoding)) {
                Some(Some(bytes)) => return Some(Variant { encoding, bytes }),
                // One that gains nothing tells that the others do not either.
                Some(None) => return None,
                None => missing.push(encoding),
            }
        }
        None
    }

    /// Makes one of what `content` brings, unless somebody does. Nobody waits for it.
    pub(crate) fn make<C>(&self, digest: Digest, encoding: Encoding, content: C)
    where
        C: Future<Output = Option<Bytes>> + Send + 'static,
    {
        let key = (digest, encoding);
        {
            let mut waiting = self.waiting();
            if waiting.len() >= WAITING_MAX || !waiting.insert(key) {
                return;
            }
        }
        let this = self.clone();
        tokio::spawn(async move {
            let slot = this.slots.acquire().await;
            if let Some(content) = content.await {
                let encoded = tokio::task::spawn_blocking(move || encoding.encode(&content)).await;
                match encoded {
                    Ok(Ok(encoded)) => this.kept.insert(key, encoded.map(Bytes::from)),
                    Ok(Err(error)) => {
                        tracing::warn!(%error, %digest, encoding = encoding.name(), "a file was not encoded")
                    }
                    Err(error) => tracing::error!(%error, %digest, "encoding a file failed unexpectedly"),
                }
            }
            drop(slot);
            this.waiting().remove(&key);
        });
    }

    /// Keeps none of a content any longer.
    pub(crate) fn forget(&self, digest: Digest) {
        Encoding::ALL.into_iter().for_each(|encoding| self.kept.invalidate(&(digest, encoding)));
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, HashSet<Key>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
