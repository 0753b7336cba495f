//! What becomes of a fact whose work failed: the world may be down, or the fact may be poison.
//!
//! While the object store is away, a fact stays in hand and its work is repeated when the store is back: however long that
//! takes, nothing is parked. Only work that fails although the store works is given back to the log, which counts.

use crate::Syncer;
use runtime::Failure;
use runtime::consumer::Timing;
use storage::{Error, Patience};

/// Deliveries after which a fact is parked that fails although the store works: with the rests between them an hour and
/// a half, so that a store which answers small requests and fails large ones has that time to recover.
const DELIVERIES_MAX: u64 = 96;

pub(crate) fn timing() -> Timing {
    Timing { deliveries_max: DELIVERIES_MAX, ..Timing::default() }
}

impl Syncer {
    /// Waits until the store works again after `failure`; false if that came although the store works, or if waiting is no
    /// use.
    pub(crate) async fn outlasts(&self, failure: &Failure) -> bool {
        let Failure::Retry(error) = failure else { return false };
        if !is_of_the_store(&**error) {
            return false;
        }
        let (mut away, mut patience) = (false, Patience::default());
        loop {
            match self.storage.works().await {
                Ok(()) => return away,
                Err(error) if error.is_transient() => {
                    if !away {
                        tracing::warn!(error = &error as &dyn std::error::Error, "the object store is away, waiting");
                    }
                    away = true;
                }
                Err(_) => return false,
            }
            patience.rest().await;
        }
    }
}

/// Whether the store failed, and not just that another syncer was at the same tree.
fn is_of_the_store(error: &(dyn std::error::Error + 'static)) -> bool {
    let chain = std::iter::successors(Some(error), |error| error.source());
    let stored = chain.filter_map(|error| error.downcast_ref::<Error>());
    stored.last().is_some_and(|error| !matches!(error, Error::Busy { .. } | Error::File { .. }))
}
