//! The identities that people sign in with. What they are called at their provider stays sealed here too.

use crate::Error;
use crate::copy::{Rows, Table};
use crate::model::{self, Model, page};
use crate::table::{Keys, Row};
use events::{Event, IdentityEvent, IdentityId, Recorded, Sealed, UserId};
use serde::Deserialize;
use time::OffsetDateTime;

/// An identity that is somebody's now.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct IdentityRow {
    /// Which.
    pub id: IdentityId,
    /// Whose.
    pub user_id: UserId,
    /// The provider that vouches for it.
    pub issuer: String,
    /// What it is called there.
    pub account: Sealed,
    /// Since when it is theirs.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

/// Which identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    id: IdentityId,
}

impl Row for IdentityRow {
    const TABLE: Table = Table { name: "identities", columns: &["id", "user_id", "issuer", "account", "since"] };
    const KEY: &'static [&'static str] = &["id"];
    type Key = Key;

    fn key(&self) -> Key {
        Key { id: self.id }
    }

    fn columns(keys: &[&Key]) -> Vec<Keys> {
        vec![Keys::Uuids(keys.iter().map(|key| key.id.0).collect())]
    }

    fn touched(recorded: &Recorded) -> Result<Option<Key>, Error> {
        if !matches!(recorded.event, Event::Identity(_)) {
            return Ok(None);
        }
        let subject = &recorded.envelope.subject;
        let named = subject.parse().map_err(|_| Error::Subject { aggregate: "identity", subject: subject.clone() });
        Ok(Some(Key { id: named? }))
    }

    fn fold(row: Option<Self>, recorded: &Recorded) -> Option<Self> {
        let Event::Identity(fact) = &recorded.event else { return row };
        match fact.clone() {
            IdentityEvent::Bound { user, issuer, account } => {
                let id = recorded.envelope.subject.parse().ok()?;
                Some(Self { id, user_id: user, issuer, account, since: recorded.envelope.time })
            }
            IdentityEvent::Unbound { .. } => None,
        }
    }

    fn write(&self, rows: &mut Rows) {
        rows.row().put(&self.id).put(&self.user_id).put(&self.issuer).put(&self.account).put(&self.since);
    }
}

impl Model {
    /// The identities of a person, by id: those after `after`, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn identities(
        &self,
        user: UserId,
        limit: u32,
        after: Option<IdentityId>,
    ) -> Result<Vec<IdentityRow>, Error> {
        let text = "SELECT to_json(row) FROM @.identities row WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3";
        let query: model::Rows<'_, IdentityRow> = sqlx::query_scalar(self.sql(text));
        let query = query.bind(user.0).bind(after.map(|id| id.0).unwrap_or_default()).bind(page(limit));
        self.all("read identities", query).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Story;
    use sqlx::types::Uuid;

    #[test]
    fn an_identity_that_is_nobodys_has_no_row() {
        let (mut story, id, user) = (Story::default(), IdentityId(Uuid::nil()), UserId(Uuid::nil()));
        let (issuer, account) = ("https://id.test".to_owned(), Sealed::of(&[7; 50]));
        let bound = story.tell(id, "user:ada", IdentityEvent::Bound { user, issuer, account });
        let unbound = story.tell(id, "user:ada", IdentityEvent::Unbound { user });
        let row = IdentityRow::fold(None, &bound).unwrap();
        assert_eq!((row.user_id, row.since), (user, bound.envelope.time));
        assert_eq!(IdentityRow::fold(Some(row), &unbound), None);
    }
}
