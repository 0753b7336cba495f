//! The timeline: every fact as it was stated, to be read by story, by aggregate or by site.

use crate::model::{Model, Rows, bigint, page};
use crate::{Error, table};
use events::{Actor, AliasEvent, BuildEvent, DeployEvent, Event, EventId, Recorded, SiteName};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgConnection;
use sqlx::{Postgres, QueryBuilder};
use time::OffsetDateTime;

/// A fact at its place in the log, with its payload as JSON: facts of every version read alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
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
    /// The site it belongs to; none for a fact about a repository.
    pub site: Option<SiteName>,
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

/// Which facts, and how many. Every condition that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only facts after this sequence; 0 for all.
    pub after: u64,
    /// At most this many, and never more than [`crate::PAGE_MAX`].
    pub limit: u32,
    /// Only facts about this aggregate: its kind and its id.
    pub subject: Option<(String, String)>,
    /// Only facts of this story.
    pub correlation: Option<EventId>,
    /// Only facts of this site.
    pub site: Option<SiteName>,
}

impl From<&Recorded> for Entry {
    fn from(recorded: &Recorded) -> Self {
        let Recorded { sequence, envelope, event } = recorded;
        Self {
            sequence: *sequence,
            id: envelope.id,
            type_name: event.type_name(),
            aggregate: event.aggregate().to_owned(),
            subject: envelope.subject.clone(),
            site: site(recorded),
            time: envelope.time,
            actor: envelope.actor.clone(),
            correlation: envelope.correlation,
            causation: envelope.causation,
            data: event.data(),
        }
    }
}

fn site(recorded: &Recorded) -> Option<SiteName> {
    match &recorded.event {
        Event::Site(_) => recorded.envelope.subject.parse().ok(),
        Event::Repository(_) => None,
        Event::Build(
            BuildEvent::Queued { site, .. }
            | BuildEvent::Dispatched { site }
            | BuildEvent::Started { site, .. }
            | BuildEvent::Finished { site, .. }
            | BuildEvent::Canceled { site, .. }
            | BuildEvent::LogArchived { site, .. },
        )
        | Event::Deploy(DeployEvent::Synced { site, .. } | DeployEvent::Mirrored { site, .. })
        | Event::Alias(AliasEvent::Promoted { site, .. } | AliasEvent::Removed { site, .. }) => Some(site.clone()),
    }
}

pub(crate) async fn append(connection: &mut PgConnection, schema: &str, facts: &[&Recorded]) -> Result<(), Error> {
    let entries: Vec<Entry> = facts.iter().map(|recorded| Entry::from(*recorded)).collect();
    table::append(connection, schema, "events", &entries).await
}

impl Model {
    /// The facts `query` asks for, oldest first: to read on, ask again after the last one.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn events(&self, query: &Query) -> Result<Vec<Entry>, Error> {
        self.asked(query, "ASC").await
    }

    /// The latest facts `query` asks for, newest first.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn latest_events(&self, query: &Query) -> Result<Vec<Entry>, Error> {
        self.asked(query, "DESC").await
    }

    async fn asked(&self, query: &Query, order: &'static str) -> Result<Vec<Entry>, Error> {
        // Conditions are left out rather than made optional in SQL, so that each way of asking has its own plan and index.
        let text = self.sql("SELECT to_json(row) FROM @.events row WHERE sequence > ").0;
        let mut sql = QueryBuilder::<Postgres>::new(text);
        sql.push_bind(bigint(query.after));
        if let Some((aggregate, subject)) = &query.subject {
            sql.push(" AND aggregate = ").push_bind(aggregate).push(" AND subject = ").push_bind(subject);
        }
        if let Some(correlation) = query.correlation {
            sql.push(" AND correlation = ").push_bind(correlation);
        }
        if let Some(site) = &query.site {
            sql.push(" AND site = ").push_bind(site.as_str());
        }
        sql.push(" ORDER BY sequence ").push(order).push(" LIMIT ").push_bind(page(query.limit));
        let rows: Rows<'_, Entry> = sql.build_query_scalar();
        self.all("read the timeline", rows).await
    }
}
