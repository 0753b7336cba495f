//! The timeline: every fact as it was stated, to be read by story, by aggregate or by site.

mod asking;

use crate::copy::{Json, Rows, Table};
use crate::model::{self, Model, page};
use crate::{Error, Sight};
use asking::Asking;
use events::{Actor, BuildEvent, Event, EventId, Recorded, RepositoryUrl, SiteId, SiteName};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgConnection;
use sqlx::{Postgres, QueryBuilder};
use time::OffsetDateTime;

/// A fact at its place in the log, with its payload as JSON: facts of every version read alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FactRow {
    /// Its sequence in the log.
    pub sequence: u64,
    /// Its identity.
    pub id: EventId,
    /// Its CloudEvents type, for example `dev.pagefold.build.finished.v1`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// What kind of aggregate it is about.
    pub aggregate: String,
    /// Which one.
    pub subject: String,
    /// The site it belongs to; none for a fact about a repository or an organization.
    pub site: Option<SiteId>,
    /// When it was stated.
    #[serde(with = "time::serde::rfc3339")]
    pub time: OffsetDateTime,
    /// Who is behind it.
    pub actor: Actor,
    /// The fact its story began with.
    pub correlation: EventId,
    /// The fact that led to it.
    pub causation: Option<EventId>,
    /// Its payload.
    pub data: serde_json::Value,
}

impl FactRow {
    /// What it says; none if this version does not know the fact.
    #[must_use]
    pub fn event(&self) -> Option<Event> {
        Event::decode(&self.type_name, self.data.to_string().as_bytes()).ok()
    }

    /// What happened, in words; none if this version does not know the fact.
    #[must_use]
    pub fn sentence(&self) -> Option<String> {
        self.event().map(|event| event.sentence(&self.subject))
    }
}

/// Which facts, and how many. Every condition that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only facts after this sequence; 0 for all.
    pub after: u64,
    /// Only facts before this sequence.
    pub before: Option<u64>,
    /// At most this many, and never more than [`crate::PAGE_MAX`].
    pub limit: u32,
    /// Only facts about this aggregate: its kind and its id.
    pub subject: Option<(String, String)>,
    /// Only facts of this story.
    pub correlation: Option<EventId>,
    /// Only facts of this site, and the pushes that began its stories. Whether it may be seen was asked before.
    pub site: Option<Whose>,
    /// Only such facts.
    pub about: About,
}

/// What an audit asks of facts. Every condition that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// Who is behind them.
    pub actor: Option<String>,
    /// What their name begins with: `site.deleted.v1`, or `site.` for all about sites.
    pub kind: Option<String>,
    /// When they were stated at the earliest.
    pub since: Option<OffsetDateTime>,
    /// Before when they were stated.
    pub until: Option<OffsetDateTime>,
}

/// A page of a list that begins with the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Older {
    /// At most this many.
    pub limit: u32,
    /// Only what is before this sequence.
    pub before: Option<u64>,
}

/// A site as whoever asks knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// By its identity.
    Id(SiteId),
    /// By a host that shows it, or showed it last. There may be none.
    Called(SiteName),
}

const EVENTS: Table = Table {
    name: "events",
    columns: &[
        "sequence",
        "id",
        "type",
        "aggregate",
        "subject",
        "site",
        "time",
        "actor",
        "correlation",
        "causation",
        "data",
    ],
};
/// The facts that belong to no site and began a story of one.
const CAUSES: Table = Table { name: "causes", columns: &["site", "sequence"] };

/// A fact with its payload as text.
pub(crate) struct Stated<'a> {
    pub(crate) recorded: &'a Recorded,
    payload: String,
}

impl<'a> Stated<'a> {
    /// A fact whose texts Postgres can hold.
    pub(crate) fn of(recorded: &'a Recorded) -> Result<Self, Error> {
        let payload = recorded.event.payload();
        let context = [&recorded.envelope.subject, &recorded.envelope.actor.0];
        if has_nul(&payload) || context.iter().any(|text| text.contains('\0')) {
            return Err(Error::Nul);
        }
        Ok(Self { recorded, payload })
    }
}

/// Whether a text in some JSON has the character U+0000, which is always escaped there.
fn has_nul(json: &str) -> bool {
    let is_escape = |at: usize| json[..at].bytes().rev().take_while(|byte| *byte == b'\\').count().is_multiple_of(2);
    json.match_indices(r"\u0000").any(|(at, _)| is_escape(at))
}

