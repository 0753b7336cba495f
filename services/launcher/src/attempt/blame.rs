//! What of the platform an attempt waits for, or has waited for.

use crate::interruption::Interruption;
use std::sync::{Mutex, PoisonError};

/// Whose fault it is if the attempt does not end in time: the build's own, unless the platform kept it waiting.
#[derive(Default)]
pub(super) struct Blame(Mutex<Option<Interruption>>);

impl Blame {
    /// From now on it is the platform's.
    pub(super) fn put(&self, on: Interruption) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(on);
    }

    pub(super) fn on(&self) -> Option<Interruption> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
