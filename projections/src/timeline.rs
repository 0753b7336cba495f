//! The timeline: every fact as it was stated, to be read by story, by aggregate or by site.

use crate::Error;
use crate::copy::{Json, Rows, Table};
use crate::model::{self, Model, bigint, page};
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
    /// Only facts of this site, and the pushes that began its stories.
    pub site: Option<Whose>,
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
    /// The facts `query` asks for, oldest first: to read on, ask again after the last one.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn events(&self, query: &Query) -> Result<Vec<FactRow>, Error> {
        self.asked(query, "ASC").await
    }

    /// The latest facts `query` asks for, newest first.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn latest_events(&self, query: &Query) -> Result<Vec<FactRow>, Error> {
        self.asked(query, "DESC").await
    }

    /// What webhooks have told of a repository, newest first: before the sequence `before`, at most `limit`. A delivery that
    /// was sent again is there once.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn deliveries(
        &self,
        repository: &RepositoryUrl,
        limit: u32,
        before: Option<u64>,
    ) -> Result<Vec<FactRow>, Error> {
        let subject = Some(("repository".to_owned(), repository.canonical()));
        self.latest_events(&Query { subject, limit, before, ..Query::default() }).await
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

    async fn asked(&self, query: &Query, order: &'static str) -> Result<Vec<FactRow>, Error> {
        // Conditions are left out rather than made optional in SQL, so that each way of asking has its own plan and index.
        let events = self.sql("SELECT event.* FROM @.events event").0;
        let causes = self.sql("SELECT event.* FROM @.causes JOIN @.events event ON event.sequence = causes.sequence").0;
        let mut sql = QueryBuilder::<Postgres>::new("SELECT to_json(row) FROM (");
        let hosts = self.sql("SELECT site FROM @.hosts WHERE label = ").0;
        select(&mut sql, &Source { from: events, column: "event.site", hosts: hosts.clone() }, query, order);
        if query.site.is_some() {
            sql.push(" UNION ALL ");
            // What is the site's own already is not listed twice.
            let from = format!("{causes} AND event.site IS NULL");
            select(&mut sql, &Source { from, column: "causes.site", hosts }, query, order);
        }
        sql.push(") row ORDER BY sequence ").push(order).push(" LIMIT ").push_bind(page(query.limit));
        let rows: model::Rows<'_, FactRow> = sql.build_query_scalar();
        self.all("read the timeline", rows).await
    }
}

/// One ordered source of entries.
struct Source {
    from: String,
    /// The column that names the site that is asked for.
    column: &'static str,
    /// What finds a site by the name of its host, which follows.
    hosts: String,
}

/// The first page of a source is all that a page of the whole can need.
fn select(sql: &mut QueryBuilder<Postgres>, source: &Source, query: &Query, order: &'static str) {
    sql.push("(").push(&source.from).push(" WHERE event.sequence > ").push_bind(bigint(query.after));
    if let Some(before) = query.before {
        sql.push(" AND event.sequence < ").push_bind(bigint(before));
    }
    if let Some((aggregate, subject)) = &query.subject {
        sql.push(" AND event.aggregate = ").push_bind(aggregate.clone());
        sql.push(" AND event.subject = ").push_bind(subject.clone());
    }
    if let Some(correlation) = query.correlation {
        sql.push(" AND event.correlation = ").push_bind(correlation);
    }
    match &query.site {
        Some(Whose::Id(site)) => drop(sql.push(format!(" AND {} = ", source.column)).push_bind(site.0)),
        Some(Whose::Called(name)) => {
            sql.push(format!(" AND {} = ({}", source.column, source.hosts)).push_bind(name.to_string()).push(")");
        }
        None => {}
    }
    sql.push(" ORDER BY event.sequence ").push(order).push(" LIMIT ").push_bind(page(query.limit)).push(")");
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
