//! The organizations: who owns sites.

use crate::copy::{Rows, Table};
use crate::model::{self, Model, page};
use crate::table::{Keys, Row};
use crate::{Error, Sight};
use events::{Actor, Event, OrganizationEvent, OrganizationId, OrganizationName, Recorded};
use serde::Deserialize;
use time::OffsetDateTime;

/// An organization as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OrganizationRow {
    /// Its identity.
    pub id: OrganizationId,
    /// What it is called.
    pub name: OrganizationName,
    /// How many facts have shaped it, from 1.
    pub version: u64,
    /// When it was created.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Who created it.
    pub created_by: Actor,
}

/// Which organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    id: OrganizationId,
}

impl Row for OrganizationRow {
    const TABLE: Table =
        Table { name: "organizations", columns: &["id", "name", "version", "created_at", "created_by"] };
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
        let Event::Organization(fact) = &recorded.event else { return row };
        match (row, fact) {
            (None, OrganizationEvent::Created { name }) => Some(Self {
                id: named(recorded).ok()?,
                name: name.clone(),
                version: 1,
                created_at: recorded.envelope.time,
                created_by: recorded.envelope.actor.clone(),
            }),
            (Some(known), OrganizationEvent::Renamed { name, .. }) => {
                Some(Self { name: name.clone(), version: known.version + 1, ..known })
            }
            (
                row,
                OrganizationEvent::Created { .. }
                | OrganizationEvent::Renamed { .. }
                | OrganizationEvent::MemberAdded { .. }
                | OrganizationEvent::MemberRoleChanged { .. }
                | OrganizationEvent::MemberRemoved { .. },
            ) => row,
        }
    }

    fn write(&self, rows: &mut Rows) {
        rows.row().put(&self.id).put(&self.name).put(&self.version).put(&self.created_at).put(&self.created_by);
    }
}

/// The organization a fact about an organization is about.
fn named(recorded: &Recorded) -> Result<OrganizationId, Error> {
    let subject = &recorded.envelope.subject;
    subject.parse().map_err(|_| Error::Subject { aggregate: "organization", subject: subject.clone() })
}

impl Model {
    /// The organizations in `sight` by name: those after the name `after`, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn organizations(
        &self,
        sight: &Sight,
        limit: u32,
        after: Option<&str>,
    ) -> Result<Vec<OrganizationRow>, Error> {
        // Whoever sees one site only sees no organization.
        let text = "SELECT to_json(row) FROM @.organizations row WHERE name > $1
            AND ($3::uuid[] IS NULL OR id = ANY ($3)) AND $4::uuid IS NULL ORDER BY name, id LIMIT $2";
        let (organizations, site) = sight.parameters();
        let query: model::Rows<'_, OrganizationRow> = sqlx::query_scalar(self.sql(text));
        let query = query.bind(after.unwrap_or_default()).bind(page(limit)).bind(organizations).bind(site);
        self.all("read organizations", query).await
    }

    /// One organization.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn organization(&self, id: OrganizationId) -> Result<Option<OrganizationRow>, Error> {
        let text = "SELECT to_json(row) FROM @.organizations row WHERE id = $1";
        let query: model::Rows<'_, OrganizationRow> = sqlx::query_scalar(self.sql(text));
        self.one("read an organization", query.bind(id.0)).await
    }

    /// The organization that is called `name` now.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn organization_named(&self, name: &OrganizationName) -> Result<Option<OrganizationRow>, Error> {
        let text = "SELECT to_json(row) FROM @.organizations row WHERE name = $1";
        let query: model::Rows<'_, OrganizationRow> = sqlx::query_scalar(self.sql(text));
        self.one("find an organization by its name", query.bind(name.as_str())).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Story;
    use uuid::Uuid;

    #[test]
    fn a_renamed_organization_keeps_its_beginning() {
        let (mut story, id) = (Story::default(), OrganizationId(Uuid::nil()));
        let [acme, apex]: [OrganizationName; 2] = ["acme", "apex"].map(|name| name.parse().unwrap());
        let created = story.tell(id, "token:alice", OrganizationEvent::Created { name: acme.clone() });
        let renamed = story.tell(id, "token:bob", OrganizationEvent::Renamed { name: apex, previous: acme });
        let row = [created.clone(), renamed].iter().fold(None, OrganizationRow::fold).unwrap();
        assert_eq!((row.name.as_str(), row.version), ("apex", 2));
        assert_eq!((row.created_at, row.created_by.0.as_str()), (created.envelope.time, "token:alice"));
    }
}
