//! The share links of sites. What proves them is not here.

use crate::Error;
use crate::copy::{Rows, Table};
use crate::model::{self, Model, page};
use crate::table::{Keys, Row};
use events::{Actor, AliasName, Event, LinkId, Recorded, ShareLink, SiteEvent, SiteId};
use serde::Deserialize;
use time::OffsetDateTime;

/// A share link.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ShareLinkRow {
    /// Whose pages it leads to.
    pub site: SiteId,
    /// Which it is.
    pub id: LinkId,
    /// What of the site it leads to; everything if absent.
    pub alias: Option<AliasName>,
    /// When it ends by itself.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Who made it.
    pub created_by: Actor,
}

/// Which link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    site: SiteId,
    id: LinkId,
}

impl Row for ShareLinkRow {
    const TABLE: Table =
        Table { name: "share_links", columns: &["site", "id", "alias", "expires_at", "created_at", "created_by"] };
    const KEY: &'static [&'static str] = &["site", "id"];
    type Key = Key;

    fn key(&self) -> Key {
        Key { site: self.site, id: self.id }
    }

    fn columns(keys: &[&Key]) -> Vec<Keys> {
        let sites = keys.iter().map(|key| key.site.0).collect();
        vec![Keys::Uuids(sites), Keys::Uuids(keys.iter().map(|key| key.id.0).collect())]
    }

    fn touched(recorded: &Recorded) -> Result<Option<Key>, Error> {
        let Event::Site(
            SiteEvent::ShareLinkMade(ShareLink { link: id, .. }) | SiteEvent::ShareLinkRevoked { link: id },
        ) = &recorded.event
        else {
            return Ok(None);
        };
        let subject = &recorded.envelope.subject;
        let named = subject.parse().map_err(|_| Error::Subject { aggregate: "site", subject: subject.clone() });
        Ok(Some(Key { site: named?, id: *id }))
    }

    fn fold(_: Option<Self>, recorded: &Recorded) -> Option<Self> {
        let Event::Site(SiteEvent::ShareLinkMade(made)) = &recorded.event else { return None };
        Some(Self {
            site: recorded.envelope.subject.parse().ok()?,
            id: made.link,
            alias: made.alias.clone(),
            expires_at: made.expires_at,
            created_at: recorded.envelope.time,
            created_by: recorded.envelope.actor.clone(),
        })
    }

    fn write(&self, rows: &mut Rows) {
        let alias = self.alias.as_ref().map(ToString::to_string);
        rows.row()
            .put(&self.site)
            .put(&self.id)
            .put(&alias)
            .put(&self.expires_at)
            .put(&self.created_at)
            .put(&self.created_by);
    }
}

impl Model {
    /// The share links of a site that are good at `now`, by id: those after the id `after`, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn share_links(
        &self,
        site: SiteId,
        now: OffsetDateTime,
        limit: u32,
        after: Option<LinkId>,
    ) -> Result<Vec<ShareLinkRow>, Error> {
        let text = "SELECT to_json(row) FROM @.share_links row
            WHERE site = $1 AND expires_at > $2 AND ($3::uuid IS NULL OR id > $3) ORDER BY id LIMIT $4";
        let query: model::Rows<'_, ShareLinkRow> = sqlx::query_scalar(self.sql(text));
        let query = query.bind(site.0).bind(now).bind(after.map(|link| link.0)).bind(page(limit));
        self.all("read share links", query).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Story;

    #[test]
    fn a_link_is_there_until_it_is_revoked() {
        let mut story = Story::default();
        let link = LinkId(uuid::Uuid::from_u128(1));
        let alias: Option<AliasName> = Some("preview/plan".parse().unwrap());
        let expires_at = OffsetDateTime::UNIX_EPOCH;
        let made = SiteEvent::ShareLinkMade(ShareLink { link, alias: alias.clone(), expires_at });
        let made = story.site("docs", made);
        let revoked = story.site("docs", SiteEvent::ShareLinkRevoked { link });
        let row = ShareLinkRow::fold(None, &made).unwrap();
        assert_eq!((row.id, &row.alias, row.created_at), (link, &alias, made.envelope.time));
        assert_eq!(ShareLinkRow::fold(Some(row), &revoked), None);
    }
}
