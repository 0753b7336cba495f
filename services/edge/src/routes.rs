//! The route table: which deploy each host shows. A pure fold of the log, of which a fact changes no more than its site.
//!
//! A host belongs to a site by a claim. A site that was renamed holds its former hosts too, and they lead to the present
//! one.
//!
//! A promotion does not switch a host at once: the deploy waits in `next` until the edge has its manifest and
//! [`Routes::admit`]s it, so that a promotion never takes a page away.

mod apply;
mod domains;
mod door;

use answers::{FORMER_MAX, FORMER_SECONDS, Found, Leading};
use events::access::Passwords;
use events::event::Serving;
use events::{AliasName, DeployId, HostLabel, LinkId, ShareLink, SiteId, SiteName};
use runtime::fold::Map;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) use domains::{Certificate, Domain};
pub(crate) use door::Door;

/// A copy is cheap: readers keep one while the log goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Routes {
    /// Whose each claimed host is.
    hosts: Map<SiteName, SiteId>,
    sites: Map<SiteId, SiteRoutes>,
    /// Where paths of hosts lead, before any site is asked.
    #[serde(default)]
    leading: Leading,
    /// Names that are other people's, whether or not they show anything.
    #[serde(default)]
    domains: Map<Box<str>, domains::Named>,
    /// What proves names to the authority that issues certificates.
    #[serde(default)]
    responder: Option<String>,
}

/// What makes one table of another: what there is now, or that there is nothing any more.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Changes {
    hosts: BTreeMap<SiteName, Option<SiteId>>,
    sites: BTreeMap<SiteId, Option<SiteRoutes>>,
    #[serde(default)]
    leading: answers::Changes,
    #[serde(default)]
    domains: BTreeMap<Box<str>, Option<domains::Named>>,
    /// As it is; nothing before there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    responder: Option<String>,
}

/// A deleted site stays as it is, for it may be restored; one that is erased stays known, for a fact that comes late must not
/// bring it back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct SiteRoutes {
    deleted: bool,
    erased: bool,
    /// What it is called; none before the log has said it.
    name: Option<SiteName>,
    /// How it answers.
    #[serde(default, skip_serializing_if = "Serving::is_default")]
    serving: Serving,
    /// What closed hosts open by.
    #[serde(default, skip_serializing_if = "Passwords::is_empty")]
    passwords: Passwords,
    /// What else opens them, until its time is over.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    links: BTreeMap<LinkId, ShareLink>,
    /// By what stands before the site's name in the host; empty for the live one.
    slots: BTreeMap<String, Slot>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Slot {
    alias: AliasName,
    shown: Option<DeployId>,
    next: Option<DeployId>,
    /// What it showed before, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former: Vec<Former>,
}

/// A deploy whose pages readers may still have open, and what those pages need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Former {
    deploy: DeployId,
    /// In seconds of Unix time.
    until: i64,
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
    pub(crate) serving: Serving,
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

impl Routes {
    /// Shows what waits on every host of the site that shows nothing, for there is no better answer to protect. From then
    /// on a reader may have seen it, so it stays until something newer is admitted; it waits on, to be kept for a restart.
    pub(crate) fn enter_service(&mut self, id: &SiteId) {
        let enters = |slot: &Slot| slot.shown.is_none() && slot.next.is_some();
        if !self.sites.get(id).is_some_and(|site| site.slots.values().any(enters)) {
            return;
        }
        for slot in self.sites.get_mut(id).into_iter().flat_map(|site| site.slots.values_mut()) {
            if slot.shown.is_none() {
                slot.shown.clone_from(&slot.next);
            }
        }
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
        let (deploy, kind) = match site.slots.get(prefix.as_deref().unwrap_or_default()) {
            Some(slot) => (slot.shown.clone()?, Kind::of(&slot.alias)),
            None => (prefix?.parse().ok()?, Kind::Deploy),
        };
        Some(Route::Shows(Target { site: id, deploy, kind, serving: site.serving }))
    }

    /// Whether a host has any routes.
    pub(crate) fn leads(&self, host: &str) -> bool {
        self.leading.has(host)
    }

