//! The facts themselves, to read on from any place or to watch as they are stated.

use super::extract::{Asked, Named};
use super::page::{Items, Page};
use crate::app::App;
use crate::place::Place;
use crate::problem::Problem;
use crate::sessions::Visit;
use crate::streams::{self, Seat};
use crate::view::View;
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use events::{EventId, Recorded, Refusal, SiteId};
use futures::{StreamExt, TryStreamExt, stream};
use http::{HeaderMap, header};
use projections::Sight;
use projections::timeline::{self, Whose};
use runtime::cloudevent;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// The media type of a JSON array of events.
const BATCH: &str = "application/cloudevents-batch+json";
/// Facts read from the log at once.
const READERS: usize = 16;

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// At most this many, 1 to 1000; 50 if absent.
    limit: Option<u32>,
    /// Only after this sequence; 0 if absent.
    after: Option<u64>,
    /// Only about one aggregate: `<aggregate>/<id>`, for example `host/docs`.
    subject: Option<String>,
    /// Only of one story: the id of the event it began with.
    #[param(value_type = Option<String>, format = Uuid)]
    correlation: Option<EventId>,
    /// Only of one site, by its name or its id, with the pushes that began its stories.
    #[param(value_type = Option<String>)]
    site: Option<String>,
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
    /// Only of one site, by its name or its id, with the pushes that began its stories.
    #[param(value_type = Option<String>)]
    site: Option<String>,
}

/// Reads `<aggregate>/<id>`.
pub(crate) fn subject(text: &str) -> Result<(String, String), Problem> {
    let parts = text.split_once('/').map(|(aggregate, id)| (aggregate.to_owned(), id.to_owned()));
    parts.ok_or_else(|| Problem::InvalidInput("`subject` must be `<aggregate>/<id>`".to_owned()))
}

/// Read events
#[utoipa::path(get, path = "/events", tag = "events", params(Filter), responses(
    (status = 200, description = "CloudEvents 1.0 in JSON, oldest first, with the extensions `sequence`, `correlationid`, \
        `causationid`, `actor`, `traceparent` and `tracestate`; the bare batch if that is what is accepted", content(
        (Items<serde_json::Value> = "application/json"), (Vec<serde_json::Value> = "application/cloudevents-batch+json"),
    )),
))]
pub(crate) async fn list(view: View, headers: HeaderMap, Asked(filter): Asked<Filter>) -> Result<Response, Problem> {
    let subject = filter.subject.as_deref().map(subject).transpose()?;
    let place: Option<Place> = filter.site.as_deref().map(str::parse).transpose()?;
    let page = Page::new(filter.limit, filter.after);
    let site = place.as_ref().map(whose);
    let query = timeline::Query { subject, correlation: filter.correlation, site, ..asked(&page)? };
    may_ask(&view, place.as_ref()).await?;
    let answer = read(&view, &page, &query).await?;
    if let Some(name @ Place::Name(_)) = place.filter(|_| answer.is_empty()) {
        view.history_of(&name).await?;
    }
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains(BATCH) {
        return Ok(([(header::CONTENT_TYPE, BATCH)], Json(answer.into_items())).into_response());
    }
    Ok(Json(answer).into_response())
}

/// Read the events of a site, with the pushes that began its stories
#[utoipa::path(get, path = "/sites/{site}/events", tag = "events", params(("site" = String, Path), Page), responses(
    (status = 200, description = "CloudEvents 1.0 in JSON, oldest first", body = Items<serde_json::Value>),
))]
pub(crate) async fn of_site(
    view: View,
    Named(place): Named<Place>,
    Asked(page): Asked<Page>,
) -> Result<Response, Problem> {
    let query = timeline::Query { site: Some(whose(&place)), ..asked(&page)? };
    may_ask(&view, Some(&place)).await?;
    let answer = read(&view, &page, &query).await?;
    if answer.is_empty() {
        view.history_of(&place).await?;
    }
    Ok(Json(answer).into_response())
}

/// Whoever sees everything is asked nothing before.
async fn may_ask(view: &View, place: Option<&Place>) -> Result<(), Problem> {
    match place.filter(|_| view.sight != Sight::All) {
        Some(place) => view.history_of(place).await.map(drop),
        None => Ok(()),
    }
}

