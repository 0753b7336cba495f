//! Who did what and when, for auditors: the same history as everywhere, asked in their way, as JSON and as CSV.

use super::events::whose;
use super::extract::Asked;
use super::page::{Items, Page};
use crate::place::Place;
use crate::problem::Problem;
use crate::subjects::Subjects;
use crate::view::View;
use axum::Json;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use events::event::TYPE_PREFIX;
use events::{EventId, OrganizationName, SiteId, SiteName};
use futures::{Stream, stream};
use http::header;
use projections::timeline::{About, FactRow, Query};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};

/// Facts that a part of the CSV is made of.
const PART: u32 = 1000;

/// What to look for. Every condition that is given must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// At most this many, 1 to 1000; 50 if absent.
    limit: Option<u32>,
    /// From after this place: the `next` of the page before.
    after: Option<u64>,
    /// Who is behind it, for example `token:ci` or `user:<id>`.
    actor: Option<String>,
    /// What the event is called or begins with: `site.deleted.v1`, `site.deleted`, `site`.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Only of one site, by its name or its id, with the pushes that began its stories.
    site: Option<String>,
    /// From this moment on.
    #[serde(default, with = "time::serde::rfc3339::option")]
    since: Option<OffsetDateTime>,
    /// Before this moment.
    #[serde(default, with = "time::serde::rfc3339::option")]
    until: Option<OffsetDateTime>,
}

/// Something that somebody did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Entry {
    /// Its place in the log.
    sequence: u64,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    time: OffsetDateTime,
    /// Who.
    actor: String,
    /// What, for programs.
    #[serde(rename = "type")]
    kind: String,
    /// About which aggregate: `<aggregate>/<id>`.
    subject: String,
    /// About which site, if it is about one.
    #[schema(value_type = Option<String>, format = Uuid, required)]
    site_id: Option<SiteId>,
    /// What that is called.
    #[schema(value_type = Option<String>, required)]
    site: Option<SiteName>,
    /// Of which organization, by its name.
    #[schema(value_type = Option<String>, required)]
    organization: Option<OrganizationName>,
    /// What, in words; null for an event that this version does not know.
    #[schema(required)]
    sentence: Option<String>,
    /// The event that its story began with.
    #[schema(value_type = String, format = Uuid)]
    correlation: EventId,
}

impl Entry {
    fn of(fact: FactRow, subjects: &Subjects) -> Self {
        let prefix = format!("{TYPE_PREFIX}.");
        Self {
            sequence: fact.sequence,
            time: fact.time,
            sentence: fact.sentence(),
            kind: fact.type_name.strip_prefix(&prefix).unwrap_or(&fact.type_name).to_owned(),
            subject: format!("{}/{}", fact.aggregate, fact.subject),
            site: subjects.site(&fact).map(|site| site.name.clone()),
            organization: subjects.organization(&fact).cloned(),
            actor: fact.actor.0,
            site_id: fact.site,
            correlation: fact.correlation,
        }
    }
}

impl Filter {
    /// A site that whoever asks may not know of is none.
    async fn may_ask(&self, view: &View) -> Result<(), Problem> {
        match self.site.as_deref().map(str::parse::<Place>).transpose()? {
            Some(place) => view.history_of(&place).await.map(drop),
            None => Ok(()),
        }
    }

    fn query(&self, limit: u32, before: Option<u64>) -> Query {
        let prefix = format!("{TYPE_PREFIX}.");
        let kind = self.kind.as_deref().map(|kind| kind.strip_prefix(&prefix).unwrap_or(kind).to_owned());
        let about = About { actor: self.actor.clone(), kind, since: self.since, until: self.until };
        let site = self.site.as_deref().and_then(|site| site.parse().ok()).as_ref().map(whose);
        Query { limit, before, about, site, ..Query::default() }
    }
}

