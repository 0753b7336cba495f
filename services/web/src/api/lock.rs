//! The lock of a site: what its readers see stays, whoever pushes or promotes.

use super::extract::{Body, Named};
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::place::Place;
use crate::problem::Problem;
use axum::extract::State;
use axum::{Extension, Json};
use http::StatusCode;
use projections::locks::LockRow;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// Why a site is locked.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LockReason)]
pub(crate) struct Reason {
    /// For whoever wants to know, one line of at most 500 bytes.
    #[schema(min_length = 1, max_length = 500)]
    pub(super) reason: String,
}

/// The lock of a site.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Lock)]
pub(crate) struct Shown {
    /// Why it was locked.
    reason: String,
    /// Since when, for this reason.
    #[serde(with = "time::serde::rfc3339")]
    locked_at: OffsetDateTime,
    /// Who locked it.
    locked_by: String,
}

impl From<LockRow> for Shown {
    fn from(lock: LockRow) -> Self {
        Self { reason: lock.reason, locked_at: lock.locked_at, locked_by: lock.locked_by.0 }
    }
}

/// Lock a site: its aliases `live` and `demo` stay at what they show
///
/// Builds and previews go on; deploys are stored and wait to be shown.
#[utoipa::path(put, path = "/sites/{site}/lock", tag = "lock", params(("site" = String, Path)), request_body = Reason,
    responses((status = 200, description = "It is locked, for this reason", body = Reason)),
)]
pub(crate) async fn lock(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(place): Named<Place>,
    Body(Reason { reason }): Body<Reason>,
) -> Result<Json<Reason>, Problem> {
    let reason = commands::lock_site(&app, &place, &reason, caller).await?;
    Ok(Json(Reason { reason }))
}

/// Unlock a site
#[utoipa::path(delete, path = "/sites/{site}/lock", tag = "lock", params(("site" = String, Path)), responses(
    (status = 204, description = "It is not locked"),
))]
pub(crate) async fn unlock(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(place): Named<Place>,
) -> Result<StatusCode, Problem> {
    commands::unlock_site(&app, &place, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}
