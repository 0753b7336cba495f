//! The deleted branches of a site, by as little of each as tells it from others.

use events::{Branch, Digest};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The first 64 bits of the digest of a branch's name.
type Mark = u64;

/// Branches that were deleted and not pushed again. None is forgotten, see decision 8: but a name is only ever asked for, so
/// what is kept of it does not grow with its length.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Gone(BTreeSet<Mark>);

impl Gone {
    /// Whether `branch` is one of them.
    #[must_use]
    pub fn contains(&self, branch: &Branch) -> bool {
        self.0.contains(&mark(branch))
    }

    pub(super) fn insert(&mut self, branch: &Branch) {
        self.0.insert(mark(branch));
    }

    pub(super) fn remove(&mut self, branch: &Branch) {
        self.0.remove(&mark(branch));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

fn mark(branch: &Branch) -> Mark {
    let [a, b, c, d, e, f, g, h, ..] = *Digest::of(branch.as_str().as_bytes()).as_bytes();
    Mark::from_be_bytes([a, b, c, d, e, f, g, h])
}
