//! What each fact makes of the table.

use super::{Routes, SiteRoutes, Slot};
use events::{AliasEvent, Event, HostEvent, Recorded, SiteEvent, SiteId, SiteName};
use time::OffsetDateTime;

impl Routes {
    /// Whether [`Self::apply`] would look at it.
    pub(crate) fn concerns(event: &Event) -> bool {
        match event {
            Event::Site(_) | Event::Host(_) | Event::Route(_) | Event::Domain(_) | Event::Alias(_) => true,
            Event::Organization(_)
            | Event::Handle(_)
            | Event::User(_)
            | Event::Invitation(_)
            | Event::Identity(_)
            | Event::Token(_)
            | Event::Receiver(_)
            | Event::Notice(_)
            | Event::Repository(_)
            | Event::Build(_)
            | Event::Deploy(_) => false,
        }
    }

    /// Takes in a fact; answers the site of which it changes what waits to be shown.
    pub(crate) fn apply(&mut self, recorded: &Recorded) -> Option<SiteId> {
        match &recorded.event {
            Event::Site(fact) => self.apply_site(recorded.envelope.subject.parse().ok()?, fact, recorded.envelope.time),
            Event::Host(fact) => {
                self.apply_host(recorded.envelope.subject.parse().ok()?, fact);
                None
            }
            Event::Route(fact) => {
                self.leading.apply(fact);
                None
            }
            Event::Domain(fact) => {
                self.apply_domain(&recorded.envelope.subject, fact);
                None
            }
            Event::Alias(fact) => self.apply_alias(fact, recorded.envelope.time.unix_timestamp()),
            Event::Organization(_)
            | Event::Handle(_)
            | Event::User(_)
            | Event::Invitation(_)
            | Event::Identity(_)
            | Event::Token(_)
            | Event::Receiver(_)
            | Event::Notice(_)
            | Event::Repository(_)
            | Event::Build(_)
            | Event::Deploy(_) => None,
        }
    }

    fn apply_site(&mut self, id: SiteId, fact: &SiteEvent, at: OffsetDateTime) -> Option<SiteId> {
        match fact {
            SiteEvent::Created { name, settings, .. } => {
                let site = self.sites.get_or_insert_with(&id, SiteRoutes::default);
                (site.name, site.serving) = (Some(name.clone()), settings.serving);
                None
            }
            SiteEvent::Renamed { name, .. } => {
                self.sites.get_or_insert_with(&id, SiteRoutes::default).name = Some(name.clone());
                None
            }
            SiteEvent::SettingsChanged { settings } => {
                // Most settings are no concern of readers: what they change is not written down again.
                if self.sites.get(&id).is_none_or(|site| site.serving != settings.serving) {
                    self.sites.get_or_insert_with(&id, SiteRoutes::default).serving = settings.serving;
                }
                None
            }
            SiteEvent::PasswordSet { hosts, hash } => {
                let site = self.sites.get_or_insert_with(&id, SiteRoutes::default);
                site.passwords.insert(*hosts, hash.clone());
                None
            }
            SiteEvent::ShareLinkMade(link) => {
                let site = self.sites.get_or_insert_with(&id, SiteRoutes::default);
                site.links.retain(|_, other| other.expires_at > at);
                site.links.insert(link.link, link.clone());
                None
            }
            SiteEvent::ShareLinkRevoked { link } => {
                self.sites.get_mut(&id)?.links.remove(link);
                None
            }
            SiteEvent::WebhookSecretRotated { .. }
            | SiteEvent::WebhookPinged {}
            | SiteEvent::VariableSet { .. }
            | SiteEvent::VariableRemoved { .. }
            | SiteEvent::DeployKeyMade { .. }
            | SiteEvent::DeployKeyRemoved {}
            | SiteEvent::SourceTokenSet { .. }
            | SiteEvent::SourceTokenRemoved {}
            | SiteEvent::Purged(_) => None,
            SiteEvent::Deleted {} => {
                self.sites.get_or_insert_with(&id, SiteRoutes::default).deleted = true;
                Some(id)
            }
            SiteEvent::Restored { name, .. } => {
                let site = self.sites.get_or_insert_with(&id, SiteRoutes::default);
                (site.deleted, site.name) = (false, Some(name.clone()));
                Some(id)
            }
            SiteEvent::Erased {} => {
                self.sites.insert(id, SiteRoutes { deleted: true, erased: true, ..SiteRoutes::default() });
                Some(id)
            }
        }
    }

    fn apply_host(&mut self, label: SiteName, fact: &HostEvent) {
        match fact {
            HostEvent::Claimed { site, .. } => self.hosts.insert(label, *site),
            HostEvent::Released { .. } => drop(self.hosts.remove(&label)),
        }
    }

    fn apply_alias(&mut self, fact: &AliasEvent, now: i64) -> Option<SiteId> {
        match fact {
            AliasEvent::Promoted { site: id, alias, deploy, previous, .. } => {
                let site = self.sites.get_or_insert_with(id, SiteRoutes::default);
                if site.erased {
                    return None;
                }
                let slot = || Slot { alias: alias.clone(), shown: None, next: None, former: Vec::new() };
                let slot = site.slots.entry(alias.host_prefix().unwrap_or_default()).or_insert_with(slot);
                slot.outdate(previous.as_ref().filter(|previous| *previous != deploy), now);
                slot.next = Some(deploy.clone());
                Some(*id)
            }
            AliasEvent::Removed { site: id, alias, .. } => {
                self.sites.get_mut(id)?.slots.remove(&alias.host_prefix().unwrap_or_default());
                Some(*id)
            }
            AliasEvent::Locked { .. } | AliasEvent::Unlocked { .. } => None,
        }
    }
}
