//! The organizations: who owns sites.

use crate::copy::{Rows, Table};
use crate::model::{self, Model, page};
use crate::table::{Keys, Row};
use crate::{Error, Sight};
use events::event::{OrganizationLimits, Sandbox};
use events::{Actor, Event, OrganizationEvent, OrganizationId, OrganizationName, Recorded};
use serde::Deserialize;
use sqlx::types::Uuid;
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
    /// Why its people may change nothing; none if they may.
    pub suspended: Option<String>,
    /// Sites it may have; none for no limit of its own.
    pub sites_max: Option<u32>,
    /// Members it may have.
    pub members_max: Option<u32>,
    /// Builds it may have at once.
    pub builds_max: Option<u32>,
    /// Days from one clean-up of a sandbox to the next; none if it is no sandbox.
    pub sandbox_days: Option<u32>,
    /// When the sites of a sandbox are deleted next.
    #[serde(with = "time::serde::rfc3339::option")]
    pub clean_up_at: Option<OffsetDateTime>,
}

/// Which organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    id: OrganizationId,
}

impl Row for OrganizationRow {
    const TABLE: Table = Table {
        name: "organizations",
        columns: &[
            "id",
            "name",
            "version",
            "created_at",
            "created_by",
            "suspended",
            "sites_max",
            "members_max",
            "builds_max",
            "sandbox_days",
            "clean_up_at",
        ],
    };
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
            (None, OrganizationEvent::Created { name }) => Self::new(name, recorded),
            (Some(known), fact) => Some(known.after(fact)),
            (
                None,
                OrganizationEvent::Renamed { .. }
                | OrganizationEvent::MemberAdded { .. }
                | OrganizationEvent::MemberRoleChanged { .. }
                | OrganizationEvent::MemberRemoved { .. }
                | OrganizationEvent::Suspended { .. }
                | OrganizationEvent::Reinstated {}
                | OrganizationEvent::LimitsChanged { .. }
                | OrganizationEvent::SandboxBegun(_)
                | OrganizationEvent::SandboxEnded {}
                | OrganizationEvent::CleanUpAnnounced { .. }
                | OrganizationEvent::CleanedUp { .. },
            ) => None,
        }
    }

    fn write(&self, rows: &mut Rows) {
        rows.row()
            .put(&self.id)
            .put(&self.name)
            .put(&self.version)
            .put(&self.created_at)
            .put(&self.created_by)
            .put(&self.suspended)
            .put(&self.sites_max)
            .put(&self.members_max)
            .put(&self.builds_max)
            .put(&self.sandbox_days)
            .put(&self.clean_up_at);
    }
}

impl OrganizationRow {
    fn new(name: &OrganizationName, recorded: &Recorded) -> Option<Self> {
        Some(Self {
            id: named(recorded).ok()?,
            name: name.clone(),
            version: 1,
            created_at: recorded.envelope.time,
            created_by: recorded.envelope.actor.clone(),
            suspended: None,
            sites_max: None,
            members_max: None,
            builds_max: None,
            sandbox_days: None,
            clean_up_at: None,
        })
    }

    fn after(self, fact: &OrganizationEvent) -> Self {
        match fact {
            OrganizationEvent::Renamed { name, .. } => Self { name: name.clone(), version: self.version + 1, ..self },
            OrganizationEvent::Suspended { reason } => Self { suspended: Some(reason.clone()), ..self },
            OrganizationEvent::Reinstated {} => Self { suspended: None, ..self },
            OrganizationEvent::LimitsChanged { limits } => {
                let OrganizationLimits { sites: sites_max, members: members_max, builds: builds_max } = *limits;
                Self { sites_max, members_max, builds_max, ..self }
            }
            OrganizationEvent::SandboxBegun(Sandbox { days, clean_up_at }) => {
                Self { sandbox_days: Some((*days).into()), clean_up_at: Some(*clean_up_at), ..self }
            }
            OrganizationEvent::SandboxEnded {} => Self { sandbox_days: None, clean_up_at: None, ..self },
            OrganizationEvent::CleanUpAnnounced { clean_up_at } | OrganizationEvent::CleanedUp { clean_up_at } => {
                Self { clean_up_at: Some(*clean_up_at), ..self }
            }
            OrganizationEvent::Created { .. }
            | OrganizationEvent::MemberAdded { .. }
            | OrganizationEvent::MemberRoleChanged { .. }
            | OrganizationEvent::MemberRemoved { .. } => self,
        }
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

    /// Those of `ids` that there are.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn organizations_with(&self, ids: &[OrganizationId]) -> Result<Vec<OrganizationRow>, Error> {
        let text = "SELECT to_json(row) FROM @.organizations row WHERE id = ANY ($1)";
        let query: model::Rows<'_, OrganizationRow> = sqlx::query_scalar(self.sql(text));
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        self.all("read some organizations", query.bind(ids)).await
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

impl Model {
    /// Those of `ids` that are suspended, or whose sites are deleted before `soon`, by name; at most `limit`.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn organizations_to_mind(
        &self,
        ids: &[OrganizationId],
        soon: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<OrganizationRow>, Error> {
        let text = "SELECT to_json(row) FROM @.organizations row
            WHERE id = ANY ($1) AND (suspended IS NOT NULL OR clean_up_at < $2) ORDER BY name, id LIMIT $3";
        let query: model::Rows<'_, OrganizationRow> = sqlx::query_scalar(self.sql(text));
        let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
        self.all("read organizations to mind", query.bind(ids).bind(soon).bind(page(limit))).await
    }

    /// How many sites an organization has, the deleted not counted.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn sites_count(&self, organization: OrganizationId) -> Result<u64, Error> {
        let text = "SELECT to_json(count(*)) FROM @.sites WHERE organization = $1 AND deleted_at IS NULL";
        let query: model::Rows<'_, u64> = sqlx::query_scalar(self.sql(text));
        Ok(self.one("count the sites of an organization", query.bind(organization.0)).await?.unwrap_or(0))
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
