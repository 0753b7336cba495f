//! What facts make of organizations: some are suspended, some may have fewer builds at once than others, and the sites of some
//! are deleted once in a while.

use super::{End, Origin, Progress, Queue};
use events::event::Sandbox;
use events::{BuildId, OrganizationEvent, OrganizationId, Recorded, SiteId};
use runtime::fold::Map;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;

/// The organizations.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Organizations {
    /// Each of them.
    pub known: Map<OrganizationId, KnownOrganization>,
    /// Builds that may run at once, where that is limited for one.
    pub caps: BTreeMap<OrganizationId, usize>,
    /// When there is something to say of a sandbox, in seconds since 1970: the soonest first.
    pub due: BTreeSet<(i64, OrganizationId)>,
}

/// What there is to know of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KnownOrganization {
    /// Its sites that can be built.
    pub sites: BTreeSet<SiteId>,
    /// Whether no push of it is built now.
    pub is_suspended: bool,
    /// Those of its sites whose live branch was pushed to while it was suspended.
    pub missed: BTreeSet<SiteId>,
    /// When its sites are deleted; none if they are kept.
    pub sandbox: Option<KnownSandbox>,
}

/// When the sites of an organization are deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownSandbox {
    /// When, and how often.
    pub sandbox: Sandbox,
    /// Whether its people know of the next time.
    pub is_announced: bool,
    /// The fact that tells this.
    pub origin: Origin,
}

impl KnownSandbox {
    fn due_s(&self) -> i64 {
        let due = if self.is_announced { self.sandbox.clean_up_at } else { self.sandbox.announced_at() };
        // Never before the moment it is due: the aggregate compares finer.
        due.unix_timestamp() + i64::from(due.nanosecond() > 0)
    }
}

impl Organizations {
    pub(super) fn own(&mut self, organization: OrganizationId, site: SiteId) {
        self.known.get_or_insert_with(&organization, Default::default).sites.insert(site);
    }

    pub(super) fn disown(&mut self, organization: OrganizationId, site: SiteId) {
        if let Some(known) = self.known.get_mut(&organization) {
            known.sites.remove(&site);
            known.missed.remove(&site);
        }
    }

    /// Whether no push of it is built now.
    pub(crate) fn is_suspended(&self, organization: OrganizationId) -> bool {
        self.known.get(&organization).is_some_and(|known| known.is_suspended)
    }

    /// It has another sandbox, or none.
    fn put(&mut self, id: OrganizationId, sandbox: Option<KnownSandbox>) {
        let known = self.known.get_or_insert_with(&id, Default::default);
        if let Some(former) = &known.sandbox {
            self.due.remove(&(former.due_s(), id));
        }
        if let Some(present) = &sandbox {
            self.due.insert((present.due_s(), id));
        }
        known.sandbox = sandbox;
    }

    fn is_next(&mut self, id: OrganizationId, clean_up_at: OffsetDateTime, is_announced: bool, origin: Origin) {
        let Some(sandbox) = self.known.get(&id).and_then(|known| known.sandbox.clone()) else { return };
        let sandbox = Sandbox { clean_up_at, ..sandbox.sandbox };
        self.put(id, Some(KnownSandbox { sandbox, is_announced, origin }));
    }
}

impl Queue {
    pub(super) fn apply_organization(&mut self, recorded: &Recorded, fact: &OrganizationEvent) {
        let Ok(id) = recorded.envelope.subject.parse::<OrganizationId>() else { return };
        match fact {
            OrganizationEvent::Suspended { .. } => self.suspend(id),
            OrganizationEvent::Reinstated {} => self.reinstate(id, recorded),
            OrganizationEvent::LimitsChanged { limits } => match limits.builds {
                Some(max) => drop(self.organizations.caps.insert(id, max as usize)),
                None => drop(self.organizations.caps.remove(&id)),
            },
            OrganizationEvent::SandboxBegun(sandbox) => {
                let origin = Origin::from(recorded);
                let sandbox = KnownSandbox { sandbox: *sandbox, is_announced: false, origin };
                self.organizations.put(id, Some(sandbox));
            }
            OrganizationEvent::SandboxEnded {} => self.organizations.put(id, None),
            OrganizationEvent::CleanUpAnnounced { clean_up_at } => {
                self.organizations.is_next(id, *clean_up_at, true, Origin::from(recorded));
            }
            OrganizationEvent::CleanedUp { clean_up_at } => {
                self.organizations.is_next(id, *clean_up_at, false, Origin::from(recorded));
            }
            OrganizationEvent::Created { .. }
            | OrganizationEvent::Renamed { .. }
            | OrganizationEvent::MemberAdded { .. }
            | OrganizationEvent::MemberRoleChanged { .. }
            | OrganizationEvent::MemberRemoved { .. } => {}
        }
    }

    /// What waits is ended, what runs goes on.
    fn suspend(&mut self, id: OrganizationId) {
        let known = self.organizations.known.get_or_insert_with(&id, Default::default);
        known.is_suspended = true;
        let sites = known.sites.clone();
        let builds: Vec<BuildId> = sites.into_iter().flat_map(|site| self.open.of_site(site)).collect();
        for build in builds {
            let waits = self.builds.get(&build).is_some_and(|known| known.progress == Progress::Queued);
            if waits && !self.ends.contains_key(&build) {
                self.end(build, End::Suspended);
            }
        }
    }

    /// What was pushed meanwhile is built now.
    fn reinstate(&mut self, id: OrganizationId, recorded: &Recorded) {
        let Some(known) = self.organizations.known.get_mut(&id) else { return };
        known.is_suspended = false;
        for site in std::mem::take(&mut known.missed) {
            self.wish_new_source(site, "First build after the suspension", recorded);
        }
    }

    /// A push arrived: it is remembered if it is not built because of a suspension.
    pub(super) fn remember_missed(&mut self, site: SiteId, branch: &events::Branch) {
        let Some(known) = self.sites.get(&site) else { return };
        if known.settings.branch != *branch || !self.organizations.is_suspended(known.organization) {
            return;
        }
        if let Some(organization) = self.organizations.known.get_mut(&known.organization) {
            organization.missed.insert(site);
        }
    }
}
