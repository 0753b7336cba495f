//! What the platform's admins decide about organizations: whether they are suspended, what they may have, and whether they are
//! for trying things out.

use super::extract::{Body, Named};
use super::lock::Reason;
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::place::Owner;
use crate::problem::Problem;
use crate::settings::{whole, whole_or_none};
use axum::extract::State;
use axum::{Extension, Json};
use events::event::{self, OrganizationLimits};
use events::organization::SANDBOX_DAYS;
use http::StatusCode;
use projections::organizations::OrganizationRow;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// What an organization may have. What it has already stays when a limit comes.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[schema(as = OrganizationLimits)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    /// Sites, the deleted not counted; null for any number.
    #[serde(default, deserialize_with = "whole_or_none")]
    #[schema(required, minimum = 1)]
    sites: Option<u32>,
    /// Members, the invited not counted; null for any number.
    #[serde(default, deserialize_with = "whole_or_none")]
    #[schema(required, minimum = 1)]
    members: Option<u32>,
    /// Builds that run or have a slot at the same time; null for as many as the installation allows to each.
    #[serde(default, deserialize_with = "whole_or_none")]
    #[schema(required, minimum = 1)]
    builds: Option<u32>,
}

/// When the sites of an organization are deleted.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct Sandbox {
    /// Days from one time to the next.
    days: u32,
    /// When that is next.
    #[serde(with = "time::serde::rfc3339")]
    clean_up_at: OffsetDateTime,
}

/// How often the sites of an organization shall be deleted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSandbox {
    /// Days from one time to the next.
    #[serde(default = "usual_days", deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 365, default = 90)]
    days: u16,
}

const fn usual_days() -> u16 {
    SANDBOX_DAYS
}

impl Limits {
    pub(super) const fn of(row: &OrganizationRow) -> Self {
        Self { sites: row.sites_max, members: row.members_max, builds: row.builds_max }
    }
}

impl From<OrganizationLimits> for Limits {
    fn from(OrganizationLimits { sites, members, builds }: OrganizationLimits) -> Self {
        Self { sites, members, builds }
    }
}

impl Sandbox {
    pub(super) fn of(row: &OrganizationRow) -> Option<Self> {
        row.sandbox_days.zip(row.clean_up_at).map(|(days, clean_up_at)| Self { days, clean_up_at })
    }
}

impl From<event::Sandbox> for Sandbox {
    fn from(event::Sandbox { days, clean_up_at }: event::Sandbox) -> Self {
        Self { days: days.into(), clean_up_at }
    }
}

/// Suspend an organization: its people may change nothing and its pushes are not built
///
/// What its readers see stays. Builds that wait are canceled, those that run go on.
#[utoipa::path(put, path = "/organizations/{organization}/suspension", tag = "organizations",
    params(("organization" = String, Path)), request_body = Reason, responses(
    (status = 200, description = "It is suspended, for this reason", body = Reason),
))]
pub(crate) async fn suspend(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(owner): Named<Owner>,
    Body(Reason { reason }): Body<Reason>,
) -> Result<Json<Reason>, Problem> {
    let id = app.organization_id(&owner).await?;
    let reason = commands::suspend_organization(&app, id, &reason, caller).await?;
    Ok(Json(Reason { reason }))
}

/// Suspend an organization no more
///
/// What was pushed to live branches meanwhile is built then.
#[utoipa::path(delete, path = "/organizations/{organization}/suspension", tag = "organizations",
    params(("organization" = String, Path)), responses((status = 204, description = "It is not suspended")),
)]
pub(crate) async fn reinstate(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(owner): Named<Owner>,
) -> Result<StatusCode, Problem> {
    let id = app.organization_id(&owner).await?;
    commands::reinstate_organization(&app, id, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Limit what an organization may have
#[utoipa::path(put, path = "/organizations/{organization}/limits", tag = "organizations",
    params(("organization" = String, Path)), request_body = Limits, responses(
    (status = 200, description = "It is so", body = Limits),
))]
pub(crate) async fn limit(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(owner): Named<Owner>,
    Body(limits): Body<Limits>,
) -> Result<Json<Limits>, Problem> {
    let id = app.organization_id(&owner).await?;
    let Limits { sites, members, builds } = limits;
    commands::limit_organization(&app, id, OrganizationLimits { sites, members, builds }, caller).await?;
    Ok(Json(limits))
}

/// Delete all sites of an organization every so many days, its people being told a week before
///
/// A locked site stays. A deleted one can be restored for 30 days, as any other.
#[utoipa::path(put, path = "/organizations/{organization}/sandbox", tag = "organizations",
    params(("organization" = String, Path)), request_body = NewSandbox, responses(
    (status = 200, description = "It is so", body = Sandbox),
))]
pub(crate) async fn begin_sandbox(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(owner): Named<Owner>,
    Body(NewSandbox { days }): Body<NewSandbox>,
) -> Result<Json<Sandbox>, Problem> {
    let id = app.organization_id(&owner).await?;
    Ok(Json(commands::begin_sandbox(&app, id, days, caller).await?.into()))
}

/// Keep the sites of an organization
#[utoipa::path(delete, path = "/organizations/{organization}/sandbox", tag = "organizations",
    params(("organization" = String, Path)), responses((status = 204, description = "They are kept")),
)]
pub(crate) async fn end_sandbox(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(owner): Named<Owner>,
) -> Result<StatusCode, Problem> {
    let id = app.organization_id(&owner).await?;
    commands::end_sandbox(&app, id, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}
