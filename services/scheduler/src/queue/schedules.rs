//! Builds at set times: which branch of which site is due next.

use super::Queue;
use events::{Branch, BuildId, SiteId, SiteSettings};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;

/// What is due, and when.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Schedules {
    /// The soonest first.
    due: BTreeSet<Due>,
    /// The same by site and branch, in seconds since 1970.
    sites: BTreeMap<SiteId, BTreeMap<Branch, i64>>,
}

/// A branch that is to be built at a set time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Due {
    /// When, in seconds since 1970.
    pub at_s: i64,
    /// Of which site.
    pub site: SiteId,
    /// The branch.
    pub branch: Branch,
}

impl Due {
    /// The build that it makes: the same moment never makes two.
    #[must_use]
    pub fn build(&self) -> BuildId {
        BuildId::scheduled(self.site, &self.branch, self.at_s)
    }
}

impl Schedules {
    /// What is due at a moment in seconds since 1970, the oldest first.
    pub(crate) fn until(&self, now_s: i64) -> impl Iterator<Item = &Due> {
        self.due.iter().take_while(move |due| due.at_s <= now_s)
    }

    /// When something is due next, in seconds since 1970.
    pub(crate) fn next(&self) -> Option<i64> {
        self.due.first().map(|due| due.at_s)
    }

    pub(super) fn forget(&mut self, site: SiteId) {
        for (branch, at_s) in self.sites.remove(&site).unwrap_or_default() {
            self.due.remove(&Due { at_s, site, branch });
        }
    }

    /// A branch of a site is due at the first moment after `since` that any of its schedules names.
    fn plan(&mut self, site: SiteId, branch: &Branch, settings: &SiteSettings, since: OffsetDateTime) {
        let of_branch = settings.building.schedules.iter().filter(|schedule| schedule.branch == *branch);
        let next = of_branch.filter_map(|schedule| schedule.next_after(since)).min();
        let branches = self.sites.entry(site).or_default();
        if let Some(at_s) = branches.remove(branch) {
            self.due.remove(&Due { at_s, site, branch: branch.clone() });
        }
        if let Some(at_s) = next.map(OffsetDateTime::unix_timestamp) {
            branches.insert(branch.clone(), at_s);
            self.due.insert(Due { at_s, site, branch: branch.clone() });
        }
        if branches.is_empty() {
            self.sites.remove(&site);
        }
    }
}

impl Queue {
    /// The site has these schedules from now on.
    pub(super) fn plan(&mut self, id: SiteId, now: OffsetDateTime) {
        self.schedules.forget(id);
        let Some(site) = self.sites.get(&id) else { return };
        for schedule in &site.settings.building.schedules {
            self.schedules.plan(id, &schedule.branch, &site.settings, now);
        }
    }

    /// A branch was due, and that was stated at `now`: what was missed until then counts once.
    pub(super) fn was_due(&mut self, id: SiteId, branch: &Branch, now: OffsetDateTime) {
        let Some(site) = self.sites.get(&id) else { return };
        self.schedules.plan(id, branch, &site.settings, now);
    }
}
