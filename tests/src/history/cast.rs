//! The sites of a history, as far as its next facts depend on them.

use super::chance::Chance;
use events::{DeployId, OrganizationId, OrganizationName, RepositoryUrl, SiteId, SiteName};

/// A site as it is now.
pub(super) struct Member {
    pub(super) id: SiteId,
    pub(super) name: SiteName,
    pub(super) organization: OrganizationId,
    pub(super) organization_name: OrganizationName,
    pub(super) repository: RepositoryUrl,
    /// Builds so far.
    pub(super) builds: u64,
    /// What it shows.
    pub(super) live: Option<DeployId>,
    is_busy: bool,
}

/// All of them.
pub(super) struct Cast {
    members: Vec<Member>,
    most: usize,
    organization: OrganizationId,
}

/// Sites of one organization.
const HOLDINGS: usize = 10;

impl Cast {
    pub(super) fn new(most: usize) -> Self {
        Self { members: Vec::with_capacity(most), most, organization: OrganizationId(uuid::Uuid::nil()) }
    }

    pub(super) const fn most(&self) -> usize {
        self.most
    }

    pub(super) fn member(&mut self, index: usize) -> &mut Member {
        &mut self.members[index]
    }

    /// The next site, if there is one to come, and whether its organization is new too.
    pub(super) fn another(&mut self, chance: &mut Chance) -> Option<(usize, bool)> {
        let index = self.members.len();
        if index == self.most {
            return None;
        }
        let is_first = index.is_multiple_of(HOLDINGS);
        if is_first {
            self.organization = OrganizationId(chance.uuid());
        }
        self.members.push(Member {
            id: SiteId(chance.uuid()),
            name: format!("site-{index}").parse().unwrap(),
            organization: self.organization,
            organization_name: format!("group-{}", index / HOLDINGS).parse().unwrap(),
            repository: format!("https://git.example.org/group-{}/site-{index}", index / HOLDINGS).parse().unwrap(),
            builds: 0,
            live: None,
            is_busy: true,
        });
        Some((index, is_first))
    }

    /// A site that nothing happens to now, from now on busy.
    pub(super) fn idle(&mut self, chance: &mut Chance) -> usize {
        loop {
            let index = chance.below(self.members.len());
            if !std::mem::replace(&mut self.members[index].is_busy, true) {
                return index;
            }
        }
    }

    pub(super) fn release(&mut self, index: usize) {
        self.members[index].is_busy = false;
    }
}
