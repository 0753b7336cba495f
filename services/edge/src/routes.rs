//! The route table: which deploy each host shows. A pure fold of the log.
//!
//! A host belongs to a site by a claim. A site that was renamed holds its former hosts too, and they lead to the present
//! one.
//!
//! A promotion does not switch a host at once: the deploy waits in `next` until the edge has its manifest and
//! [`Routes::admit`]s it, so that a promotion never takes a page away.

use events::{AliasEvent, AliasName, DeployId, Event, HostEvent, HostLabel, Recorded, SiteEvent, SiteId, SiteName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the table's shape in a snapshot.
pub(crate) const VERSION: u32 = 2;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Routes {
    /// Whose each claimed host is.
    hosts: BTreeMap<SiteName, SiteId>,
    sites: BTreeMap<SiteId, Site>,
}

/// A deleted site stays known, for a fact that comes late must not bring it back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Site {
    deleted: bool,
    /// What it is called; none before the log has said it.
    name: Option<SiteName>,
    /// By what stands before the site's name in the host; empty for the live one.
    slots: BTreeMap<String, Slot>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Slot {
    alias: AliasName,
    shown: Option<DeployId>,
    next: Option<DeployId>,
}

/// What a host leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// A deploy of its site.
    Shows(Target),
    /// The host of the site's present name, by its first label.
    Moved(String),
}

/// What a host shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) site: SiteId,
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
    pub(crate) site: SiteId,
    /// What stands before the site's name in the host; empty for the live one.
    pub(crate) prefix: String,
    pub(crate) deploy: DeployId,
}

impl Waiting {
    /// Which host it waits for.
    pub(crate) fn place(&self) -> (SiteId, String) {
        (self.site, self.prefix.clone())
    }
}

impl Routes {
    /// Whether [`Self::apply`] would look at it.
    pub(crate) fn concerns(event: &Event) -> bool {
        match event {
            Event::Site(_) | Event::Host(_) | Event::Alias(_) => true,
            Event::Organization(_) | Event::Handle(_) | Event::Repository(_) | Event::Build(_) | Event::Deploy(_) => {
                false
            }
        }
    }

    pub(crate) fn apply(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::Site(fact) => {
                if let Ok(site) = recorded.envelope.subject.parse() {
                    self.apply_site(site, fact);
                }
            }
            Event::Host(fact) => {
                if let Ok(label) = recorded.envelope.subject.parse() {
                    self.apply_host(label, fact);
                }
            }
            Event::Alias(fact) => self.apply_alias(fact),
            Event::Organization(_) | Event::Handle(_) | Event::Repository(_) | Event::Build(_) | Event::Deploy(_) => {}
        }
    }

    fn apply_site(&mut self, id: SiteId, fact: &SiteEvent) {
        let site = self.sites.entry(id).or_default();
        match fact {
            SiteEvent::Created { name, .. } | SiteEvent::Renamed { name, .. } => site.name = Some(name.clone()),
            SiteEvent::SettingsChanged { .. } => {}
            SiteEvent::Deleted {} => *site = Site { deleted: true, ..Site::default() },
        }
    }

    fn apply_host(&mut self, label: SiteName, fact: &HostEvent) {
        match fact {
            HostEvent::Claimed { site, .. } => self.hosts.insert(label, *site),
            HostEvent::Released { .. } => self.hosts.remove(&label),
        };
    }

    fn apply_alias(&mut self, fact: &AliasEvent) {
        match fact {
            AliasEvent::Promoted { site, alias, deploy, .. } => {
                let site = self.sites.entry(*site).or_default();
                if !site.deleted {
                    let slot = || Slot { alias: alias.clone(), shown: None, next: None };
                    let slot = site.slots.entry(alias.host_prefix().unwrap_or_default()).or_insert_with(slot);
                    slot.next = Some(deploy.clone());
                }
            }
            AliasEvent::Removed { site, alias, .. } => {
                if let Some(site) = self.sites.get_mut(site) {
                    site.slots.remove(&alias.host_prefix().unwrap_or_default());
                }
            }
        }
    }

    /// Shows what waits on every host that shows nothing, for there is no better answer to protect. From then on a
    /// reader may have seen it, so it stays until something newer is admitted; it waits on, to be kept for a restart.
    pub(crate) fn enter_service(&mut self) {
        for slot in self.sites.values_mut().flat_map(|site| site.slots.values_mut()) {
            if slot.shown.is_none() {
                slot.shown.clone_from(&slot.next);
            }
        }
    }

    /// Whether [`Self::enter_service`] would show anything.
    pub(crate) fn has_new(&self) -> bool {
        self.slots().any(|(_, _, slot)| slot.shown.is_none() && slot.next.is_some())
    }

    /// What the host with this first label leads to, given in lower case.
    pub(crate) fn resolve(&self, label: &str) -> Option<Route> {
        let HostLabel { site: name, prefix } = HostLabel::parse(label)?;
        let id = *self.hosts.get(&name)?;
        let site = self.sites.get(&id).filter(|site| !site.deleted)?;
        if let Some(present) = site.name.as_ref().filter(|present| **present != name) {
            return Some(Route::Moved(
                prefix.map_or_else(|| present.to_string(), |prefix| format!("{prefix}--{present}")),
            ));
        }
        let target = match site.slots.get(prefix.as_deref().unwrap_or_default()) {
            Some(slot) => Target { site: id, deploy: slot.shown.clone()?, kind: Kind::of(&slot.alias) },
            None => Target { site: id, deploy: prefix?.parse().ok()?, kind: Kind::Deploy },
        };
        Some(Route::Shows(target))
    }

    /// Everything that waits to be shown.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = Waiting> {
        self.slots().filter_map(|(site, prefix, slot)| {
            let deploy = slot.next.clone()?;
            Some(Waiting { site: *site, prefix: prefix.clone(), deploy })
        })
    }

    /// Shows what waited, unless the log has gone on to something else.
    pub(crate) fn admit(&mut self, waiting: &Waiting) {
        let site = self.sites.get_mut(&waiting.site);
        let Some(slot) = site.and_then(|site| site.slots.get_mut(&waiting.prefix)) else { return };
        if slot.next.as_ref() == Some(&waiting.deploy) {
            slot.shown = slot.next.take();
        }
    }

    /// Every deploy that is shown or waits.
    pub(crate) fn deploys(&self) -> impl Iterator<Item = (&SiteId, &DeployId)> {
        self.slots().flat_map(|(site, _, slot)| slot.shown.iter().chain(&slot.next).map(move |deploy| (site, deploy)))
    }

    fn slots(&self) -> impl Iterator<Item = (&SiteId, &String, &Slot)> {
        self.sites.iter().flat_map(|(id, site)| site.slots.iter().map(move |(prefix, slot)| (id, prefix, slot)))
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