pub(crate) async fn append(connection: &mut PgConnection, schema: &str, facts: &[&Stated<'_>]) -> Result<(), Error> {
    let (mut entries, mut causes) = (Rows::of(EVENTS), Rows::of(CAUSES));
    for stated in facts {
        write(stated, &mut entries);
        // What the build says of its source. A site's own facts are listed as its own.
        if let Event::Build(BuildEvent::Queued { site, source_sequence, .. }) = &stated.recorded.event {
            causes.row().put(site).put(source_sequence);
        }
    }
    entries.send(connection, schema).await?;
    causes.send(connection, schema).await
}

fn write(Stated { recorded, payload }: &Stated<'_>, rows: &mut Rows) {
    let Recorded { sequence, envelope, event } = recorded;
    rows.row().put(sequence).put(&envelope.id).put(&event.type_name()).put(&event.aggregate()).put(&envelope.subject);
    rows.put(&recorded.site()).put(&envelope.time).put(&envelope.actor).put(&envelope.correlation);
    rows.put(&envelope.causation).put(&Json(payload));
}

impl Model {
    /// The facts in `sight` that `query` asks for, oldest first: to read on, ask again after the last one.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn events(&self, query: &Query, sight: &Sight) -> Result<Vec<FactRow>, Error> {
        self.asked(query, sight, "ASC").await
    }

    /// The latest facts in `sight` that `query` asks for, newest first.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn latest_events(&self, query: &Query, sight: &Sight) -> Result<Vec<FactRow>, Error> {
        self.asked(query, sight, "DESC").await
    }

    /// What webhooks have told a site of its repository, signed for all of its sites or for this one, newest first: before the
    /// sequence `before`, at most `limit`. A delivery that was sent again is there once.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn deliveries(
        &self,
        site: SiteId,
        repository: &RepositoryUrl,
        page: Older,
    ) -> Result<Vec<FactRow>, Error> {
        let Older { limit, before } = page;
        let name = repository.canonical();
        let own = format!("{name}#{site}");
        let mut facts = Vec::new();
        for subject in [name, own] {
            let subject = Some(("repository".to_owned(), subject));
            facts.extend(self.latest_events(&Query { subject, limit, before, ..Query::default() }, &Sight::All).await?);
        }
        facts.sort_by_key(|fact| std::cmp::Reverse(fact.sequence));
        facts.truncate(limit as usize);
        Ok(facts)
    }

    /// The sequence of the last fact that was stated at `time` or before; 0 if there is none.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn sequence_at(&self, time: OffsetDateTime) -> Result<u64, Error> {
        let text = "SELECT to_json(sequence) FROM @.events WHERE time <= $1 ORDER BY sequence DESC LIMIT 1";
        let query: model::Rows<'_, u64> = sqlx::query_scalar(self.sql(text));
        Ok(self.one("find a moment", query.bind(time)).await?.unwrap_or(0))
    }

    /// The newest facts of some stories, oldest first, at most `limit`. Whose they are is not looked at.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn told_in(&self, stories: &[EventId], limit: u32) -> Result<Vec<FactRow>, Error> {
        let text = "SELECT to_json(row) FROM @.events row WHERE correlation = ANY ($1) ORDER BY sequence DESC LIMIT $2";
        let query: model::Rows<'_, FactRow> = sqlx::query_scalar(self.sql(text));
        let mut facts = self.all("read stories", query.bind(stories).bind(page(limit))).await?;
        facts.reverse();
        Ok(facts)
    }

    /// The fact with this id.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn event_with(&self, id: EventId) -> Result<Option<FactRow>, Error> {
        let query: model::Rows<'_, FactRow> =
            sqlx::query_scalar(self.sql("SELECT to_json(row) FROM @.events row WHERE id = $1"));
        self.one("read a fact", query.bind(id)).await
    }

    async fn asked(&self, query: &Query, sight: &Sight, order: &'static str) -> Result<Vec<FactRow>, Error> {
        let mut sql = QueryBuilder::<Postgres>::new("SELECT to_json(row) FROM (SELECT DISTINCT ON (sequence) * FROM (");
        let asking = Asking { model: self, query, order };
        match (&query.site, sight) {
            (Some(_), _) => asking.of_site(&mut sql),
            (None, Sight::All) => asking.select(&mut sql, "SELECT event.* FROM @.events event", |_| {}),
            (None, Sight::Organizations { .. } | Sight::Site(_)) => asking.of_sight(&mut sql, sight),
        }
        sql.push(") found ORDER BY sequence ").push(order).push(") row ORDER BY sequence ").push(order);
        sql.push(" LIMIT ").push_bind(page(query.limit));
        let rows: model::Rows<'_, FactRow> = sql.build_query_scalar();
        self.all("read the timeline", rows).await
    }
}

#[cfg(test)]
mod tests {
    use super::has_nul;
    use serde_json::json;

    #[test]
    fn what_only_looks_like_a_nul_is_none() {
        for (text, expected) in [("a\0b", true), ("\\\0", true), (r"\u0000", false), (r"a\\u0000", false), ("", false)]
        {
            assert_eq!(has_nul(&json!({ "text": text }).to_string()), expected, "{text:?}");
        }
    }
}