    /// The route of a path on a host, which is given in lower case and without its port.
    pub(crate) fn led<'p>(&self, host: &str, path: &'p str) -> Option<Found<'_, 'p>> {
        self.leading.find(host, path)
    }

    /// What a site shows live, on whichever host that is asked for.
    pub(crate) fn live(&self, id: SiteId) -> Option<Target> {
        let site = self.sites.get(&id).filter(|site| !site.deleted)?;
        let deploy = site.slots.get("")?.shown.clone()?;
        Some(Target { site: id, deploy, kind: Kind::Live, serving: site.serving })
    }

    /// What a site showed live lately, as [`Self::former`] tells it of a host.
    pub(crate) fn former_live(&self, id: SiteId, now: i64) -> Vec<DeployId> {
        let slot = self.sites.get(&id).filter(|site| !site.deleted).and_then(|site| site.slots.get(""));
        slot.into_iter().flat_map(|slot| slot.former(now)).collect()
    }

    /// What the host with this first label showed lately, the newest first, at a moment in seconds of Unix time.
    pub(crate) fn former(&self, label: &str, now: i64) -> Vec<DeployId> {
        let slot = HostLabel::parse(label).and_then(|HostLabel { site: name, prefix }| {
            let site = self.sites.get(self.hosts.get(&name)?).filter(|site| !site.deleted)?;
            site.slots.get(prefix.as_deref().unwrap_or_default())
        });
        slot.into_iter().flat_map(|slot| slot.former(now)).collect()
    }

    /// What hosts of a site show, wait to show or showed lately: all of them, or the one with this before the site's name, which is
    /// empty for the live one.
    pub(crate) fn deploys_of(&self, id: &SiteId, prefix: Option<&str>) -> BTreeSet<DeployId> {
        let Some(site) = self.sites.get(id) else { return BTreeSet::new() };
        let slots = site.slots.iter().filter(|(of, _)| prefix.is_none_or(|prefix| prefix == *of));
        let shown = slots.flat_map(|(_, slot)| {
            let former = slot.former.iter().map(|former| &former.deploy);
            slot.shown.iter().chain(&slot.next).chain(former).cloned()
        });
        // The own host of a deploy.
        shown.chain(prefix.and_then(|prefix| prefix.parse().ok())).collect()
    }

    /// Everything that waits to be shown. Looks at everything.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = Waiting> {
        self.sites.iter().flat_map(|(id, site)| site.waiting(*id))
    }

    /// What of this site waits to be shown.
    pub(crate) fn waiting_of(&self, id: &SiteId) -> Vec<Waiting> {
        self.sites.get(id).into_iter().flat_map(|site| site.waiting(*id)).collect()
    }

    /// What makes this table of `earlier`. Costs what has changed between them if one was made of the other.
    pub(crate) fn changes_since(&self, earlier: &Self) -> Changes {
        let hosts = self.hosts.changes_since(&earlier.hosts).map(|(label, site)| (label.clone(), site.copied()));
        let sites = self.sites.changes_since(&earlier.sites).map(|(id, site)| (*id, site.cloned()));
        let leading = self.leading.changes_since(&earlier.leading);
        let domains = self.domains.changes_since(&earlier.domains).map(|(name, named)| (name.clone(), named.cloned()));
        Changes {
            hosts: hosts.collect(),
            sites: sites.collect(),
            leading,
            domains: domains.collect(),
            responder: self.responder.clone(),
        }
    }

    /// The table that [`Self::changes_since`] was asked of, made of the earlier one.
    pub(crate) fn change(&mut self, Changes { hosts, sites, leading, domains, responder }: Changes) {
        self.responder = responder;
        self.leading.change(leading);
        for (name, named) in domains {
            match named {
                Some(named) => self.domains.insert(name, named),
                None => drop(self.domains.remove(&name)),
            }
        }
        for (label, site) in hosts {
            match site {
                Some(site) => self.hosts.insert(label, site),
                None => drop(self.hosts.remove(&label)),
            }
        }
        for (id, site) in sites {
            match site {
                Some(site) => self.sites.insert(id, site),
                None => drop(self.sites.remove(&id)),
            }
        }
    }

    /// Shows what waited, unless the log has gone on to something else.
    pub(crate) fn admit(&mut self, waiting: &Waiting) {
        let waits = |site: &SiteRoutes| site.slots.get(&waiting.prefix).is_some_and(|slot| slot.next.is_some());
        if !self.sites.get(&waiting.site).is_some_and(waits) {
            return;
        }
        let site = self.sites.get_mut(&waiting.site);
        let Some(slot) = site.and_then(|site| site.slots.get_mut(&waiting.prefix)) else { return };
        if slot.next.as_ref() == Some(&waiting.deploy) {
            slot.shown = slot.next.take();
        }
    }

    /// Every deploy that is shown or waits.
    pub(crate) fn deploys(&self) -> impl Iterator<Item = (&SiteId, &DeployId)> {
        self.slots().flat_map(|(site, _, slot)| {
            let former = slot.former.iter().map(|former| &former.deploy);
            slot.shown.iter().chain(&slot.next).chain(former).map(move |deploy| (site, deploy))
        })
    }

    fn slots(&self) -> impl Iterator<Item = (&SiteId, &String, &Slot)> {
        self.sites.iter().flat_map(|(id, site)| site.slots.iter().map(move |(prefix, slot)| (id, prefix, slot)))
    }
}

impl Slot {
    /// Whether a deploy is shown, waits to be, or was shown lately.
    fn knows(&self, deploy: &str) -> bool {
        let former = self.former.iter().map(|former| &former.deploy);
        self.shown.iter().chain(&self.next).chain(former).any(|known| known.as_str() == deploy)
    }

    fn former(&self, now: i64) -> impl Iterator<Item = DeployId> {
        self.former.iter().filter(move |former| former.until > now).map(|former| former.deploy.clone())
    }

    /// Keeps what was shown until another is promoted, at this moment in seconds of Unix time, for those who read it. What
    /// that was the fact tells, so that an edge without a past knows as much as any.
    fn outdate(&mut self, previous: Option<&DeployId>, now: i64) {
        self.former.retain(|former| former.until > now && Some(&former.deploy) != previous);
        let previous = previous.map(|deploy| Former { deploy: deploy.clone(), until: now + FORMER_SECONDS });
        self.former.splice(0..0, previous);
        self.former.truncate(FORMER_MAX);
    }
}

impl SiteRoutes {
    fn waiting(&self, id: SiteId) -> impl Iterator<Item = Waiting> {
        self.slots.iter().filter_map(move |(prefix, slot)| {
            Some(Waiting { site: id, prefix: prefix.clone(), deploy: slot.next.clone()? })
        })
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
