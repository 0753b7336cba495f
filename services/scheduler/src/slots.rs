//! Who has a slot, who waits for one, and who gets the next. What it costs to choose depends on how many builds may run,
//! not on how many wait.

use crate::limits::Limits;
use events::{BuildId, Lane, OrganizationId, SiteId};
use std::collections::{BTreeMap, BTreeSet};

/// A waiting build's place in line. The older is the lesser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket {
    /// The log sequence of the fact that queued it.
    pub(crate) place: u64,
    pub(crate) build: BuildId,
    pub(crate) site: SiteId,
    pub(crate) organization: OrganizationId,
}

/// How many slots there are, for all and for some.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caps<'a> {
    pub(crate) limits: &'a Limits,
    /// Organizations that have a limit of their own, which is at least one.
    pub(crate) organizations: &'a BTreeMap<OrganizationId, usize>,
}

impl Caps<'_> {
    fn of(&self, organization: OrganizationId) -> usize {
        let all = self.limits.organization;
        self.organizations.get(&organization).map_or(all, |own| all.min(*own))
    }
}

/// The builds that have a slot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Active {
    builds: BTreeSet<BuildId>,
    organizations: BTreeMap<OrganizationId, usize>,
    sites: BTreeMap<SiteId, usize>,
}

/// The builds that wait for one, by how urgent they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Waiting(BTreeMap<Lane, Line>);

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Line {
    organizations: BTreeMap<OrganizationId, BTreeSet<Ticket>>,
    /// The oldest ticket of each organization.
    first: BTreeSet<Ticket>,
}

impl Active {
    pub(crate) fn add(&mut self, build: BuildId, site: SiteId, organization: OrganizationId) {
        if self.builds.insert(build) {
            *self.organizations.entry(organization).or_default() += 1;
            *self.sites.entry(site).or_default() += 1;
        }
    }

    pub(crate) fn remove(&mut self, build: BuildId, site: SiteId, organization: OrganizationId) {
        if self.builds.remove(&build) {
            less(&mut self.organizations, organization);
            less(&mut self.sites, site);
        }
    }

    pub(crate) fn builds(&self) -> impl ExactSizeIterator<Item = &BuildId> {
        self.builds.iter()
    }

    fn of(&self, organization: OrganizationId) -> usize {
        self.organizations.get(&organization).copied().unwrap_or(0)
    }

    fn at(&self, site: SiteId) -> usize {
        self.sites.get(&site).copied().unwrap_or(0)
    }
}

fn less<K: Ord>(counts: &mut BTreeMap<K, usize>, key: K) {
    if let Some(count) = counts.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

impl Waiting {
    pub(crate) fn add(&mut self, lane: Lane, ticket: Ticket) {
        self.0.entry(lane).or_default().change(ticket.organization, |line| line.insert(ticket));
    }

    pub(crate) fn remove(&mut self, lane: Lane, ticket: &Ticket) {
        let Some(line) = self.0.get_mut(&lane) else { return };
        line.change(ticket.organization, |line| line.remove(ticket));
        if line.first.is_empty() {
            self.0.remove(&lane);
        }
    }

    /// Gives out the free slots one by one, each to the waiting build whose organization, then site, has the fewest active
    /// builds; the older first among equals. The low lane gets what the high lane leaves.
    pub(crate) fn next(&self, active: &Active, caps: &Caps<'_>) -> Vec<Ticket> {
        let (mut active, mut given, limits) = (active.clone(), Vec::new(), caps.limits);
        if limits.organization == 0 || limits.site == 0 {
            return given;
        }
        while active.builds.len() < limits.platform {
            let Some(ticket) = self.0.values().find_map(|line| line.choose(&active, caps)) else { break };
            active.add(ticket.build, ticket.site, ticket.organization);
            given.push(ticket);
        }
        given
    }
}

impl Line {
    fn change(&mut self, organization: OrganizationId, change: impl FnOnce(&mut BTreeSet<Ticket>) -> bool) {
        let line = self.organizations.entry(organization).or_default();
        if let Some(first) = line.first() {
            self.first.remove(first);
        }
        change(line);
        if let Some(first) = line.first() {
            self.first.insert(*first);
        } else {
            self.organizations.remove(&organization);
        }
    }

    /// An organization that has nothing active goes first, and those that have something are few.
    fn choose(&self, active: &Active, caps: &Caps<'_>) -> Option<Ticket> {
        let idle = self.first.iter().find(|ticket| active.of(ticket.organization) == 0);
        idle.copied().or_else(|| {
            let busy = active.organizations.iter().filter(|(organization, count)| **count < caps.of(**organization));
            let best = busy.filter_map(|(organization, count)| {
                let (at_site, ticket) = self.choose_of(*organization, active, caps.limits)?;
                Some((*count, at_site, ticket))
            });
            best.min().map(|(_, _, ticket)| ticket)
        })
    }

    fn choose_of(&self, organization: OrganizationId, active: &Active, limits: &Limits) -> Option<(usize, Ticket)> {
        let mut best: Option<(usize, Ticket)> = None;
        let waiting = self.organizations.get(&organization)?.iter();
        for ticket in waiting.filter(|ticket| !active.builds.contains(&ticket.build)) {
            let at_site = active.at(ticket.site);
            if at_site < limits.site && best.is_none_or(|(least, _)| at_site < least) {
                best = Some((at_site, *ticket));
            }
            if at_site == 0 {
                break;
            }
        }
        best
    }
}
