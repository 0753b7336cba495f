//! Who belongs to which organization, and as what.

use crate::Error;
use crate::copy::{Rows, Table, variant};
use crate::model::{self, Model, page};
use crate::table::{Keys, Row};
use events::authority::Role;
use events::{Actor, Event, OrganizationEvent, OrganizationId, OrganizationName, Recorded, UserId};
use serde::Deserialize;
use time::OffsetDateTime;

/// A member.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MemberRow {
    /// Of which organization.
    pub organization: OrganizationId,
    /// What that is called. Looked up when the memberships of a person are read.
    #[serde(default)]
    pub organization_name: Option<OrganizationName>,
    /// Who.
    pub user_id: UserId,
    /// As what.
    pub role: Role,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// Who brought them.
    pub added_by: Actor,
}

/// Which member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    organization: OrganizationId,
    user: UserId,
}

impl Row for MemberRow {
    const TABLE: Table = Table { name: "members", columns: &["organization", "user_id", "role", "since", "added_by"] };
    const KEY: &'static [&'static str] = &["organization", "user_id"];
    type Key = Key;

    fn key(&self) -> Key {
        Key { organization: self.organization, user: self.user_id }
    }

    fn columns(keys: &[&Key]) -> Vec<Keys> {
        let organizations = keys.iter().map(|key| key.organization.0).collect();
        vec![Keys::Uuids(organizations), Keys::Uuids(keys.iter().map(|key| key.user.0).collect())]
    }

    fn touched(recorded: &Recorded) -> Result<Option<Key>, Error> {
        let Event::Organization(
            OrganizationEvent::MemberAdded { user, .. }
            | OrganizationEvent::MemberRoleChanged { user, .. }
            | OrganizationEvent::MemberRemoved { user, .. },
        ) = &recorded.event
        else {
            return Ok(None);
        };
        let subject = &recorded.envelope.subject;
        let named = subject.parse().map_err(|_| Error::Subject { aggregate: "organization", subject: subject.clone() });
        Ok(Some(Key { organization: named?, user: *user }))
    }

    fn fold(row: Option<Self>, recorded: &Recorded) -> Option<Self> {
        let Event::Organization(fact) = &recorded.event else { return row };
        match (row, fact) {
            (None, OrganizationEvent::MemberAdded { user, role }) => Some(Self {
                organization: recorded.envelope.subject.parse().ok()?,
                organization_name: None,
                user_id: *user,
                role: *role,
                since: recorded.envelope.time,
                added_by: recorded.envelope.actor.clone(),
            }),
            (Some(member), OrganizationEvent::MemberRoleChanged { role, .. }) => Some(Self { role: *role, ..member }),
            (_, OrganizationEvent::MemberRemoved { .. }) => None,
            (
                row,
                OrganizationEvent::Created { .. }
                | OrganizationEvent::Renamed { .. }
                | OrganizationEvent::MemberAdded { .. }
                | OrganizationEvent::MemberRoleChanged { .. }
                | OrganizationEvent::Suspended { .. }
                | OrganizationEvent::Reinstated {}
                | OrganizationEvent::LimitsChanged { .. }
                | OrganizationEvent::SandboxBegun(_)
                | OrganizationEvent::SandboxEnded {}
                | OrganizationEvent::CleanUpAnnounced { .. }
                | OrganizationEvent::CleanedUp { .. },
            ) => row,
        }
    }

    fn write(&self, rows: &mut Rows) {
        rows.row()
            .put(&self.organization)
            .put(&self.user_id)
            .put(&variant(&self.role))
            .put(&self.since)
            .put(&self.added_by);
    }
}

impl Model {
    /// Who belongs to an organization, by their ids: those after `after`, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn members(
        &self,
        organization: OrganizationId,
        limit: u32,
        after: Option<UserId>,
    ) -> Result<Vec<MemberRow>, Error> {
        let text = "SELECT to_json(row) FROM @.members row
            WHERE organization = $1 AND user_id > $2 ORDER BY user_id LIMIT $3";
        let query: model::Rows<'_, MemberRow> = sqlx::query_scalar(self.sql(text));
        let after = after.map(|id| id.0).unwrap_or_default();
        self.all("read members", query.bind(organization.0).bind(after).bind(page(limit))).await
    }

    /// What a person belongs to, with the names of the organizations.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn memberships(&self, user: UserId) -> Result<Vec<MemberRow>, Error> {
        let text = "SELECT to_json(shown) FROM @.members member, LATERAL (SELECT member.*, (
            SELECT name FROM @.organizations WHERE id = member.organization) AS organization_name) shown
            WHERE member.user_id = $1 ORDER BY member.organization";
        let query: model::Rows<'_, MemberRow> = sqlx::query_scalar(self.sql(text));
        self.all("read memberships", query.bind(user.0)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Story;
    use sqlx::types::Uuid;

    #[test]
    fn a_member_comes_changes_and_goes() {
        let (mut story, id, user) = (Story::default(), OrganizationId(Uuid::nil()), UserId(Uuid::from_u128(1)));
        let mut tell = |fact| story.tell(id, "token:ada", fact);
        let added = tell(OrganizationEvent::MemberAdded { user, role: Role::User });
        let (role, previous) = (Role::Manager, Role::User);
        let changed = tell(OrganizationEvent::MemberRoleChanged { user, role, previous });
        let removed = tell(OrganizationEvent::MemberRemoved { user, role });
        let row = [added.clone(), changed.clone()].iter().fold(None, MemberRow::fold).unwrap();
        assert_eq!((row.role, row.since), (Role::Manager, added.envelope.time));
        assert_eq!([added, changed, removed].iter().fold(None, MemberRow::fold), None);
    }
}
