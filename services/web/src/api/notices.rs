//! What became of the notices of a receiver, and how to have one sent.

use super::extract::Asked;
use super::page::{Items, Page};
use super::receivers::named;
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::problem::Problem;
use crate::view::View;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use events::receiver::Occasion;
use events::{NoticeId, Refusal};
use http::StatusCode;
use projections::notices::{NoticeRow, State as Became};
use projections::timeline::Older;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A notice.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Notice)]
pub(crate) struct Shown {
    /// Its identity; a webhook's `webhook-id`.
    #[schema(value_type = String, format = Uuid)]
    id: NoticeId,
    /// What it tells of: a word of `wants`, or `test`.
    #[schema(value_type = String)]
    occasion: Occasion,
    /// The place in the log of the fact that it tells of.
    sequence: u64,
    /// What became of it.
    #[schema(value_type = NoticeState)]
    state: Became,
    /// How often it was tried.
    tries: u32,
    /// What an HTTP server answered last.
    #[schema(required)]
    status: Option<u32>,
    /// Why it failed; empty otherwise.
    reason: String,
    /// From the first try to the end, in milliseconds.
    duration_ms: u64,
    /// When that was known.
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
}

/// What became of a notice.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "it describes the words of the read model")]
pub(crate) enum NoticeState {
    Delivered,
    Failed,
    Requested,
}

/// A notice that will be sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NoticeOnItsWay)]
pub(crate) struct Underway {
    /// Its identity.
    #[schema(value_type = String, format = Uuid)]
    id: NoticeId,
}

impl From<NoticeRow> for Shown {
    fn from(row: NoticeRow) -> Self {
        let NoticeRow { id, occasion, fact: sequence, state, tries, status, reason, duration_ms, at, .. } = row;
        Self { id, occasion, sequence, state, tries, status, reason, duration_ms, at }
    }
}

/// List the notices of a receiver
#[utoipa::path(get, path = "/sites/{site}/receivers/{id}/deliveries", tag = "notices",
    params(("site" = String, Path), ("id" = String, Path), Page), responses(
    (status = 200, description = "What became of each, newest first", body = Items<Shown>),
))]
pub(crate) async fn list(
    view: View,
    Path((site, id)): Path<(String, String)>,
    Asked(page): Asked<Page>,
) -> Result<Json<Items<Shown>>, Problem> {
    let receiver = view.receiver(&site, &id).await?;
    let rows = view.model.notices(receiver.id, Older { limit: page.reads()?, before: page.after_as()? }).await?;
    page.cut(rows, |row| row.sequence.to_string(), Shown::from).map(Json)
}

/// Send a notice once more
#[utoipa::path(post, path = "/sites/{site}/receivers/{id}/deliveries/{notice}/redeliver", tag = "notices",
    params(("site" = String, Path), ("id" = String, Path), ("notice" = String, Path)), responses(
    (status = 202, description = "It will be sent, after what waits already", body = Underway),
))]
pub(crate) async fn redeliver(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path((site, id, notice)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let (place, receiver) = named(&site, &id)?;
    let id = notice.parse().map_err(|_| Refusal::NoticeNotFound)?;
    commands::resend_notice(&app, &place, (receiver, id), caller).await?;
    Ok((StatusCode::ACCEPTED, Json(Underway { id })).into_response())
}

/// Send a receiver a notice, to see it arrive
#[utoipa::path(post, path = "/sites/{site}/receivers/{id}/test", tag = "notices",
    params(("site" = String, Path), ("id" = String, Path)), responses(
    (status = 202, description = "It will be sent, after what waits already", body = Underway),
))]
pub(crate) async fn test(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path((site, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (place, id) = named(&site, &id)?;
    let id = commands::test_receiver(&app, &place, id, caller).await?;
    Ok((StatusCode::ACCEPTED, Json(Underway { id })).into_response())
}
