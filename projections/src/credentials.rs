//! What the repositories of sites are read by. No secret is here.

use crate::Error;
use crate::copy::{Rows, Table, variant};
use crate::model::{self, Model};
use crate::table::{Keys, Row};
use events::{Actor, Event, Recorded, SiteEvent, SiteId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// What a repository is read by.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CredentialRow {
    /// Whose repository it is.
    pub site: SiteId,
    /// Which of the two.
    pub kind: Kind,
    /// The public half of a key, or whose a token is.
    pub shown: Option<String>,
    /// When it was made or set last.
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
    /// Who did that.
    pub updated_by: Actor,
}

/// A way to read a private repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A key pair, over SSH.
    DeployKey,
    /// A token, over HTTPS.
    SourceToken,
}

/// Which of a site.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    site: SiteId,
    kind: Kind,
}

impl Row for CredentialRow {
    const TABLE: Table = Table { name: "credentials", columns: &["site", "kind", "shown", "updated_at", "updated_by"] };
    const KEY: &'static [&'static str] = &["site", "kind"];
    type Key = Key;

    fn key(&self) -> Key {
        Key { site: self.site, kind: self.kind }
    }

    fn columns(keys: &[&Key]) -> Vec<Keys> {
        let kinds = keys.iter().map(|key| variant(&key.kind).to_owned()).collect();
        vec![Keys::Uuids(keys.iter().map(|key| key.site.0).collect()), Keys::Texts(kinds)]
    }

    fn touched(recorded: &Recorded) -> Result<Option<Key>, Error> {
        let Event::Site(fact) = &recorded.event else { return Ok(None) };
        let kind = if matches!(fact, SiteEvent::DeployKeyMade { .. } | SiteEvent::DeployKeyRemoved {}) {
            Kind::DeployKey
        } else if matches!(fact, SiteEvent::SourceTokenSet { .. } | SiteEvent::SourceTokenRemoved {}) {
            Kind::SourceToken
        } else {
            return Ok(None);
        };
        let subject = &recorded.envelope.subject;
        let named = subject.parse().map_err(|_| Error::Subject { aggregate: "site", subject: subject.clone() });
        Ok(Some(Key { site: named?, kind }))
    }

    fn fold(_: Option<Self>, recorded: &Recorded) -> Option<Self> {
        let Event::Site(fact) = &recorded.event else { return None };
        let (kind, shown) = if let SiteEvent::DeployKeyMade { public_key, .. } = fact {
            (Kind::DeployKey, Some(public_key.to_string()))
        } else if let SiteEvent::SourceTokenSet { username, .. } = fact {
            (Kind::SourceToken, username.as_ref().map(ToString::to_string))
        } else {
            return None;
        };
        Some(Self {
            site: recorded.envelope.subject.parse().ok()?,
            kind,
            shown,
            updated_at: recorded.envelope.time,
            updated_by: recorded.envelope.actor.clone(),
        })
    }

    fn write(&self, rows: &mut Rows) {
        let row = rows.row().put(&self.site).put(&variant(&self.kind)).put(&self.shown);
        row.put(&self.updated_at).put(&self.updated_by);
    }
}

impl Model {
    /// What the repository of a site is read by.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn credentials(&self, site: SiteId) -> Result<Vec<CredentialRow>, Error> {
        let text = "SELECT to_json(row) FROM @.credentials row WHERE site = $1 ORDER BY kind";
        let query: model::Rows<'_, CredentialRow> = sqlx::query_scalar(self.sql(text));
        self.all("read credentials", query.bind(site.0)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Story;
    use events::Sealed;

    #[test]
    fn a_key_is_shown_by_its_public_half_and_a_token_by_whose_it_is() {
        let mut story = Story::default();
        let public = format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{}", "A".repeat(43));
        let (public_key, sealed) = (public.parse().unwrap(), Sealed::of(&[7; 48]));
        let key = story.site("docs", SiteEvent::DeployKeyMade { public_key, private_key: sealed.clone() });
        let username = Some("reader".parse().unwrap());
        let token = story.site("docs", SiteEvent::SourceTokenSet { username, token: sealed.clone() });
        let nameless = story.site("docs", SiteEvent::SourceTokenSet { username: None, token: sealed });
        let shown = |fact: &Recorded| CredentialRow::fold(None, fact).map(|row| (row.kind, row.shown));
        assert_eq!(shown(&key), Some((Kind::DeployKey, Some(public))));
        assert_eq!(shown(&token), Some((Kind::SourceToken, Some("reader".to_owned()))));
        assert_eq!(shown(&nameless), Some((Kind::SourceToken, None)));
        for removed in [SiteEvent::DeployKeyRemoved {}, SiteEvent::SourceTokenRemoved {}] {
            let removed = story.site("docs", removed);
            assert!(CredentialRow::touched(&removed).unwrap().is_some() && shown(&removed).is_none());
        }
    }
}
