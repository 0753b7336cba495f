//! Deleted sites, as long as they can be restored.

use super::extract::{Asked, Body, Named};
use super::page::{Items, Page};
use super::sites;
use super::version::tag;
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::place::Place;
use crate::problem::Problem;
use crate::view::View;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use events::site::DELETED_KEPT;
use events::{OrganizationId, SiteId, SiteName};
use projections::sites::SiteRow;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;

/// A site that was deleted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeletedSite {
    /// Its identity, by which it is restored.
    #[schema(value_type = String, format = Uuid)]
    id: SiteId,
    /// What it was called.
    #[schema(value_type = String)]
    name: SiteName,
    /// Who owns it.
    #[schema(value_type = String, format = Uuid)]
    organization_id: OrganizationId,
    /// When it was deleted.
    #[serde(with = "time::serde::rfc3339")]
    deleted_at: OffsetDateTime,
    /// Until when it can be restored.
    #[serde(with = "time::serde::rfc3339")]
    restorable_until: OffsetDateTime,
}

/// How it shall come back.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// What it shall be called; as before if absent.
    #[schema(value_type = Option<String>)]
    name: Option<SiteName>,
}

impl DeletedSite {
    fn of(site: SiteRow) -> Self {
        let deleted_at = site.deleted_at.unwrap_or(site.created_at);
        let (id, name, organization_id) = (site.id, site.name, site.organization);
        Self { id, name, organization_id, deleted_at, restorable_until: deleted_at + DELETED_KEPT }
    }
}

/// List the deleted sites that can be restored
#[utoipa::path(get, path = "/deleted-sites", tag = "sites", operation_id = "list_deleted", params(Page), responses(
    (status = 200, description = "The latest first", body = Items<DeletedSite>),
))]
pub(crate) async fn list(view: View, Asked(page): Asked<Page>) -> Result<Json<Items<DeletedSite>>, Problem> {
    let unknown = |_| Problem::InvalidInput("`after` is not a place in this list".to_owned());
    let before = page.after().map(|after| OffsetDateTime::parse(after, &Rfc3339)).transpose().map_err(unknown)?;
    let sites = view.model.deleted_sites(&view.sight, page.reads()?, before).await?;
    let place = |site: &SiteRow| site.deleted_at.and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default();
    page.cut(sites, place, DeletedSite::of).map(Json)
}

/// Restore a deleted site
///
/// With its deploys, its settings and those of its addresses that nobody has taken since; within 30 days. Its live branch is built anew.
#[utoipa::path(post, path = "/sites/{site}/restore", tag = "sites", params(("site" = String, Path)),
    request_body = Wanted, responses(
    (status = 200, description = "It is there", body = sites::Shown, headers(("ETag" = String))),
))]
pub(crate) async fn restore(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(place): Named<Place>,
    Body(wanted): Body<Wanted>,
) -> Result<Response, Problem> {
    let id = app.site_id(&place).await?;
    let site = commands::restore_site(&app, id, wanted.name.as_ref(), caller).await?;
    let row = commands::soon(app.model.site(id)).await.flatten();
    Ok((tag(site.version), Json(sites::Shown::changed(id, site, row, &app))).into_response())
}
