//! The table as the log makes it, with what happened to it since it was last in service.

use crate::routes::Routes;
use events::{Recorded, SiteId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What the edge folds of the log: routes, and which of them to look at. A copy is cheap.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Table {
    routes: Routes,
    /// What [`Table::news`] will tell.
    #[serde(skip)]
    news: BTreeSet<SiteId>,
}

impl Table {
    /// A table that nobody has looked at.
    pub(crate) fn of(routes: Routes) -> Self {
        let news = routes.waiting().map(|waiting| waiting.site).collect();
        Self { routes, news }
    }

    /// Takes in a fact; answers whether it concerns the table.
    pub(crate) fn apply(&mut self, recorded: &Recorded) -> bool {
        let concerns = Routes::concerns(&recorded.event);
        if concerns {
            self.news.extend(self.routes.apply(recorded));
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

    /// The sites of which something waits or no longer waits to be shown, since this was asked last.
    pub fn news(&mut self) -> BTreeSet<SiteId> {
        std::mem::take(&mut self.news)
    }
}
