//! The whole installation, for those who look after it: the platform roles `admin` and `support`.

use super::extract::{Asked, Named};
use super::page::{Items, Page};
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands::{self, Verdict};
use crate::platform::{self, Consumer, Launcher};
use crate::problem::Problem;
use crate::view::View;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use events::{Lane, OrganizationId, OrganizationName};
use http::{StatusCode, header};
use projections::platform::{PaceRow, QueueRow, UsageRow};
use runtime::clock;
use runtime::parked::Parked;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};

/// Lines of the queue.
const LINES: u32 = 1000;
/// Organizations that a part of the CSV is made of.
const PART: u32 = 1000;

/// The open builds of an organization in one lane.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Line {
    /// `high` when a person waits, else `low`.
    #[schema(value_type = String)]
    lane: Lane,
    /// Whose they are.
    #[schema(value_type = String, format = Uuid)]
    organization_id: OrganizationId,
    /// What that is called.
    #[schema(value_type = Option<String>, required)]
    organization: Option<OrganizationName>,
    /// How many wait.
    waiting: u64,
    /// How many are built, or stored.
    running: u64,
    /// Since when the first of those waits that wait.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    waiting_since: Option<OffsetDateTime>,
}

/// What is built, what waits, and who builds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Queue {
    /// By lane and organization.
    lines: Vec<Line>,
    /// Those that are there, or are at work.
    launchers: Vec<Launcher>,
}

/// How the builds went that were asked for within an hour.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Hour {
    /// When it begins.
    #[serde(with = "time::serde::rfc3339")]
    from: OffsetDateTime,
    /// How many builds.
    builds: u64,
    /// How many of them failed.
    failed: u64,
    /// How long half of them waited at most, in milliseconds.
    #[schema(required)]
    wait_ms: Option<f64>,
    /// How long 95 % of them waited at most.
    #[schema(required)]
    wait_ms_95: Option<f64>,
    /// How long half of them took at most.
    #[schema(required)]
    took_ms: Option<f64>,
    /// How long 95 % of them took at most.
    #[schema(required)]
    took_ms_95: Option<f64>,
}

/// How far back.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Back {
    /// Hours, 1 to 168; 24 if absent.
    #[param(minimum = 1, maximum = 168)]
    hours: Option<u16>,
}

/// What an organization uses.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Usage {
    /// Which.
    #[schema(value_type = String, format = Uuid)]
    id: OrganizationId,
    /// What it is called.
    #[schema(value_type = String)]
    name: OrganizationName,
    /// Its sites.
    sites: u64,
    /// Its members.
    members: u64,
    /// Its builds of the last 30 days.
    builds: u64,
    /// How many minutes they took together.
    build_minutes: f64,
    /// Bytes that are stored of its sites.
    stored_bytes: u64,
}

/// What a consumer could not handle.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OnShelf {
    /// Its place on the shelf.
    id: u64,
    /// The consumer.
    consumer: String,
    /// The fact's place in the log.
    sequence: u64,
    /// What it is called.
    #[serde(rename = "type")]
    event_type: String,
    /// What it is about.
    subject: String,
    /// Why it could not be handled.
    reason: String,
    /// How often it was tried.
    deliveries: u64,
    /// When it was given up.
    #[serde(with = "time::serde::rfc3339")]
    parked_at: OffsetDateTime,
}

impl From<QueueRow> for Line {
    fn from(row: QueueRow) -> Self {
        let QueueRow { lane, organization, name, waiting, running, waiting_since } = row;
        Self { lane, organization_id: organization, organization: name, waiting, running, waiting_since }
    }
}

impl From<PaceRow> for Hour {
    fn from(row: PaceRow) -> Self {
        let PaceRow { from, builds, failed, wait_ms, wait_ms_95, took_ms, took_ms_95 } = row;
        Self { from, builds, failed, wait_ms, wait_ms_95, took_ms, took_ms_95 }
    }
}

impl From<UsageRow> for Usage {
    fn from(row: UsageRow) -> Self {
        let UsageRow { id, name, sites, members, builds, build_ms, stored_bytes } = row;
        let build_minutes = (build_ms as f64 / 600.0).round() / 100.0;
        Self { id, name, sites, members, builds, build_minutes, stored_bytes }
    }
}

impl From<Parked> for OnShelf {
    fn from(parked: Parked) -> Self {
        let Parked { id, consumer, sequence, event_type, subject, reason, deliveries, parked_at } = parked;
        Self { id, consumer, sequence, event_type, subject, reason, deliveries, parked_at }
    }
}

