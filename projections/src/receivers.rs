//! The receivers of sites: who is told what happens to them.

use crate::Error;
use crate::copy::{Rows, Table, variant};
use crate::model::{self, Model, page};
use crate::table::{Keys, Row};
use events::event::Reception;
use events::receiver::{Kind, Occasion, ReceiverName};
use events::{Actor, Event, ReceiverEvent, ReceiverId, Recorded, Sealed, SiteId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiverRow {
    /// Its identity.
    pub id: ReceiverId,
    /// The site that it is told of.
    pub site: SiteId,
    /// How it is told.
    pub kind: Kind,
    /// What its people call it.
    pub name: ReceiverName,
    /// What it is told of: words with a space between them.
    pub wants: String,
    /// Where it is told, sealed with the site's key.
    pub address: Sealed,
    /// How many facts have shaped it, from 1.
    pub version: u64,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Who made it.
    pub created_by: Actor,
}

/// Which receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    id: ReceiverId,
}

impl Row for ReceiverRow {
    const TABLE: Table = Table {
        name: "receivers",
        columns: &["id", "site", "kind", "name", "wants", "address", "version", "created_at", "created_by"],
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
        let Event::Receiver(fact) = &recorded.event else { return Ok(None) };
        if recorded.site().is_none() {
            return Err(Error::Subject { aggregate: "receiver", subject: recorded.envelope.subject.clone() });
        }
        Ok(match fact {
            ReceiverEvent::Created(Reception { receiver, .. })
            | ReceiverEvent::Changed(Reception { receiver, .. })
            | ReceiverEvent::Removed { receiver } => Some(Key { id: *receiver }),
            ReceiverEvent::Tested { .. } => None,
        })
    }

    fn fold(row: Option<Self>, recorded: &Recorded) -> Option<Self> {
        let Event::Receiver(fact) = &recorded.event else { return row };
        match (row, fact.clone()) {
            (None, ReceiverEvent::Created(Reception { receiver, kind, name, wants, address, .. })) => Some(Self {
                id: receiver,
                site: recorded.site()?,
                kind,
                name,
                wants: words(wants),
                address,
                version: 1,
                created_at: recorded.envelope.time,
                created_by: recorded.envelope.actor.clone(),
            }),
            (Some(row), ReceiverEvent::Changed(Reception { name, wants, address, .. })) => {
                Some(Self { name, wants: words(wants), address, version: row.version + 1, ..row })
            }
            (_, ReceiverEvent::Removed { .. }) => None,
            (row, ReceiverEvent::Created(_) | ReceiverEvent::Changed(_) | ReceiverEvent::Tested { .. }) => row,
        }
    }

    fn write(&self, rows: &mut Rows) {
        rows.row()
            .put(&self.id)
            .put(&self.site)
            .put(&variant(&self.kind))
            .put(&self.name)
            .put(&self.wants)
            .put(&self.address)
            .put(&self.version)
            .put(&self.created_at)
            .put(&self.created_by);
    }
}

fn words(wants: impl IntoIterator<Item = Occasion>) -> String {
    wants.into_iter().map(Occasion::as_str).collect::<Vec<_>>().join(" ")
}

impl Model {
    /// The receivers of a site by id: those after `after`, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn receivers(
        &self,
        site: SiteId,
        limit: u32,
        after: Option<ReceiverId>,
    ) -> Result<Vec<ReceiverRow>, Error> {
        let text = "SELECT to_json(row) FROM @.receivers row WHERE site = $1 AND id > $2 ORDER BY id LIMIT $3";
        let query: model::Rows<'_, ReceiverRow> = sqlx::query_scalar(self.sql(text));
        let after = after.map(|id| id.0).unwrap_or_default();
        self.all("read receivers", query.bind(site.0).bind(after).bind(page(limit))).await
    }

    /// One receiver of a site.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn receiver(&self, site: SiteId, id: ReceiverId) -> Result<Option<ReceiverRow>, Error> {
        let text = "SELECT to_json(row) FROM @.receivers row WHERE site = $1 AND id = $2";
        let query: model::Rows<'_, ReceiverRow> = sqlx::query_scalar(self.sql(text));
        self.one("read a receiver", query.bind(site.0).bind(id.0)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Story, site_id};
    use sqlx::types::Uuid;
    use std::collections::BTreeSet;

    #[test]
    fn a_receiver_is_as_it_was_changed_last_until_it_is_removed() {
        let (mut story, receiver) = (Story::default(), ReceiverId(Uuid::from_u128(7)));
        let reception = |wants: &[Occasion]| Reception {
            receiver,
            kind: Kind::Webhook,
            name: "Team".parse().unwrap(),
            wants: wants.iter().copied().collect::<BTreeSet<_>>(),
            address: Sealed::of(&[7; 50]),
            secret: None,
        };
        let site = site_id("docs");
        let created = story.tell(site, "user:ada", ReceiverEvent::Created(reception(&[Occasion::BuildFailed])));
        let wants = [Occasion::BuildFailed, Occasion::Promoted];
        let changed = story.tell(site, "user:ben", ReceiverEvent::Changed(reception(&wants)));
        let row = [&created, &changed].into_iter().fold(None, ReceiverRow::fold).unwrap();
        assert_eq!((row.wants.as_str(), row.version, row.site), ("build_failed promoted", 2, site));
        assert_eq!(row.created_by, Actor("user:ada".to_owned()));
        let removed = story.tell(site, "user:ada", ReceiverEvent::Removed { receiver });
        assert_eq!(ReceiverRow::fold(Some(row), &removed), None);
    }
}
