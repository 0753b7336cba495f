//! What sites set moments for: builds without a push, and the end of previews.

use super::{Due, Queue};
use events::{Branch, BuildId, SiteId, SiteSettings};
use std::collections::BTreeSet;
use time::OffsetDateTime;

const DAY_S: i64 = 24 * 60 * 60;

impl Due {
    /// The build that a schedule makes at this moment: the same moment never makes two.
    #[must_use]
    pub fn build(&self) -> BuildId {
        BuildId::scheduled(self.site, &self.branch, self.at_s)
    }
}

impl Queue {
    /// The site has these settings from now on: what they set moments for is set anew.
    pub(super) fn plan(&mut self, id: SiteId, now: OffsetDateTime) {
        self.forget_times(id);
        let Some(site) = self.sites.get(&id) else { return };
        let branches: BTreeSet<&Branch> =
            site.settings.building.schedules.iter().map(|schedule| &schedule.branch).collect();
        for branch in branches {
            self.schedules.set(id, branch, next(&site.settings, branch, now));
        }
        for (branch, shown_s) in &site.previews {
            self.expiries.set(id, branch, end(&site.settings, *shown_s));
        }
    }

    pub(super) fn forget_times(&mut self, id: SiteId) {
        self.schedules.forget(id);
        self.expiries.forget(id);
    }

    /// A branch was due, and that was stated at `now`: what was missed until then counts once.
    pub(super) fn was_due(&mut self, id: SiteId, branch: &Branch, now: OffsetDateTime) {
        let Some(site) = self.sites.get(&id) else { return };
        self.schedules.set(id, branch, next(&site.settings, branch, now));
    }

    /// The preview of a branch shows something since `now`, or nothing any more.
    pub(super) fn show_preview(&mut self, id: SiteId, branch: &Branch, now: Option<OffsetDateTime>) {
        let Some(site) = self.sites.get_mut(&id) else { return };
        let shown_s = now.map(OffsetDateTime::unix_timestamp);
        match shown_s {
            Some(shown_s) => drop(site.previews.insert(branch.clone(), shown_s)),
            None => drop(site.previews.remove(branch)),
        }
        let ends_s = shown_s.and_then(|shown_s| end(&site.settings, shown_s));
        self.expiries.set(id, branch, ends_s);
    }
}

/// The first moment after `since` that any schedule of the branch names.
fn next(settings: &SiteSettings, branch: &Branch, since: OffsetDateTime) -> Option<i64> {
    let of_branch = settings.building.schedules.iter().filter(|schedule| schedule.branch == *branch);
    of_branch.filter_map(|schedule| schedule.next_after(since)).min().map(OffsetDateTime::unix_timestamp)
}

/// When a preview ends that shows something since a moment.
fn end(settings: &SiteSettings, shown_s: i64) -> Option<i64> {
    settings.building.preview_days.map(|days| shown_s + i64::from(days.get()) * DAY_S)
}
