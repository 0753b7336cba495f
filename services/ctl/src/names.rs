//! What sites are called: facts name them by their ids, people by their names.

use anyhow::Result;
use events::{Host, Recorded, Site, SiteId};
use runtime::Log;
use std::collections::HashMap;

/// The names of sites, each looked up once.
pub(crate) struct Names<'a> {
    log: &'a Log,
    known: HashMap<SiteId, Option<String>>,
}

impl<'a> Names<'a> {
    pub(crate) fn new(log: &'a Log) -> Self {
        Self { log, known: HashMap::new() }
    }

    /// What the site of a fact is called now; none if it belongs to none or its site is gone.
    pub(crate) async fn of(&mut self, recorded: &Recorded) -> Result<Option<String>> {
        let Some(site) = recorded.site() else { return Ok(None) };
        if let Some(name) = self.known.get(&site) {
            return Ok(name.clone());
        }
        let name = match self.log.load::<Site>(&site.to_string()).await?.state {
            Site::Active(active) => Some(active.name.to_string()),
            Site::Unknown | Site::Deleted(_) | Site::Erased(_) => None,
        };
        self.known.insert(site, name.clone());
        Ok(name)
    }
}

/// The site that is called so, or that has this id.
pub(crate) async fn find(log: &Log, site: &str) -> Result<Option<SiteId>> {
    match site.parse() {
        Ok(id) => Ok(Some(id)),
        Err(_) => Ok(log.load::<Host>(site).await?.state.site()),
    }
}
