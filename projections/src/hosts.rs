//! The hosts below the sites' domain: which site each shows.

use crate::Error;
use crate::copy::{Rows, Table};
use crate::model::{self, Model};
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

impl Model {
    /// The site whose host this is, by its present name or by one of before; none for a host that was given up.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn host(&self, label: &SiteName) -> Result<Option<SiteId>, Error> {
        let text = "SELECT to_json(site) FROM @.hosts WHERE label = $1 AND NOT released";
        let query: model::Rows<'_, SiteId> = sqlx::query_scalar(self.sql(text));
        self.one("read a host", query.bind(label.as_str())).await
    }
}

/// The host a fact about a host is about.
fn named(recorded: &Recorded) -> Result<SiteName, Error> {
    let subject = &recorded.envelope.subject;
    subject.parse().map_err(|_| Error::Subject { aggregate: "host", subject: subject.clone() })
}
