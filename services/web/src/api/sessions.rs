//! The sessions of whoever asks: at which browsers they are signed in.

use super::extract::Named;
use super::page::Items;
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::problem::Problem;
use crate::sessions::{Open, Visit};
use axum::extract::State;
use axum::{Extension, Json};
use http::StatusCode;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct Shown {
    /// What it is called.
    id: String,
    /// What it was begun with, as that calls itself, such as `Firefox on Linux`; none for those of before this was kept.
    #[schema(required)]
    browser: Option<String>,
    /// When it began.
    #[serde(with = "time::serde::rfc3339")]
    begun_at: OffsetDateTime,
    /// When it was last used, to about five minutes.
    #[serde(with = "time::serde::rfc3339")]
    used_at: OffsetDateTime,
    /// Whether it is the one that asks.
    current: bool,
}

impl Shown {
    fn of(open: &Open, visit: Option<&Visit>) -> Self {
        let time = |seconds| OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        Self {
            id: open.visit.name().to_owned(),
            browser: open.browser.name().map(ToOwned::to_owned),
            begun_at: time(open.begun_s),
            used_at: time(open.used_s),
            current: visit == Some(&open.visit),
        }
    }
}

/// List one's sessions
#[utoipa::path(get, path = "/sessions", tag = "sessions", responses(
    (status = 200, description = "Those that go on, the newest first, 50 at most", body = Items<Shown>),
))]
pub(crate) async fn list(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    visit: Option<Extension<Visit>>,
) -> Result<Json<Items<Shown>>, Problem> {
    let who = commands::holder_of_sessions(&app, &caller).await?;
    let open = app.auth.sessions(&who).await?;
    let visit = visit.as_ref().map(|Extension(visit)| visit);
    Ok(Json(Items::whole(open.iter().map(|open| Shown::of(open, visit)).collect())))
}

/// End one of one's sessions
///
/// Its live streams end within about a second.
#[utoipa::path(delete, path = "/sessions/{id}", tag = "sessions", params(("id" = String, Path)), responses(
    (status = 204, description = "It is over"),
))]
pub(crate) async fn end(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<String>,
) -> Result<StatusCode, Problem> {
    let who = commands::holder_of_sessions(&app, &caller).await?;
    if app.auth.end(&who, &id).await? { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::NotFound) }
}