/// Search the history
#[utoipa::path(get, path = "/audit", tag = "audit", params(Filter), responses(
    (status = 200, description = "What fits, newest first", body = Items<Entry>),
))]
pub(crate) async fn list(view: View, Asked(filter): Asked<Filter>) -> Result<Json<Items<Entry>>, Problem> {
    filter.may_ask(&view).await?;
    let page = Page::new(filter.limit, filter.after);
    let facts = view.model.latest_events(&filter.query(page.reads()?, filter.after), &view.sight).await?;
    let subjects = Subjects::named(&view, facts.iter()).await?;
    page.cut(facts, |fact| fact.sequence.to_string(), |fact| Entry::of(fact, &subjects)).map(Json)
}

/// Search the history, all that fits as CSV (RFC 4180)
#[utoipa::path(get, path = "/audit.csv", tag = "audit", params(Filter), responses(
    (status = 200, description = "What fits, newest first, with a line of names before it; `limit` and `after` mean nothing",
        content_type = "text/csv", body = String),
))]
pub(crate) async fn export(view: View, Asked(filter): Asked<Filter>) -> Result<Response, Problem> {
    filter.may_ask(&view).await?;
    Page::new(filter.limit, filter.after).limit()?;
    // The first part is read before the answer begins, so that a failure is told as such.
    let first = view.model.latest_events(&filter.query(PART, None), &view.sight).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""),
    ];
    Ok((headers, Body::from_stream(parts(view, filter, first))).into_response())
}

/// Part after part, until one is not full.
fn parts(view: View, filter: Filter, first: Vec<FactRow>) -> impl Stream<Item = Result<Bytes, Problem>> + Send {
    stream::try_unfold(Some((first, true)), move |state: Option<(Vec<FactRow>, bool)>| {
        let (view, query) = (view.clone(), |before| filter.query(PART, Some(before)));
        let next = state.as_ref().and_then(|(facts, _)| facts.last().filter(|_| facts.len() == PART as usize));
        let next = next.map(|last| query(last.sequence));
        async move {
            let Some((facts, named)) = state else { return Ok(None) };
            let subjects = Subjects::named(&view, facts.iter()).await?;
            let text = written(facts, &subjects, named)?;
            let rest = match next {
                Some(query) => Some((view.model.latest_events(&query, &view.sight).await?, false)),
                None => None,
            };
            Ok(Some((text, rest)))
        }
    })
}

fn written(facts: Vec<FactRow>, subjects: &Subjects, named: bool) -> Result<Bytes, Problem> {
    let mut csv =
        csv::WriterBuilder::new().has_headers(named).terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for fact in facts {
        csv.serialize(Line::from(Entry::of(fact, subjects))).map_err(|error| Problem::Internal(error.into()))?;
    }
    csv.into_inner().map(Bytes::from).map_err(|error| Problem::Internal(error.to_string().into()))
}

/// A line of the CSV. What a spreadsheet would take for a formula is made a text.
#[derive(Serialize)]
struct Line {
    sequence: u64,
    #[serde(with = "time::serde::rfc3339")]
    time: OffsetDateTime,
    actor: String,
    #[serde(rename = "type")]
    kind: String,
    subject: String,
    site_id: Option<SiteId>,
    sentence: String,
    correlation: EventId,
    site: Option<SiteName>,
    organization: Option<OrganizationName>,
}

impl From<Entry> for Line {
    fn from(entry: Entry) -> Self {
        let Entry { sequence, time, actor, kind, subject, site_id, site, organization, sentence, correlation } = entry;
        let sentence = text(sentence.unwrap_or_default());
        let (actor, subject) = (text(actor), text(subject));
        Self { sequence, time, actor, kind, subject, site_id, site, organization, sentence, correlation }
    }
}

fn text(value: String) -> String {
    if value.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{value}") } else { value }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn no_text_is_a_formula() {
        assert_eq!(text("=cmd()".to_owned()), "'=cmd()");
        assert_eq!(text("site created".to_owned()), "site created");
    }
}
