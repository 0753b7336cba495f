//! Moments that are set for branches of sites: when something is to be said of them.

use events::{Branch, SiteId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One moment for each branch that has any.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Times {
    /// The soonest first.
    due: BTreeSet<Due>,
    /// The same by site and branch, in seconds since 1970.
    sites: BTreeMap<SiteId, BTreeMap<Branch, i64>>,
}

/// A branch that something is to be said of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Due {
    /// When, in seconds since 1970.
    pub at_s: i64,
    /// Of which site.
    pub site: SiteId,
    /// The branch.
    pub branch: Branch,
}

impl Times {
    /// What is due at a moment in seconds since 1970, the oldest first.
    pub(crate) fn until(&self, now_s: i64) -> impl Iterator<Item = &Due> {
        self.due.iter().take_while(move |due| due.at_s <= now_s)
    }

    /// When something is due next, in seconds since 1970.
    pub(crate) fn next(&self) -> Option<i64> {
        self.due.first().map(|due| due.at_s)
    }

    /// Nothing is set for a site any more.
    pub(super) fn forget(&mut self, site: SiteId) {
        for (branch, at_s) in self.sites.remove(&site).unwrap_or_default() {
            self.due.remove(&Due { at_s, site, branch });
        }
    }

    /// This moment is set for a branch, or none.
    pub(super) fn set(&mut self, site: SiteId, branch: &Branch, moment: Option<i64>) {
        let branches = self.sites.entry(site).or_default();
        if let Some(at_s) = branches.remove(branch) {
            self.due.remove(&Due { at_s, site, branch: branch.clone() });
        }
        if let Some(at_s) = moment {
            branches.insert(branch.clone(), at_s);
            self.due.insert(Due { at_s, site, branch: branch.clone() });
        }
        if branches.is_empty() {
            self.sites.remove(&site);
        }
    }
}
