//! The hosts below the sites' domain: which site each shows.

use crate::Error;
use crate::copy::{Rows, Table};
use crate::table::{Keys, Row};
use events::{Event, HostEvent, Recorded, SiteId, SiteName};
use serde::Deserialize;

/// A host as it is now. One that was released keeps its row, so that an old name still finds its site.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Host {
    label: SiteName,
    site: SiteId,
    released: bool,
}

/// Which host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    label: SiteName,
}

impl Row for Host {
    const TABLE: Table = Table { name: "hosts", columns: &["label", "site", "released"] };
    const KEY: &'static [&'static str] = &["label"];
    type Key = Key;

    fn key(&self) -> Key {
        Key { label: self.label.clone() }
    }

    fn columns(keys: &[&Key]) -> Vec<Keys> {
        vec![Keys::Texts(keys.iter().map(|key| key.label.to_string()).collect())]
    }

    fn touched(recorded: &Recorded) -> Result<Option<Key>, Error> {
        if matches!(recorded.event, Event::Host(_)) {
            named(recorded).map(|label| Some(Key { label }))
        } else {
            Ok(None)
        }
    }

    fn fold(row: Option<Self>, recorded: &Recorded) -> Option<Self> {
        let Event::Host(fact) = &recorded.event else { return row };
        let (site, released) = match fact {
            HostEvent::Claimed { site, .. } => (*site, false),
            HostEvent::Released { site, .. } => (*site, true),
        };
        Some(Self { label: named(recorded).ok()?, site, released })
    }

    fn write(&self, rows: &mut Rows) {
        rows.row().put(&self.label).put(&self.site).put(&self.released);
    }
}

/// The host a fact about a host is about.
fn named(recorded: &Recorded) -> Result<SiteName, Error> {
    let subject = &recorded.envelope.subject;
    subject.parse().map_err(|_| Error::Subject { aggregate: "host", subject: subject.clone() })
}