/// A site that has facts is one, so whether there is such a site is asked only when there are none.
pub(super) fn whose(place: &Place) -> Whose {
    match place {
        Place::Id(id) => Whose::Id(*id),
        Place::Name(name) => Whose::Called(name.clone()),
    }
}

fn asked(page: &Page) -> Result<timeline::Query, Problem> {
    let (limit, after) = (page.reads()?, page.after_as()?.unwrap_or(0));
    Ok(timeline::Query { limit, after, ..timeline::Query::default() })
}

/// The site a filter names. An id needs no read model, so that facts can be watched while that is away.
async fn site_of(view: &View, site: Option<&str>) -> Result<Option<SiteId>, Problem> {
    match site.map(str::parse).transpose()? {
        Some(Place::Id(id)) if view.sees(id).await? => Ok(Some(id)),
        Some(Place::Id(_)) => Err(Refusal::SiteNotFound.into()),
        Some(name @ Place::Name(_)) => Ok(Some(view.history_of(&name).await?)),
        None => Ok(None),
    }
}

/// The read model says which; the log says what, with all of its context.
async fn read(view: &View, page: &Page, query: &timeline::Query) -> Result<Items<cloudevents::Event>, Problem> {
    let found: Vec<u64> =
        view.model.events(query, &view.sight).await?.into_iter().map(|entry| entry.sequence).collect();
    let sequences = page.cut(found, ToString::to_string, |sequence| sequence)?;
    let reading = |sequences| stream::iter(sequences).map(|sequence| stated(view, sequence)).buffered(READERS);
    sequences.try_map(async |sequences| reading(sequences).try_collect().await).await
}

async fn stated(app: &App, sequence: u64) -> Result<cloudevents::Event, Problem> {
    let fact = app.log.fact(sequence).await?;
    let fact = fact.ok_or_else(|| Problem::Internal(format!("fact {sequence} is not in the log").into()))?;
    cloudevent::of(&fact).map_err(Problem::Internal)
}

/// Read one event
#[utoipa::path(get, path = "/events/{sequence}", tag = "events", params(("sequence" = u64, Path)), responses(
    (status = 200, description = "A CloudEvent 1.0 in JSON", body = serde_json::Value),
))]
pub(crate) async fn show(view: View, Named(sequence): Named<u64>) -> Result<Json<cloudevents::Event>, Problem> {
    let fact = view.fact(sequence).await?;
    cloudevent::of(&fact).map(Json).map_err(Problem::Internal)
}

/// Watch events
#[utoipa::path(get, path = "/events/live", tag = "events", params(LiveFilter), responses(
    (status = 200, description = "Server-sent events: `id` is the sequence, `event` the fact, `data` a CloudEvent in JSON",
        content_type = "text/event-stream", body = String),
))]
pub(crate) async fn live(
    view: View,
    visit: Option<Extension<Visit>>,
    headers: HeaderMap,
    Asked(filter): Asked<LiveFilter>,
) -> Result<Response, Problem> {
    let site = site_of(&view, filter.site.as_deref()).await?;
    let seat = Seat::take(&view, visit)?;
    let after = match streams::resume(&headers, filter.after)? {
        Some(after) => after,
        None => view.log.last_sequence().await?,
    };
    let news = view.news.after(after);
    let filter = Arc::new(filter);
    let entries = news.filter_map(move |fact| {
        let (view, filter) = (view.clone(), Arc::clone(&filter));
        async move {
            let wanted = filter.wants(&fact, site) && view.sees_fact(&fact).await.unwrap_or(false);
            wanted.then(|| event(&fact)).flatten()
        }
    });
    Ok(seat.sse(entries))
}

impl LiveFilter {
    fn wants(&self, fact: &Recorded, site: Option<SiteId>) -> bool {
        let told = self.correlation.is_none_or(|correlation| correlation == fact.envelope.correlation);
        told && (site.is_none() || fact.site() == site)
    }
}

fn event(fact: &Recorded) -> Option<Event> {
    let text = serde_json::to_string(&cloudevent::of(fact).ok()?).ok()?;
    Some(Event::default().id(fact.sequence.to_string()).event(fact.event.name()).data(text))
}
