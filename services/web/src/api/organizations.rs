//! Organizations: created, listed, renamed. One also begins with the first site that names it.

use super::extract::{Asked, Body, Named};
use super::governance::{Limits, Sandbox};
use super::page::{Items, Page};
use super::sites;
use super::version::{if_match, tag};
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::place::Owner;
use crate::problem::Problem;
use crate::settings::{missing, some};
use crate::urls::API;
use crate::view::View;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use events::organization::Active;
use events::{OrganizationId, OrganizationName};
use http::{HeaderMap, StatusCode, header};
use projections::organizations::OrganizationRow;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// An organization.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Organization)]
pub(crate) struct Shown {
    /// Its identity.
    #[schema(value_type = String, format = Uuid)]
    id: OrganizationId,
    /// What it is called.
    #[schema(value_type = String)]
    name: OrganizationName,
    /// When it was created; absent in the answer to a command if the read model lags.
    #[serde(with = "time::serde::rfc3339::option")]
    created_at: Option<OffsetDateTime>,
    /// Who created it.
    created_by: Option<String>,
    /// Why its people may change nothing now and its pushes are not built; null if they may and they are.
    #[schema(required)]
    suspended: Option<String>,
    /// What it may have.
    limits: Limits,
    /// When its sites are deleted; null if they are kept.
    #[schema(required)]
    sandbox: Option<Sandbox>,
}

/// Fields of an organization, as a JSON merge patch (RFC 7396).
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = WantedOrganization)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Starts with a letter, then letters, digits and single hyphens, all lower case, at most 30 characters.
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Option<String>, example = "acme")]
    name: Option<OrganizationName>,
}

impl Shown {
    fn of(organization: OrganizationRow) -> Self {
        let (limits, sandbox) = (Limits::of(&organization), Sandbox::of(&organization));
        let OrganizationRow { id, name, created_at, created_by, suspended, .. } = organization;
        let (created_at, created_by) = (Some(created_at), Some(created_by.0));
        Self { id, name, created_at, created_by, suspended, limits, sandbox }
    }

    /// An organization as the log has it, with what only the read model knows, as far as that answers. Tag and fields are of
    /// one version: an older row would invite its reader to undo what others changed.
    fn changed(id: OrganizationId, changed: Active, row: Option<OrganizationRow>) -> (u64, Self) {
        match row {
            Some(row) if row.version >= changed.version => (row.version, Self::of(row)),
            row => {
                let (created_at, created_by) = row.map(|row| (row.created_at, row.created_by.0)).unzip();
                let (limits, sandbox) = (changed.limits.into(), changed.sandbox.map(Sandbox::from));
                let suspended = changed.suspended;
                let shown = Self { id, name: changed.name, created_at, created_by, suspended, limits, sandbox };
                (changed.version, shown)
            }
        }
    }
}

/// List the organizations
#[utoipa::path(get, path = "/organizations", tag = "organizations", params(Page), responses(
    (status = 200, description = "Organizations by name", body = Items<Shown>),
))]
pub(crate) async fn list(view: View, Asked(page): Asked<Page>) -> Result<Json<Items<Shown>>, Problem> {
    let organizations = view.model.organizations(&view.sight, page.reads()?, page.after()).await?;
    page.cut(organizations, |organization| organization.name.to_string(), Shown::of).map(Json)
}

/// Create an organization
#[utoipa::path(post, path = "/organizations", tag = "organizations", params(("Idempotency-Key" = Option<String>, Header, description = "Asks for the same once, however often it is sent")), request_body = Wanted, responses(
    (status = 201, description = "It was created", body = Shown, headers(("Location" = String), ("ETag" = String))),
))]
pub(crate) async fn create(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Body(wanted): Body<Wanted>,
) -> Result<Response, Problem> {
    let name = wanted.name.ok_or_else(|| missing("name"))?;
    let id = commands::create_organization(&app, &name, caller).await?;
    let row = commands::soon(app.model.organization(id)).await.flatten();
    let (version, shown) = Shown::changed(id, Active::new(name), row);
    let location = [(header::LOCATION, format!("{}/organizations/{id}", API))];
    Ok((StatusCode::CREATED, location, tag(version), Json(shown)).into_response())
}

/// Read an organization, by its name or its id
#[utoipa::path(get, path = "/organizations/{organization}", tag = "organizations",
    params(("organization" = String, Path)), responses(
    (status = 200, description = "The organization", body = Shown, headers(("ETag" = String))),
))]
pub(crate) async fn show(view: View, Named(owner): Named<Owner>) -> Result<Response, Problem> {
    let organization = view.organization(&owner).await?;
    Ok((tag(organization.version), Json(Shown::of(organization))).into_response())
}

/// List the sites of an organization
#[utoipa::path(get, path = "/organizations/{organization}/sites", tag = "organizations",
    params(("organization" = String, Path), Page), responses(
    (status = 200, description = "Its sites by name", body = Items<sites::Shown>),
))]
pub(crate) async fn sites(
    view: View,
    Named(owner): Named<Owner>,
    Asked(page): Asked<Page>,
) -> Result<Json<Items<sites::Shown>>, Problem> {
    let organization = view.organization(&owner).await?;
    let sites = view.model.sites_of(organization.id, page.reads()?, page.after()).await?;
    page.cut(sites, |site| site.name.to_string(), |site| sites::Shown::of(site, &view)).map(Json)
}

/// Rename an organization (JSON merge patch)
#[utoipa::path(patch, path = "/organizations/{organization}", tag = "organizations",
    params(
        ("organization" = String, Path),
        ("If-Match" = Option<String>, Header, description = "The entity tag of the organization as the caller saw it"),
    ),
    request_body(content = Wanted, content_type = "application/merge-patch+json"), responses(
    (status = 200, description = "It is so", body = Shown, headers(("ETag" = String))),
))]
pub(crate) async fn change(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(owner): Named<Owner>,
    headers: HeaderMap,
    Body(wanted): Body<Wanted>,
) -> Result<Response, Problem> {
    let rename = commands::Rename { name: wanted.name, seen: if_match(&headers)? };
    let id = app.organization_id(&owner).await?;
    let changed = commands::rename_organization(&app, id, &rename, caller).await?;
    let row = commands::soon(app.model.organization(id)).await.flatten();
    let (version, shown) = Shown::changed(id, changed, row);
    Ok((tag(version), Json(shown)).into_response())
}
