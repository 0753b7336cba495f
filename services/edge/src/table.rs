//! The table as the log makes it, with what happened to it since it was last in service.

use crate::routes::Routes;
use events::event::Purge;
use events::{Event, Recorded, SiteEvent, SiteId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::mpsc;

/// What the edge folds of the log: routes, and which of them to look at. A copy is cheap.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Table {
    routes: Routes,
    /// What [`Table::news`] will tell.
    #[serde(skip)]
    news: BTreeSet<SiteId>,
    /// What [`Table::purges`] will tell.
    #[serde(skip)]
    purges: BTreeMap<Purged, i64>,
}

/// Where purges are told as they are heard: each with its moment, in seconds of Unix time.
pub(crate) type Purges = mpsc::UnboundedSender<BTreeMap<Purged, i64>>;

/// Pages of a site that somebody had asked for again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Purged {
    pub(crate) site: SiteId,
    pub(crate) pages: Purge,
}

impl Table {
    /// A table that nobody has looked at.
    pub(crate) fn of(routes: Routes) -> Self {
        let news = routes.waiting().map(|waiting| waiting.site).collect();
        Self { routes, news, purges: BTreeMap::new() }
    }

    /// Takes in a fact; answers whether it concerns the table.
    pub(crate) fn apply(&mut self, recorded: &Recorded) -> bool {
        let concerns = Routes::concerns(&recorded.event);
        if concerns {
            self.news.extend(self.routes.apply(recorded));
        }
        if let Event::Site(SiteEvent::Purged(pages)) = &recorded.event
            && let Ok(site) = recorded.envelope.subject.parse()
        {
            let at_s = recorded.envelope.time.unix_timestamp();
            self.purges.insert(Purged { site, pages: pages.clone() }, at_s);
        }
        concerns
    }

    pub(crate) const fn routes(&self) -> &Routes {
        &self.routes
    }

    pub(crate) const fn routes_mut(&mut self) -> &mut Routes {
        &mut self.routes
    }

    pub(crate) fn has_news(&self) -> bool {
        !self.news.is_empty()
    }

    pub(crate) fn has_purges(&self) -> bool {
        !self.purges.is_empty()
    }

    /// What was purged and when, in seconds of Unix time, since this was asked last.
    pub(crate) fn purges(&mut self) -> BTreeMap<Purged, i64> {
        std::mem::take(&mut self.purges)
    }

    /// The sites of which something waits or no longer waits to be shown, since this was asked last.
    pub fn news(&mut self) -> BTreeSet<SiteId> {
        std::mem::take(&mut self.news)
    }
}
