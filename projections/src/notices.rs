//! The notices: what became of each, as far as that is known.

use crate::Error;
use crate::copy::{Rows, Table, variant};
use crate::model::{self, Model, bigint, page};
use crate::table::{Keys, Row};
use crate::timeline::Older;
use events::event::Noticed;
use events::receiver::Occasion;
use events::{Event, NoticeEvent, NoticeId, ReceiverId, Recorded, SiteId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// What became of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It arrived.
    Delivered,
    /// It did not, and is not tried any more.
    Failed,
    /// Somebody asked for it once more.
    Requested,
}

/// A notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeRow {
    /// Its identity.
    pub id: NoticeId,
    /// Who was told.
    pub receiver: ReceiverId,
    /// The site.
    pub site: SiteId,
    /// The place in the log of the fact it tells of.
    pub fact: u64,
    /// What kind of fact that is.
    pub occasion: Occasion,
    /// What became of it.
    pub state: State,
    /// How often it was tried, the last time that it was sent.
    pub tries: u32,
    /// What an HTTP server answered last.
    pub status: Option<u32>,
    /// Why it failed; empty otherwise.
    pub reason: String,
    /// How long that took, in milliseconds.
    pub duration_ms: u64,
    /// When that was known.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The place in the log of what says so.
    pub sequence: u64,
}

/// Which notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    id: NoticeId,
}

impl NoticeRow {
    fn settled(noticed: &Noticed, state: State, recorded: &Recorded) -> Option<Self> {
        let Noticed { site, receiver, sequence: fact, occasion, tries, status, reason, duration_ms } = noticed;
        Some(Self {
            id: recorded.envelope.subject.parse().ok()?,
            receiver: *receiver,
            site: *site,
            fact: *fact,
            occasion: *occasion,
            state,
            tries: *tries,
            status: status.map(u32::from),
            reason: reason.clone(),
            duration_ms: *duration_ms,
            at: recorded.envelope.time,
            sequence: recorded.sequence,
        })
    }
}

impl Row for NoticeRow {
    const TABLE: Table = Table {
        name: "notices",
        columns: &[
            "id",
            "receiver",
            "site",
            "fact",
            "occasion",
            "state",
            "tries",
            "status",
            "reason",
            "duration_ms",
            "at",
            "sequence",
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
        if !matches!(recorded.event, Event::Notice(_)) {
            return Ok(None);
        }
        let subject = &recorded.envelope.subject;
        let named = subject.parse().map_err(|_| Error::Subject { aggregate: "notice", subject: subject.clone() });
        Ok(Some(Key { id: named? }))
    }

    fn fold(row: Option<Self>, recorded: &Recorded) -> Option<Self> {
        let Event::Notice(fact) = &recorded.event else { return row };
        match (row, fact) {
            (_, NoticeEvent::Delivered(noticed)) => Self::settled(noticed, State::Delivered, recorded),
            (_, NoticeEvent::Failed(noticed)) => Self::settled(noticed, State::Failed, recorded),
            (Some(row), NoticeEvent::Requested { .. }) => {
                let (at, sequence) = (recorded.envelope.time, recorded.sequence);
                Some(Self { state: State::Requested, at, sequence, ..row })
            }
            (None, NoticeEvent::Requested { .. }) => None,
        }
    }

    fn write(&self, rows: &mut Rows) {
        rows.row()
            .put(&self.id)
            .put(&self.receiver)
            .put(&self.site)
            .put(&self.fact)
            .put(&variant(&self.occasion))
            .put(&variant(&self.state))
            .put(&self.tries)
            .put(&self.status)
            .put(&self.reason)
            .put(&self.duration_ms)
            .put(&self.at)
            .put(&self.sequence);
    }
}

impl Model {
    /// The notices of a receiver, by when it was known what became of them, newest first.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn notices(&self, receiver: ReceiverId, page_of: Older) -> Result<Vec<NoticeRow>, Error> {
        let text = "SELECT to_json(row) FROM @.notices row WHERE receiver = $1 AND sequence < $2
                    ORDER BY sequence DESC LIMIT $3";
        let query: model::Rows<'_, NoticeRow> = sqlx::query_scalar(self.sql(text));
        let before = page_of.before.map_or(i64::MAX, bigint);
        self.all("read notices", query.bind(receiver.0).bind(before).bind(page(page_of.limit))).await
    }

    /// The last notice of each receiver of a site.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn last_notices(&self, site: SiteId) -> Result<Vec<NoticeRow>, Error> {
        let text = "SELECT to_json(row) FROM @.receivers receiver, LATERAL (SELECT * FROM @.notices notice
                    WHERE notice.receiver = receiver.id ORDER BY notice.sequence DESC LIMIT 1) row WHERE receiver.site = $1";
        let query: model::Rows<'_, NoticeRow> = sqlx::query_scalar(self.sql(text));
        self.all("read the last notices", query.bind(site.0)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Story, site_id};
    use sqlx::types::Uuid;

    #[test]
    fn a_notice_is_what_was_said_of_it_last() {
        let (mut story, id) = (Story::default(), NoticeId(Uuid::from_u128(9)));
        let (site, receiver) = (site_id("docs"), ReceiverId(Uuid::from_u128(7)));
        let noticed = |tries, status, reason: &str| Noticed {
            site,
            receiver,
            sequence: 3,
            occasion: Occasion::BuildFailed,
            tries,
            status,
            reason: reason.to_owned(),
            duration_ms: 5,
        };
        let failed = story.tell(id, "service:notifier", NoticeEvent::Failed(noticed(9, Some(500), "it answered 500")));
        let row = NoticeRow::fold(None, &failed).unwrap();
        assert_eq!((row.state, row.tries, row.status, row.fact), (State::Failed, 9, Some(500), 3));
        let requested = story.tell(id, "user:ada", NoticeEvent::Requested { site, receiver, sequence: 3 });
        let row = NoticeRow::fold(Some(row), &requested).unwrap();
        assert_eq!((row.state, row.sequence, row.reason.as_str()), (State::Requested, 2, "it answered 500"));
        let delivered = story.tell(id, "service:notifier", NoticeEvent::Delivered(noticed(1, Some(204), "")));
        let row = NoticeRow::fold(Some(row), &delivered).unwrap();
        assert_eq!((row.state, row.tries, row.reason.as_str()), (State::Delivered, 1, ""));
    }
}
