//! The organizations: who owns sites.

use crate::Error;
use crate::copy::{Rows, Table};
use crate::table::{Keys, Row};
use events::{Event, OrganizationEvent, OrganizationId, OrganizationName, Recorded};
use serde::Deserialize;
use time::OffsetDateTime;

/// An organization as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Organization {
    id: OrganizationId,
    name: OrganizationName,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

/// Which organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    id: OrganizationId,
}

impl Row for Organization {
    const TABLE: Table = Table { name: "organizations", columns: &["id", "name", "created_at"] };
    const KEY: &'static [&'static str] = &["id"];
    type Key = Key;

    fn key(&self) -> Key {
        Key { id: self.id }
    }

    fn columns(keys: &[&Key]) -> Vec<Keys> {
        vec![Keys::Uuids(keys.iter().map(|key| key.id.0).collect())]
    }

    fn touched(recorded: &Recorded) -> Result<Option<Key>, Error> {
        if matches!(recorded.event, Event::Organization(_)) {
            named(recorded).map(|id| Some(Key { id }))
        } else {
            Ok(None)
        }
    }

    fn fold(row: Option<Self>, recorded: &Recorded) -> Option<Self> {
        let Event::Organization(OrganizationEvent::Created { name }) = &recorded.event else { return row };
        row.or(Some(Self { id: named(recorded).ok()?, name: name.clone(), created_at: recorded.envelope.time }))
    }

    fn write(&self, rows: &mut Rows) {
        rows.row().put(&self.id).put(&self.name).put(&self.created_at);
    }
}

/// The organization a fact about an organization is about.
fn named(recorded: &Recorded) -> Result<OrganizationId, Error> {
    let subject = &recorded.envelope.subject;
    subject.parse().map_err(|_| Error::Subject { aggregate: "organization", subject: subject.clone() })
}
