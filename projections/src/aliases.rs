//! The aliases: what a reader of each site sees under each of its names.

use crate::copy::{Rows, Table, variant};
use crate::model::{self, Model, page};
use crate::table::{Keys, Row};
use crate::{Error, deploys};
use events::{Actor, AliasEvent, AliasName, DeployEvent, DeployId, Event, PromotionReason, Recorded, SiteId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// An alias that shows something. One that was removed has no row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasRow {
    /// The site it belongs to.
    pub site: SiteId,
    /// Its name.
    pub alias: AliasName,
    /// What it shows.
    pub deploy: DeployId,
    /// The number of the build that made it.
    pub number: u64,
    /// The log sequence of the fact that caused that build.
    pub source_sequence: u64,
    /// What it showed before.
    pub previous: Option<DeployId>,
    /// Why it moved.
    pub reason: PromotionReason,
    /// When it moved.
    #[serde(with = "time::serde::rfc3339")]
    pub promoted_at: OffsetDateTime,
    /// Who is behind the move.
    pub actor: Actor,
    /// The deploy its plain tree shows; lags behind `deploy` while the tree is written.
    pub mirrored_deploy: Option<DeployId>,
    /// When that tree was complete.
    #[serde(with = "time::serde::rfc3339::option")]
    pub mirrored_at: Option<OffsetDateTime>,
}

/// Which alias.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    site: SiteId,
    alias: AliasName,
}

impl Row for AliasRow {
    const TABLE: Table = Table {
        name: "aliases",
        columns: &[
            "site",
            "alias",
            "deploy",
            "number",
            "source_sequence",
            "previous",
            "reason",
            "promoted_at",
            "actor",
            "mirrored_deploy",
            "mirrored_at",
        ],
    };
    const KEY: &'static [&'static str] = &["site", "alias"];
    type Key = Key;

    fn key(&self) -> Key {
        Key { site: self.site, alias: self.alias.clone() }
    }

    fn columns(keys: &[&Key]) -> Vec<Keys> {
        let sites = keys.iter().map(|key| key.site.0).collect();
        vec![Keys::Uuids(sites), Keys::Texts(keys.iter().map(|key| key.alias.to_string()).collect())]
    }

    fn touched(recorded: &Recorded) -> Result<Option<Key>, Error> {
        match &recorded.event {
            Event::Alias(AliasEvent::Promoted { site, alias, .. } | AliasEvent::Removed { site, alias, .. }) => {
                Ok(Some(Key { site: *site, alias: alias.clone() }))
            }
            Event::Deploy(DeployEvent::Mirrored { site, alias, .. }) => {
                deploys::named(recorded)?;
                Ok(Some(Key { site: *site, alias: alias.clone() }))
            }
            Event::Deploy(DeployEvent::Synced(_) | DeployEvent::Collected { .. })
            | Event::Alias(AliasEvent::Locked { .. } | AliasEvent::Unlocked { .. })
            | Event::Organization(_)
            | Event::Handle(_)
            | Event::User(_)
            | Event::Invitation(_)
            | Event::Identity(_)
            | Event::Token(_)
            | Event::Receiver(_)
            | Event::Notice(_)
            | Event::Site(_)
            | Event::Host(_)
            | Event::Route(_)
            | Event::Domain(_)
            | Event::Repository(_)
            | Event::Build(_) => Ok(None),
        }
    }

    fn fold(row: Option<Self>, recorded: &Recorded) -> Option<Self> {
        let at = recorded.envelope.time;
        match recorded.event.clone() {
            Event::Alias(AliasEvent::Promoted { site, alias, deploy, number, source_sequence, previous, reason }) => {
                let (mirrored_deploy, mirrored_at) =
                    row.map_or((None, None), |row| (row.mirrored_deploy, row.mirrored_at));
                let actor = recorded.envelope.actor.clone();
                let promoted_at = at;
                Some(Self {
                    site,
                    alias,
                    deploy,
                    number,
                    source_sequence,
                    previous,
                    reason,
                    promoted_at,
                    actor,
                    mirrored_deploy,
                    mirrored_at,
                })
            }
            Event::Alias(AliasEvent::Removed { .. }) => None,
            Event::Deploy(DeployEvent::Mirrored { .. }) => {
                row.map(|row| Self { mirrored_deploy: deploys::named(recorded).ok(), mirrored_at: Some(at), ..row })
            }
            Event::Deploy(DeployEvent::Synced(_) | DeployEvent::Collected { .. })
            | Event::Alias(AliasEvent::Locked { .. } | AliasEvent::Unlocked { .. })
            | Event::Organization(_)
            | Event::Handle(_)
            | Event::User(_)
            | Event::Invitation(_)
            | Event::Identity(_)
            | Event::Token(_)
            | Event::Receiver(_)
            | Event::Notice(_)
            | Event::Site(_)
            | Event::Host(_)
            | Event::Route(_)
            | Event::Domain(_)
            | Event::Repository(_)
            | Event::Build(_) => row,
        }
    }

    fn write(&self, rows: &mut Rows) {
        rows.row()
            .put(&self.site)
            .put(&self.alias)
            .put(&self.deploy)
            .put(&self.number)
            .put(&self.source_sequence)
            .put(&self.previous)
            .put(&variant(&self.reason))
            .put(&self.promoted_at)
            .put(&self.actor)
            .put(&self.mirrored_deploy)
            .put(&self.mirrored_at);
    }
}

impl Model {
    /// What a site shows now, by the names of its aliases: those after the name `after`, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn aliases(&self, site: SiteId, limit: u32, after: Option<&str>) -> Result<Vec<AliasRow>, Error> {
        let text = "SELECT to_json(row) FROM @.aliases row WHERE site = $1 AND alias > $2 ORDER BY alias LIMIT $3";
        let query: model::Rows<'_, AliasRow> = sqlx::query_scalar(self.sql(text));
        let query = query.bind(site.0).bind(after.unwrap_or_default()).bind(page(limit));
        self.all("read aliases of a site", query).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Story;

    #[test]
    fn the_plain_tree_lags_behind_the_promotion_until_it_is_mirrored() {
        let mut story = Story::default();
        let (one, two) = (story.next_build(), story.next_build());
        let history = [story.promoted("docs", one, 1), story.mirrored("docs", one), story.promoted("docs", two, 2)];
        let row = history.iter().fold(None, AliasRow::fold).unwrap();
        assert_eq!((&row.deploy, row.mirrored_deploy.as_ref()), (&DeployId::of(two), Some(&DeployId::of(one))));
    }

    #[test]
    fn a_removed_alias_has_no_row_and_a_late_mirror_brings_none_back() {
        let mut story = Story::default();
        let one = story.next_build();
        let history = [story.promoted("docs", one, 1), story.removed("docs", one), story.mirrored("docs", one)];
        assert_eq!(history.iter().fold(None, AliasRow::fold), None);
    }
}
