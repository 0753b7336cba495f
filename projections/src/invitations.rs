//! Invitations, open and over.

use crate::Error;
use crate::copy::{Rows, Table, variant};
use crate::model::{self, Model, page};
use crate::table::{Keys, Row};
use events::authority::Role;
use events::event::Invited;
use events::{Actor, Event, InvitationEvent, InvitationId, OrganizationId, Recorded, Sealed, UserId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// What became of an invitation. That its time is over is seen by the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It waits.
    Open,
    /// Somebody came by it.
    Accepted,
    /// It was taken back.
    Withdrawn,
}

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct InvitationRow {
    /// Which.
    pub id: InvitationId,
    /// To which organization.
    pub organization: OrganizationId,
    /// As what.
    pub role: Role,
    /// With whose key the address is sealed: who they will be unless they are known already.
    pub user_id: UserId,
    /// Where it was sent.
    pub email: Sealed,
    /// When it ends by itself.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Who made it.
    pub created_by: Actor,
    /// What became of it.
    pub state: State,
}

/// Which invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    id: InvitationId,
}

impl Row for InvitationRow {
    const TABLE: Table = Table {
        name: "invitations",
        columns: &["id", "organization", "role", "user_id", "email", "expires_at", "created_at", "created_by", "state"],
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
        if !matches!(recorded.event, Event::Invitation(_)) {
            return Ok(None);
        }
        let subject = &recorded.envelope.subject;
        let named = subject.parse().map_err(|_| Error::Subject { aggregate: "invitation", subject: subject.clone() });
        Ok(Some(Key { id: named? }))
    }

    fn fold(row: Option<Self>, recorded: &Recorded) -> Option<Self> {
        let Event::Invitation(fact) = &recorded.event else { return row };
        match (row, fact.clone()) {
            (None, InvitationEvent::Created(Invited { organization, role, user, email, expires_at, .. })) => {
                let (created_at, created_by) = (recorded.envelope.time, recorded.envelope.actor.clone());
                let (id, state) = (recorded.envelope.subject.parse().ok()?, State::Open);
                Some(Self { id, organization, role, user_id: user, email, expires_at, created_at, created_by, state })
            }
            (Some(row @ Self { state: State::Open, .. }), InvitationEvent::Accepted { .. }) => {
                Some(Self { state: State::Accepted, ..row })
            }
            (Some(row @ Self { state: State::Open, .. }), InvitationEvent::Withdrawn {}) => {
                Some(Self { state: State::Withdrawn, ..row })
            }
            (row, InvitationEvent::Created(_) | InvitationEvent::Accepted { .. } | InvitationEvent::Withdrawn {}) => {
                row
            }
        }
    }

    fn write(&self, rows: &mut Rows) {
        rows.row()
            .put(&self.id)
            .put(&self.organization)
            .put(&variant(&self.role))
            .put(&self.user_id)
            .put(&self.email)
            .put(&self.expires_at)
            .put(&self.created_at)
            .put(&self.created_by)
            .put(&variant(&self.state));
    }
}

impl Model {
    /// One invitation, whatever became of it.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn invitation(&self, id: InvitationId) -> Result<Option<InvitationRow>, Error> {
        let query: model::Rows<'_, InvitationRow> =
            sqlx::query_scalar(self.sql("SELECT to_json(row) FROM @.invitations row WHERE id = $1"));
        self.one("read an invitation", query.bind(id.0)).await
    }

    /// The invitations of an organization that nobody accepted or withdrew, by id: those after `after`, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn invitations(
        &self,
        organization: OrganizationId,
        limit: u32,
        after: Option<InvitationId>,
    ) -> Result<Vec<InvitationRow>, Error> {
        let text = "SELECT to_json(row) FROM @.invitations row
            WHERE organization = $1 AND id > $2 AND state = 'open' ORDER BY id LIMIT $3";
        let query: model::Rows<'_, InvitationRow> = sqlx::query_scalar(self.sql(text));
        let after = after.map(|id| id.0).unwrap_or_default();
        self.all("read invitations", query.bind(organization.0).bind(after).bind(page(limit))).await
    }
}
