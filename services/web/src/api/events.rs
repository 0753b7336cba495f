//! The facts themselves, to read on from any place or to watch as they are stated.

use super::extract::Asked;
use crate::problem::Problem;
use crate::server::Shared;
use crate::streams;
use axum::Json;
use axum::extract::State;
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use events::{EventId, Recorded, SiteName};
use futures::{StreamExt, TryStreamExt, stream};
use http::{HeaderMap, header};
use projections::timeline;
use runtime::cloudevent;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The media type of a JSON array of events.
const BATCH: &str = "application/cloudevents-batch+json";
/// Events of an answer unless it is asked for more.
const LIMIT: u32 = 100;
/// Facts read from the log at once.
const READERS: usize = 16;

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only after this sequence; 0 if absent.
    after: Option<u64>,
    /// At most this many, 1 to 200; 100 if absent.
    limit: Option<u32>,
    /// Only about one aggregate: `<aggregate>/<id>`, for example `site/docs`.
    subject: Option<String>,
    /// Only of one story: the id of the event it began with.
    #[param(value_type = Option<String>, format = Uuid)]
    correlation: Option<EventId>,
    /// Only of one site.
    #[param(value_type = Option<String>)]
    site: Option<SiteName>,
}

/// Which live events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LiveFilter {
    /// From after this sequence; from now on if absent. `Last-Event-ID` wins.
    after: Option<u64>,
    /// Only of one story.
    #[param(value_type = Option<String>, format = Uuid)]
    correlation: Option<EventId>,
    /// Only of one site.
    #[param(value_type = Option<String>)]
    site: Option<SiteName>,
}

/// A stretch of the log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Events {
    /// CloudEvents 1.0 in JSON, oldest first, with the extensions `sequence`, `correlationid`, `causationid`, `actor`,
    /// `traceparent` and `tracestate`.
    #[schema(value_type = Vec<Object>)]
    events: Vec<cloudevents::Event>,
    /// What to ask `after` to read on.
    next: u64,
}

impl Filter {
    fn query(self) -> Result<timeline::Query, Problem> {
        let subject = self.subject.as_deref().map(subject).transpose()?;
        let limit = super::limit(self.limit, LIMIT)?;
        let Self { correlation, site, after, .. } = self;
        Ok(timeline::Query { after: after.unwrap_or(0), limit, subject, correlation, site })
    }
}

/// Reads `<aggregate>/<id>`.
pub(crate) fn subject(text: &str) -> Result<(String, String), Problem> {
    let parts = text.split_once('/').map(|(aggregate, id)| (aggregate.to_owned(), id.to_owned()));
    parts.ok_or_else(|| Problem::InvalidInput("`subject` must be `<aggregate>/<id>`".to_owned()))
}

/// Read events
#[utoipa::path(get, path = "/events", tag = "events", params(Filter), responses(
    (status = 200, description = "Oldest first; the bare batch if that is what is accepted", content(
        (Events = "application/json"), (Vec<Object> = "application/cloudevents-batch+json"),
    )),
))]
pub(crate) async fn list(
    State(app): State<Shared>,
    headers: HeaderMap,
    Asked(filter): Asked<Filter>,
) -> Result<Response, Problem> {
    let query = filter.query()?;
    let found = app.model.events(&query).await?;
    let next = found.last().map_or(query.after, |entry| entry.sequence);
    // The read model says which; the log says what, with all of its context.
    let reading = stream::iter(found).map(|entry| stated(&app, entry.sequence)).buffered(READERS);
    let events: Vec<cloudevents::Event> = reading.try_collect().await?;
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains(BATCH) {
        return Ok(([(header::CONTENT_TYPE, BATCH)], Json(events)).into_response());
    }
    Ok(Json(Events { events, next }).into_response())
}

async fn stated(app: &Shared, sequence: u64) -> Result<cloudevents::Event, Problem> {
    let fact = app.log.fact(sequence).await?;
    let fact = fact.ok_or_else(|| Problem::Internal(format!("fact {sequence} is not in the log").into()))?;
    cloudevent::of(&fact).map_err(Problem::Internal)
}

/// Watch events
#[utoipa::path(get, path = "/events/live", tag = "events", params(LiveFilter), responses(
    (status = 200, description = "Server-sent events: `id` is the sequence, `event` the fact, `data` a CloudEvent in JSON",
        content_type = "text/event-stream", body = String),
))]
pub(crate) async fn live(
    State(app): State<Shared>,
    headers: HeaderMap,
    Asked(filter): Asked<LiveFilter>,
) -> Result<Response, Problem> {
    let permit = app.streams.take()?;
    let after = match streams::resume(&headers, filter.after)? {
        Some(after) => after,
        None => app.log.last_sequence().await?,
    };
    let entries = app.log.follow(after).filter_map(move |entry| {
        let event = entry.fact.ok().filter(|fact| filter.wants(fact)).and_then(|fact| event(&fact));
        futures::future::ready(event)
    });
    Ok(streams::sse(&app, permit, entries))
}

impl LiveFilter {
    fn wants(&self, fact: &Recorded) -> bool {
        let told = self.correlation.is_none_or(|correlation| correlation == fact.envelope.correlation);
        told && (self.site.is_none() || timeline::Entry::from(fact).site == self.site)
    }
}

fn event(fact: &Recorded) -> Option<Event> {
    let text = serde_json::to_string(&cloudevent::of(fact).ok()?).ok()?;
    Some(Event::default().id(fact.sequence.to_string()).event(fact.event.name()).data(text))
}
