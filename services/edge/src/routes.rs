//! The route table: which deploy each host shows. A pure fold of the log.
//!
//! A promotion does not switch a host at once: the deploy waits in `next` until the edge has its manifest and
//! [`Routes::admit`]s it, so that a promotion never takes a page away.

use events::{AliasEvent, AliasName, DeployId, Event, HostLabel, Recorded, SiteEvent, SiteName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the table's shape in a snapshot.
pub(crate) const VERSION: u32 = 2;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Routes {
    sites: BTreeMap<SiteName, Site>,
}

/// A deleted site stays known, for a fact that comes late must not bring it back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Site {
    deleted: bool,
    /// By the first label of the host.
    hosts: BTreeMap<String, Slot>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Slot {
    alias: AliasName,
    shown: Option<DeployId>,
    next: Option<DeployId>,
}

/// What a host shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) site: SiteName,
    pub(crate) deploy: DeployId,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Live,
    Demo,
    Preview,
    /// One deploy for ever, by its id.
    Deploy,
}

/// A deploy that was promoted and whose manifest the edge does not keep yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) site: SiteName,
    /// The first label of the host.
    pub(crate) host: String,
    pub(crate) deploy: DeployId,
}

impl Routes {
    /// Whether [`Self::apply`] would look at it.
    pub(crate) fn concerns(event: &Event) -> bool {
        match event {
            Event::Site(_) | Event::Alias(_) => true,
            Event::Repository(_) | Event::Build(_) | Event::Deploy(_) => false,
        }
    }

    pub(crate) fn apply(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::Site(fact) => {
                if let Ok(site) = recorded.envelope.subject.parse() {
                    self.apply_site(site, fact);
                }
            }
            Event::Alias(fact) => self.apply_alias(fact),
            Event::Repository(_) | Event::Build(_) | Event::Deploy(_) => {}
        }
    }

    fn apply_site(&mut self, name: SiteName, fact: &SiteEvent) {
        match fact {
            SiteEvent::Created { .. } => {
                self.sites.entry(name).or_default();
            }
            SiteEvent::BuildRequested { .. } => {}
            SiteEvent::Deleted {} => {
                self.sites.insert(name, Site { deleted: true, hosts: BTreeMap::new() });
            }
        }
    }

    fn apply_alias(&mut self, fact: &AliasEvent) {
        match fact {
            AliasEvent::Promoted { site: name, alias, deploy, .. } => {
                let site = self.sites.entry(name.clone()).or_default();
                if !site.deleted {
                    let slot = || Slot { alias: alias.clone(), shown: None, next: None };
                    let slot = site.hosts.entry(alias.host_label(name)).or_insert_with(slot);
                    slot.next = Some(deploy.clone());
                }
            }
            AliasEvent::Removed { site: name, alias, .. } => {
                if let Some(site) = self.sites.get_mut(name) {
                    site.hosts.remove(&alias.host_label(name));
                }
            }
        }
    }

    /// Shows what waits on every host that shows nothing, for there is no better answer to protect. From then on a
    /// reader may have seen it, so it stays until something newer is admitted; it waits on, to be kept for a restart.
    pub(crate) fn enter_service(&mut self) {
        for slot in self.sites.values_mut().flat_map(|site| site.hosts.values_mut()) {
            if slot.shown.is_none() {
                slot.shown.clone_from(&slot.next);
            }
        }
    }

    /// Whether [`Self::enter_service`] would show anything.
    pub(crate) fn has_new(&self) -> bool {
        self.slots().any(|(_, _, slot)| slot.shown.is_none() && slot.next.is_some())
    }

    /// What the host with this first label shows, given in lower case.
    pub(crate) fn resolve(&self, label: &str) -> Option<Target> {
        let HostLabel { site: name, prefix } = HostLabel::parse(label)?;
        let site = self.sites.get(&name).filter(|site| !site.deleted)?;
        if let Some(slot) = site.hosts.get(label) {
            let deploy = slot.shown.clone()?;
            return Some(Target { site: name, deploy, kind: Kind::of(&slot.alias) });
        }
        let deploy = prefix?.parse().ok()?;
        Some(Target { site: name, deploy, kind: Kind::Deploy })
    }

    /// Everything that waits to be shown.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = Waiting> {
        self.slots().filter_map(|(site, host, slot)| {
            let deploy = slot.next.clone()?;
            Some(Waiting { site: site.clone(), host: host.clone(), deploy })
        })
    }

    /// Shows what waited, unless the log has gone on to something else.
    pub(crate) fn admit(&mut self, waiting: &Waiting) {
        let site = self.sites.get_mut(&waiting.site);
        let Some(slot) = site.and_then(|site| site.hosts.get_mut(&waiting.host)) else { return };
        if slot.next.as_ref() == Some(&waiting.deploy) {
            slot.shown = slot.next.take();
        }
    }

    /// Every deploy that is shown or waits.
    pub(crate) fn deploys(&self) -> impl Iterator<Item = (&SiteName, &DeployId)> {
        self.slots().flat_map(|(site, _, slot)| slot.shown.iter().chain(&slot.next).map(move |deploy| (site, deploy)))
    }

    fn slots(&self) -> impl Iterator<Item = (&SiteName, &String, &Slot)> {
        self.sites.iter().flat_map(|(name, site)| site.hosts.iter().map(move |(host, slot)| (name, host, slot)))
    }
}

impl Kind {
    fn of(alias: &AliasName) -> Self {
        match alias {
            AliasName::Live => Self::Live,
            AliasName::Demo => Self::Demo,
            AliasName::Preview(_) => Self::Preview,
        }
    }
}

#[cfg(test)]
mod tests;