/// Look at the queue, and at who builds
#[utoipa::path(get, path = "/platform/queue", tag = "platform", responses(
    (status = 200, description = "What is open now", body = Queue),
))]
pub(crate) async fn queue(view: View) -> Result<Json<Queue>, Problem> {
    platform::may_look(&view)?;
    let lines = view.model.queue(LINES).await?;
    let lines = lines.into_iter().map(Line::from).collect();
    Ok(Json(Queue { lines, launchers: platform::launchers(&view).await? }))
}

/// Read how long builds waited and took, hour by hour
#[utoipa::path(get, path = "/platform/pace", tag = "platform", params(Back), responses(
    (status = 200, description = "The hours in which builds were asked for, oldest first", body = Items<Hour>),
))]
pub(crate) async fn pace(view: View, Asked(Back { hours }): Asked<Back>) -> Result<Json<Items<Hour>>, Problem> {
    platform::may_look(&view)?;
    let hours = hours.unwrap_or(platform::HOURS);
    if !(1..=168).contains(&hours) {
        return Err(Problem::InvalidInput("`hours` must be 1 to 168".to_owned()));
    }
    let rows = platform::pace(&view, hours).await?;
    Ok(Json(Items::whole(rows.into_iter().map(Hour::from).collect())))
}

/// See how far everybody is who works through facts
#[utoipa::path(get, path = "/platform/consumers", tag = "platform", responses(
    (status = 200, description = "By name, and the read model last", body = Items<Consumer>),
))]
pub(crate) async fn consumers(view: View) -> Result<Json<Items<Consumer>>, Problem> {
    platform::may_look(&view)?;
    Ok(Json(Items::whole(platform::consumers(&view).await?)))
}

/// List what could not be handled
#[utoipa::path(get, path = "/platform/parked", tag = "platform", responses(
    (status = 200, description = "Everything on the shelf, the oldest first", body = Items<OnShelf>),
))]
pub(crate) async fn shelf(view: View) -> Result<Json<Items<OnShelf>>, Problem> {
    platform::may_look(&view)?;
    Ok(Json(Items::whole(platform::shelf(&view).await?.into_iter().map(OnShelf::from).collect())))
}

/// Give what was parked to its consumer again
#[utoipa::path(post, path = "/platform/parked/{id}/retry", tag = "platform", params(("id" = u64, Path)), responses(
    (status = 202, description = "It is given", body = OnShelf),
))]
pub(crate) async fn retry(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<u64>,
) -> Result<(StatusCode, Json<OnShelf>), Problem> {
    let parked = commands::handle_parked(&app, id, Verdict::Retry, caller).await?;
    Ok((StatusCode::ACCEPTED, Json(parked.into())))
}

/// Take what was parked off the shelf; the fact stays in the log
#[utoipa::path(delete, path = "/platform/parked/{id}", tag = "platform", params(("id" = u64, Path)), responses(
    (status = 204, description = "It is off the shelf"),
))]
pub(crate) async fn discard(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<u64>,
) -> Result<StatusCode, Problem> {
    commands::handle_parked(&app, id, Verdict::Drop, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Read what organizations use
#[utoipa::path(get, path = "/platform/usage", tag = "platform", params(Page), responses(
    (status = 200, description = "By name", body = Items<Usage>),
))]
pub(crate) async fn usage(view: View, Asked(page): Asked<Page>) -> Result<Json<Items<Usage>>, Problem> {
    platform::may_look(&view)?;
    let rows = view.model.usage(clock::now() - platform::USAGE, page.after(), page.reads()?).await?;
    page.cut(rows, |row| row.name.to_string(), Usage::from).map(Json)
}

/// Read what organizations use, as CSV (RFC 4180)
#[utoipa::path(get, path = "/platform/usage.csv", tag = "platform", responses(
    (status = 200, description = "By name, with a line of names before it", content_type = "text/csv", body = String),
))]
pub(crate) async fn export(view: View) -> Result<Response, Problem> {
    platform::may_look(&view)?;
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let (since, mut after) = (clock::now() - platform::USAGE, None);
    loop {
        let rows = view.model.usage(since, after.as_deref(), PART).await?;
        after = rows.last().filter(|_| rows.len() == PART as usize).map(|row| row.name.to_string());
        for row in rows {
            csv.serialize(Usage::from(row)).map_err(|error| Problem::Internal(error.into()))?;
        }
        if after.is_none() {
            break;
        }
    }
    let text = csv.into_inner().map_err(|error| Problem::Internal(error.to_string().into()))?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"usage.csv\""),
    ];
    Ok((headers, text).into_response())
}
