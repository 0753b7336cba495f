//! Share links of a site: made, listed without what proves them, revoked.

use super::extract::{Asked, Body, Named};
use super::page::{Items, Page};
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::place::Place;
use crate::problem::Problem;
use crate::settings::whole;
use crate::urls::API;
use crate::view::View;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use events::{AliasName, Branch, LinkId, Refusal, ShareLink};
use http::{StatusCode, header};
use projections::shares::ShareLinkRow;
use runtime::clock;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A share link. Its address cannot be read again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ShareLink)]
pub(crate) struct Shown {
    /// Its identity.
    #[schema(value_type = String, format = Uuid)]
    id: LinkId,
    /// The alias that it leads to; null for everything that the site shows.
    #[schema(value_type = Option<String>, required)]
    alias: Option<AliasName>,
    /// When it ends by itself.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// Who made it.
    created_by: String,
}

impl From<ShareLinkRow> for Shown {
    fn from(row: ShareLinkRow) -> Self {
        let ShareLinkRow { id, alias, expires_at, created_at, created_by, .. } = row;
        Self { id, alias, expires_at, created_at, created_by: created_by.0 }
    }
}

/// What a share link shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewShareLink)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// For how many seconds it is good: a year at most.
    #[serde(deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 31_536_000)]
    expires_in: u32,
    /// The branch that it leads to; everything that the site shows if absent.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    branch: Option<Branch>,
}

/// A share link that was made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MadeShareLink)]
pub(crate) struct Made {
    /// Its identity.
    #[schema(value_type = String, format = Uuid)]
    id: LinkId,
    /// Its address, shown this once. Whoever opens it is let in.
    url: String,
    /// The alias that it leads to; null for everything that the site shows.
    #[schema(value_type = Option<String>, required)]
    alias: Option<AliasName>,
    /// When it ends by itself.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

/// Make a link that lets in whoever has it, however closed the site is
#[utoipa::path(post, path = "/sites/{site}/share-links", tag = "access",
    params(
        ("site" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes one link, however often it is sent"),
    ),
    request_body = Wanted, responses(
    (status = 201, description = "It lets in whoever has it", body = Made, headers(("Location" = String))),
))]
pub(crate) async fn create(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(place): Named<Place>,
    Body(Wanted { expires_in, branch }): Body<Wanted>,
) -> Result<Response, Problem> {
    let new = commands::NewShareLink { expires_in, branch };
    let commands::MadeLink { link, url } = commands::share(&app, &place, new, caller).await?;
    let ShareLink { link: id, alias, expires_at } = link;
    let location = [(header::LOCATION, format!("{API}/sites/{place}/share-links/{id}"))];
    Ok((StatusCode::CREATED, location, Json(Made { id, url, alias, expires_at })).into_response())
}

/// List the share links of a site that are good, without their addresses
#[utoipa::path(get, path = "/sites/{site}/share-links", tag = "access", params(("site" = String, Path), Page), responses(
    (status = 200, description = "Share links by id", body = Items<Shown>),
))]
pub(crate) async fn list(
    view: View,
    Named(site): Named<Place>,
    Asked(page): Asked<Page>,
) -> Result<Json<Items<Shown>>, Problem> {
    let site = view.site(&site).await?;
    let rows = view.model.share_links(site.id, clock::now(), page.reads()?, page.after_as()?).await?;
    page.cut(rows, |row| row.id.to_string(), Shown::from).map(Json)
}

/// Revoke a share link
///
/// It lets nobody in any more, and who was let in by it is out within a second.
#[utoipa::path(delete, path = "/sites/{site}/share-links/{id}", tag = "access",
    params(("site" = String, Path), ("id" = String, Path)), responses(
    (status = 204, description = "It lets nobody in"),
))]
pub(crate) async fn revoke(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path((site, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let place: Place = site.parse().map_err(|_| Problem::NotFound)?;
    let id: LinkId = id.parse().map_err(|_| Refusal::ShareLinkNotFound)?;
    commands::revoke_share(&app, &place, id, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}
