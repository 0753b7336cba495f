//! API tokens, good ones and others. Neither they nor their digests are here.

use crate::Error;
use crate::copy::{Rows, Table, variant};
use crate::model::{self, Model, page};
use crate::table::{Keys, Row};
use events::authority::Scope;
use events::event::TokenGrant;
use events::{Actor, Event, OrganizationId, Recorded, SiteId, TokenEvent, TokenId, TokenName, UserId};
use serde::Deserialize;
use time::OffsetDateTime;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TokenRow {
    /// Which.
    pub id: TokenId,
    /// What its maker calls it.
    pub name: TokenName,
    /// What it may be used for, separated by spaces.
    pub scopes: String,
    /// The only organization it is good for.
    pub organization: Option<OrganizationId>,
    /// The only site it is good for.
    pub site: Option<SiteId>,
    /// Whose authority it has a part of; the platform's own if none.
    pub maker: Option<UserId>,
    /// When it ends by itself.
    #[serde(with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Who made it.
    pub created_by: Actor,
    /// When it was revoked.
    #[serde(with = "time::serde::rfc3339::option")]
    pub revoked_at: Option<OffsetDateTime>,
}

/// Which tokens may be known of. Every condition that is given must hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bound {
    /// Only this person's.
    pub maker: Option<UserId>,
    /// Only those that are good for one organization, which is this.
    pub organization: Option<OrganizationId>,
    /// Only those that are good for one site, which is this.
    pub site: Option<SiteId>,
}

/// Which token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    id: TokenId,
}

impl Row for TokenRow {
    const TABLE: Table = Table {
        name: "tokens",
        columns: &[
            "id",
            "name",
            "scopes",
            "organization",
            "site",
            "maker",
            "expires_at",
            "created_at",
            "created_by",
            "revoked_at",
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
        if !matches!(recorded.event, Event::Token(_)) {
            return Ok(None);
        }
        let subject = &recorded.envelope.subject;
        let named = subject.parse().map_err(|_| Error::Subject { aggregate: "token", subject: subject.clone() });
        Ok(Some(Key { id: named? }))
    }

    fn fold(row: Option<Self>, recorded: &Recorded) -> Option<Self> {
        let Event::Token(fact) = &recorded.event else { return row };
        match (row, fact.clone()) {
            (None, TokenEvent::Created(TokenGrant { name, scopes, organization, site, maker, expires_at, .. })) => {
                Some(Self {
                    id: recorded.envelope.subject.parse().ok()?,
                    name,
                    scopes: scopes.iter().map(|scope: &Scope| variant(scope)).collect::<Vec<_>>().join(" "),
                    organization,
                    site,
                    maker,
                    expires_at,
                    created_at: recorded.envelope.time,
                    created_by: recorded.envelope.actor.clone(),
                    revoked_at: None,
                })
            }
            (Some(row @ Self { revoked_at: None, .. }), TokenEvent::Revoked {}) => {
                Some(Self { revoked_at: Some(recorded.envelope.time), ..row })
            }
            (row, TokenEvent::Created(_) | TokenEvent::Revoked {}) => row,
        }
    }

    fn write(&self, rows: &mut Rows) {
        rows.row()
            .put(&self.id)
            .put(&self.name)
            .put(&self.scopes)
            .put(&self.organization)
            .put(&self.site)
            .put(&self.maker)
            .put(&self.expires_at)
            .put(&self.created_at)
            .put(&self.created_by)
            .put(&self.revoked_at);
    }
}

impl Model {
    /// One token, good or not.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn token(&self, id: TokenId) -> Result<Option<TokenRow>, Error> {
        let query: model::Rows<'_, TokenRow> =
            sqlx::query_scalar(self.sql("SELECT to_json(row) FROM @.tokens row WHERE id = $1"));
        self.one("read a token", query.bind(id.0)).await
    }

    /// The tokens that a token made and that were not revoked.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn tokens_made_by(&self, id: TokenId, name: &TokenName) -> Result<Vec<TokenRow>, Error> {
        let text = "SELECT to_json(row) FROM @.tokens row WHERE created_by = $1 AND revoked_at IS NULL ORDER BY id";
        let query: model::Rows<'_, TokenRow> = sqlx::query_scalar(self.sql(text));
        self.all("read the tokens that a token made", query.bind(Actor::token(id, name).0)).await
    }

    /// The tokens that fit and were not revoked, by id: those after `after`, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn tokens(&self, bound: &Bound, limit: u32, after: Option<TokenId>) -> Result<Vec<TokenRow>, Error> {
        let text = "SELECT to_json(row) FROM @.tokens row WHERE id > $1 AND revoked_at IS NULL
            AND ($2::uuid IS NULL OR maker = $2) AND ($3::uuid IS NULL OR organization = $3)
            AND ($4::uuid IS NULL OR site = $4) ORDER BY id LIMIT $5";
        let Bound { maker, organization, site } = bound;
        let query: model::Rows<'_, TokenRow> = sqlx::query_scalar(self.sql(text));
        let query = query.bind(after.map(|id| id.0).unwrap_or_default()).bind(maker.map(|id| id.0));
        let query = query.bind(organization.map(|id| id.0)).bind(site.map(|id| id.0)).bind(page(limit));
        self.all("read tokens", query).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Story;
    use events::Digest;
    use sqlx::types::Uuid;
    use std::collections::BTreeSet;

    #[test]
    fn a_revoked_token_keeps_its_row_and_the_moment_it_ended() {
        let (mut story, id) = (Story::default(), TokenId(Uuid::nil()));
        let grant = TokenGrant {
            name: "ci".parse().unwrap(),
            scopes: BTreeSet::from([Scope::Deploy, Scope::Read]),
            organization: None,
            site: None,
            maker: None,
            digest: Digest::of(b"secret"),
            expires_at: None,
        };
        let made = story.tell(id, "token:ada", TokenEvent::Created(grant));
        let revoked = story.tell(id, "token:ada", TokenEvent::Revoked {});
        let row = [made, revoked.clone()].iter().fold(None, TokenRow::fold).unwrap();
        assert_eq!((row.scopes.as_str(), row.revoked_at), ("read deploy", Some(revoked.envelope.time)));
    }
}
