//! How many live streams there may be.

use crate::problem::Problem;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Live streams open at once at most; each holds one reader of the log.
pub(crate) const STREAMS_MAX: usize = 256;

/// The places for live streams.
pub(crate) struct Slots(Arc<Semaphore>);

impl Default for Slots {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(STREAMS_MAX)))
    }
}

impl Slots {
    pub(crate) fn take(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.0).try_acquire_owned().map_err(|_| Problem::TooManyStreams)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_and_given_back() {
        let slots = Slots::default();
        let mut taken: Vec<_> = (0..STREAMS_MAX).map(|_| slots.take().unwrap()).collect();
        assert!(matches!(slots.take(), Err(Problem::TooManyStreams)));
        taken.pop();
        assert!(slots.take().is_ok());
    }
}
