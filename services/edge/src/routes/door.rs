//! Who may pass where a site is shown, as its people want it.

use super::{Routes, SiteRoutes};
use events::access::{Hosts, Mode, PasswordHash, ShareLink};
use events::{AliasName, HostLabel, LinkId, SiteId};
use std::collections::BTreeMap;

/// What stands between a reader and a site on one host.
#[derive(Debug)]
pub(crate) struct Door<'t> {
    pub(crate) site: SiteId,
    pub(crate) mode: Mode,
    /// What is kept of the password that opens it. Without one, nothing does.
    pub(crate) hash: Option<&'t PasswordHash>,
    /// Whether the host is a former one, which leads to the present one and has nothing of its own to open.
    pub(crate) is_former: bool,
    /// What is shown there: of an own host of a deploy, whatever shows or lately showed the deploy.
    shown: Vec<&'t AliasName>,
    links: &'t BTreeMap<LinkId, ShareLink>,
}

impl Routes {
    /// The door of the host with this first label, in lower case; none where there is no site.
    pub(crate) fn door(&self, label: &str) -> Option<Door<'_>> {
        let HostLabel { site: name, prefix } = HostLabel::parse(label)?;
        let id = *self.hosts.get(&name)?;
        let door = self.door_of(id, prefix.as_deref().unwrap_or_default())?;
        let present = self.sites.get(&id)?.name.as_ref();
        Some(Door { is_former: present.is_some_and(|present| *present != name), ..door })
    }

    /// The door of what a site shows live, on whichever host that is asked for.
    pub(crate) fn live_door(&self, id: SiteId) -> Option<Door<'_>> {
        self.door_of(id, "")
    }

    fn door_of(&self, id: SiteId, prefix: &str) -> Option<Door<'_>> {
        let site = self.sites.get(&id).filter(|site| !site.deleted)?;
        let shown = site.shown_at(prefix);
        // What nothing shows any more may have been made for either: the strictest is safe. Of two as strict, previews' is meant.
        let of = |hosts: &Hosts| shown.is_empty() || shown.iter().any(|alias| Hosts::of(alias) == *hosts);
        let to = |hosts: &Hosts| site.serving.access.to(*hosts);
        let hosts = Hosts::ALL.into_iter().filter(of).max_by_key(to)?;
        let (mode, hash, links) = (to(&hosts), site.passwords.get(&hosts), &site.links);
        Some(Door { site: id, mode, hash, is_former: false, shown, links })
    }
}

impl SiteRoutes {
    /// What is shown on the host that has this before the site's name.
    fn shown_at(&self, prefix: &str) -> Vec<&AliasName> {
        match self.slots.get(prefix) {
            Some(slot) => vec![&slot.alias],
            None if prefix.is_empty() => vec![&AliasName::Live],
            None => self.slots.values().filter(|slot| slot.knows(prefix)).map(|slot| &slot.alias).collect(),
        }
    }
}

impl Door<'_> {
    /// A share link that leads through here now, if there is one with this id.
    pub(crate) fn link(&self, link: LinkId, now: i64) -> Option<&ShareLink> {
        let covers = |link: &&ShareLink| link.alias.is_none() || self.shown.iter().any(|alias| link.covers(alias));
        self.links.get(&link).filter(|link| link.expires_at.unix_timestamp() > now).filter(covers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use uuid::Uuid;

    const LIVE: &str = "aaaaaaaaaaaa";
    const PLAN: &str = "bbbbbbbbbbbb";
    const FORMER: &str = "cccccccccccc";

    fn routes(live: &str, preview: &str) -> Routes {
        let slot = |alias: &str, shown: &str| json!({ "alias": alias, "shown": shown, "next": null });
        let mut live_slot = slot("live", LIVE);
        live_slot["former"] = json!([{ "deploy": FORMER, "until": 0 }]);
        let site = json!({
            "deleted": false, "erased": false, "name": "docs",
            "serving": { "access": { "live": live, "preview": preview } },
            "slots": { "": live_slot, "demo": slot("demo", PLAN), "plan": slot("preview/plan", PLAN) },
        });
        let id = Uuid::from_u128(1).to_string();
        serde_json::from_value(json!({ "hosts": { "docs": id, "guide": id }, "sites": { id: site } })).unwrap()
    }

    #[test]
    fn every_host_of_a_site_has_the_rule_of_what_it_shows_and_the_strictest_where_that_is_not_known() {
        let unknown = "dddddddddddd--docs";
        for (live, preview, label, expected) in [
            ("public", "link", "docs", "public"),
            ("public", "link", "plan--docs", "link"),
            ("public", "link", "demo--docs", "link"),
            ("password", "public", "docs", "password"),
            ("password", "public", "plan--docs", "public"),
            ("public", "link", &format!("{LIVE}--docs"), "public"),
            ("public", "link", &format!("{FORMER}--docs"), "public"),
            ("public", "link", &format!("{PLAN}--docs"), "link"),
            ("link", "public", &format!("{LIVE}--docs"), "link"),
            ("public", "members", unknown, "members"),
            ("link", "password", unknown, "link"),
            ("password", "public", "nothing--docs", "password"),
            ("public", "link", "plan--guide", "link"),
        ] {
            let routes = routes(live, preview);
            let door = routes.door(label).unwrap();
            assert_eq!(door.mode.to_string(), expected, "{live} {preview} {label}");
            assert_eq!(door.is_former, label.ends_with("guide"));
        }
        assert!(routes("link", "link").door("other").is_none());
    }
}
