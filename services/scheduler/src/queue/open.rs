//! Where to find open builds: by their branch, and by whether they have a slot or wait for one.

use super::{End, OpenBuild, Progress};
use crate::slots::{Active, Ticket, Waiting};
use events::{Branch, BuildId, SiteId};
use runtime::fold::Map;
use std::collections::{BTreeMap, BTreeSet};

/// Where to find open builds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Open {
    pub(super) active: Active,
    /// Those that shall be ended wait for nothing.
    pub(super) waiting: Waiting,
    by_branch: BTreeMap<SiteId, BTreeMap<Branch, BTreeSet<BuildId>>>,
}

impl Open {
    pub(super) fn of(builds: &Map<BuildId, OpenBuild>, ends: &BTreeMap<BuildId, End>) -> Self {
        let mut open = Self::default();
        for (id, build) in builds.iter() {
            open.add(*id, build, ends.get(id));
        }
        open
    }

    pub(super) fn add(&mut self, id: BuildId, build: &OpenBuild, end: Option<&End>) {
        let branches = self.by_branch.entry(build.site).or_default();
        branches.entry(build.branch.clone()).or_default().insert(id);
        match (build.progress, end) {
            (Progress::Queued, None) => self.wait(id, build),
            (Progress::Queued, Some(_)) => {}
            (Progress::Dispatched(_) | Progress::Running(_), _) => self.hold(id, build, end),
        }
    }

    pub(super) fn remove(&mut self, id: BuildId, build: &OpenBuild) {
        self.free(id, build);
        let Some(branches) = self.by_branch.get_mut(&build.site) else { return };
        if let Some(builds) = branches.get_mut(&build.branch) {
            builds.remove(&id);
            if builds.is_empty() {
                branches.remove(&build.branch);
            }
        }
        if branches.is_empty() {
            self.by_branch.remove(&build.site);
        }
    }

    pub(super) fn wait(&mut self, id: BuildId, build: &OpenBuild) {
        if let Some(ticket) = ticket(id, build) {
            self.waiting.add(build.lane, ticket);
        }
    }

    /// What runs for a site that was deleted takes nobody's slot.
    pub(super) fn hold(&mut self, id: BuildId, build: &OpenBuild, end: Option<&End>) {
        if let (Some(organization), None | Some(End::BranchDeleted | End::Replaced(_) | End::Suspended)) =
            (build.organization, end)
        {
            self.active.add(id, build.site, organization);
        }
    }

    /// It neither waits nor holds a slot.
    pub(super) fn free(&mut self, id: BuildId, build: &OpenBuild) {
        if let Some(ticket) = ticket(id, build) {
            self.waiting.remove(build.lane, &ticket);
            self.active.remove(id, build.site, ticket.organization);
        }
    }

    pub(super) fn on(&self, site: SiteId, branch: &Branch) -> Vec<BuildId> {
        let builds = self.by_branch.get(&site).and_then(|branches| branches.get(branch));
        builds.into_iter().flatten().copied().collect()
    }

    pub(super) fn of_site(&self, site: SiteId) -> Vec<BuildId> {
        self.by_branch.get(&site).into_iter().flat_map(BTreeMap::values).flatten().copied().collect()
    }
}

fn ticket(build: BuildId, known: &OpenBuild) -> Option<Ticket> {
    Some(Ticket { place: known.place, build, site: known.site, organization: known.organization? })
}
