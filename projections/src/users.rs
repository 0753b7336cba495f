//! People as they are now. What they are called stays sealed here too: whoever shows it needs their key.

use crate::Error;
use crate::copy::{Rows, Table, variant};
use crate::model::{self, Model, page};
use crate::table::{Keys, Row};
use events::authority::PlatformRole;
use events::{Event, Recorded, Sealed, UserEvent, UserId};
use serde::Deserialize;
use time::OffsetDateTime;

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct UserRow {
    /// Who.
    pub id: UserId,
    /// What they are called.
    pub name: Sealed,
    /// Where mail reaches them.
    pub email: Sealed,
    /// What they are for the whole installation.
    pub role: Option<PlatformRole>,
    /// When they became known.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When they last began a session.
    #[serde(with = "time::serde::rfc3339::option")]
    pub signed_in_at: Option<OffsetDateTime>,
    /// When they were forgotten.
    #[serde(with = "time::serde::rfc3339::option")]
    pub erased_at: Option<OffsetDateTime>,
    /// Why they may do nothing now; none if they may.
    pub suspended: Option<String>,
}

/// Which person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    id: UserId,
}

impl Row for UserRow {
    const TABLE: Table = Table {
        name: "users",
        columns: &["id", "name", "email", "role", "created_at", "signed_in_at", "erased_at", "suspended"],
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
        if matches!(recorded.event, Event::User(_)) { named(recorded).map(|id| Some(Key { id })) } else { Ok(None) }
    }

    fn fold(row: Option<Self>, recorded: &Recorded) -> Option<Self> {
        let Event::User(fact) = &recorded.event else { return row };
        let at = recorded.envelope.time;
        match (row, fact.clone()) {
            (None, UserEvent::Created { name, email }) => {
                let id = named(recorded).ok()?;
                Some(Self {
                    id,
                    name,
                    email,
                    role: None,
                    created_at: at,
                    signed_in_at: None,
                    erased_at: None,
                    suspended: None,
                })
            }
            (Some(user @ Self { erased_at: None, .. }), UserEvent::SignedIn {}) => {
                Some(Self { signed_in_at: Some(at), ..user })
            }
            (Some(user @ Self { erased_at: None, .. }), UserEvent::PlatformRoleChanged { role }) => {
                Some(Self { role, ..user })
            }
            (Some(user @ Self { erased_at: None, .. }), UserEvent::Suspended { reason }) => {
                Some(Self { suspended: Some(reason), ..user })
            }
            (Some(user @ Self { erased_at: None, .. }), UserEvent::Reinstated {}) => {
                Some(Self { suspended: None, ..user })
            }
            (Some(user @ Self { erased_at: None, .. }), UserEvent::Erased {}) => {
                Some(Self { role: None, erased_at: Some(at), suspended: None, ..user })
            }
            (
                row,
                UserEvent::Created { .. }
                | UserEvent::SignedIn {}
                | UserEvent::PlatformRoleChanged { .. }
                | UserEvent::Suspended { .. }
                | UserEvent::Reinstated {}
                | UserEvent::GithubConnected { .. }
                | UserEvent::GithubDisconnected {}
                | UserEvent::Erased {},
            ) => row,
        }
    }

    fn write(&self, rows: &mut Rows) {
        rows.row()
            .put(&self.id)
            .put(&self.name)
            .put(&self.email)
            .put(&self.role.as_ref().map(variant))
            .put(&self.created_at)
            .put(&self.signed_in_at)
            .put(&self.erased_at)
            .put(&self.suspended);
    }
}

/// The person a fact about a person is about.
fn named(recorded: &Recorded) -> Result<UserId, Error> {
    let subject = &recorded.envelope.subject;
    subject.parse().map_err(|_| Error::Subject { aggregate: "user", subject: subject.clone() })
}

impl Model {
    /// One person, also if they were forgotten.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn user(&self, id: UserId) -> Result<Option<UserRow>, Error> {
        let query: model::Rows<'_, UserRow> =
            sqlx::query_scalar(self.sql("SELECT to_json(row) FROM @.users row WHERE id = $1"));
        self.one("read a person", query.bind(id.0)).await
    }

    /// Those of `ids` that there are.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn users_with(&self, ids: &[UserId]) -> Result<Vec<UserRow>, Error> {
        let query: model::Rows<'_, UserRow> =
            sqlx::query_scalar(self.sql("SELECT to_json(row) FROM @.users row WHERE id = ANY ($1)"));
        self.all("read some people", query.bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())).await
    }

    /// Everybody, by id: those after `after`, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn users(&self, limit: u32, after: Option<UserId>) -> Result<Vec<UserRow>, Error> {
        let text = "SELECT to_json(row) FROM @.users row WHERE id > $1 ORDER BY id LIMIT $2";
        let query: model::Rows<'_, UserRow> = sqlx::query_scalar(self.sql(text));
        self.all("read people", query.bind(after.map(|id| id.0).unwrap_or_default()).bind(page(limit))).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Story;
    use sqlx::types::Uuid;

    #[test]
    fn who_was_forgotten_keeps_a_row_and_no_role() {
        let (mut story, id, sealed) = (Story::default(), UserId(Uuid::nil()), Sealed::of(&[7; 50]));
        let mut tell = |fact| story.tell(id, "token:ada", fact);
        let facts = [
            tell(UserEvent::Created { name: sealed.clone(), email: sealed }),
            tell(UserEvent::PlatformRoleChanged { role: Some(PlatformRole::Admin) }),
            tell(UserEvent::SignedIn {}),
            tell(UserEvent::Erased {}),
            tell(UserEvent::SignedIn {}),
        ];
        let row = facts.iter().fold(None, UserRow::fold).unwrap();
        assert_eq!((row.role, row.signed_in_at), (None, Some(facts[2].envelope.time)));
        assert_eq!(row.erased_at, Some(facts[3].envelope.time));
    }
}
