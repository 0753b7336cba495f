//! When tokens were last used: told beside the log every few minutes at most, and read for whoever lists them.

use crate::problem::Problem;
use events::TokenId;
use futures::{StreamExt, TryStreamExt, stream};
use runtime::clock;
use runtime::records::Records;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::time::Instant;

/// How often the use of one token is told.
const EVERY: Duration = Duration::from_secs(5 * 60);
/// Tokens that are remembered here; beyond, all are told anew.
const TOKENS_MAX: usize = 10_000;
/// Records that are asked for at once.
const READERS: usize = 16;

/// The last uses of tokens.
#[derive(Debug)]
pub(crate) struct Uses {
    kept: Records,
    /// When the use of a token was told last by this process.
    told: Mutex<HashMap<TokenId, Instant>>,
}

impl Uses {
    pub(crate) fn new(log: &runtime::Log) -> Arc<Self> {
        Arc::new(Self { kept: Records::uses(log.connection()), told: Mutex::default() })
    }

    /// Tells that a token is used, unless that was told a moment ago. Whoever uses it does not wait for it.
    pub(crate) fn note(self: &Arc<Self>, id: TokenId) {
        if !self.is_due(id) {
            return;
        }
        let uses = Arc::clone(self);
        tokio::spawn(async move {
            let now_s = clock::now().unix_timestamp();
            if let Err(error) = uses.kept.put(&id.to_string(), now_s.to_string().into_bytes()).await {
                tracing::debug!(%error, "the use of a token could not be told");
                uses.told.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            }
        });
    }

    fn is_due(&self, id: TokenId) -> bool {
        let (now, mut told) = (Instant::now(), self.told.lock().unwrap_or_else(PoisonError::into_inner));
        if told.get(&id).is_some_and(|last| now < *last + EVERY) {
            return false;
        }
        if told.len() >= TOKENS_MAX {
            told.retain(|_, last| now < *last + EVERY);
        }
        if told.len() >= TOKENS_MAX {
            told.clear();
        }
        told.insert(id, now);
        true
    }

    /// When these tokens were last used, as far as they ever were.
    pub(crate) async fn last(
        &self,
        ids: impl Iterator<Item = TokenId> + Send,
    ) -> Result<HashMap<TokenId, OffsetDateTime>, Problem> {
        let ids: Vec<TokenId> = ids.collect();
        let reading = stream::iter(ids).map(async |id| {
            let record = self.kept.read(&id.to_string()).await?;
            let at = record.and_then(|record| String::from_utf8(record.value).ok()?.parse().ok());
            Ok::<_, Problem>(at.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok()).map(|at| (id, at)))
        });
        let read: Vec<_> = reading.buffer_unordered(READERS).try_collect().await?;
        Ok(read.into_iter().flatten().collect())
    }

    /// Forgets a token that is worth nothing any more.
    pub(crate) async fn forget(&self, id: TokenId) -> Result<(), Problem> {
        Ok(self.kept.end(&id.to_string()).await?)
    }
}
