//! What a site's private repository is read by: a deploy key over SSH, a token over HTTPS.

use super::extract::{Body, Named};
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::place::Place;
use crate::problem::Problem;
use crate::view::View;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use events::credential::Username;
use http::StatusCode;
use projections::credentials::{CredentialRow, Kind};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// The half of a key pair that the repository is given.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeployKey)]
pub(crate) struct Key {
    /// One line, as `authorized_keys` and hosts of repositories take it.
    public_key: String,
    /// By which people compare it.
    fingerprint: String,
    /// When it was made; absent in the answer to its making.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    updated_at: Option<OffsetDateTime>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_by: Option<String>,
}

impl Key {
    fn of(public_key: String, row: Option<CredentialRow>) -> Self {
        let (updated_at, updated_by) = row.map(|row| (row.updated_at, row.updated_by.0)).unzip();
        let fingerprint = commands::fingerprint(&public_key).unwrap_or_default();
        Self { public_key, fingerprint, updated_at, updated_by }
    }
}

/// That there is a token. It cannot be read.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SourceToken)]
pub(crate) struct Shown {
    /// Whose it is; null if that was not said.
    #[schema(required)]
    username: Option<String>,
    /// When it was set.
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
    /// Who set it.
    updated_by: String,
}

/// A token to be set.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewSourceToken)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// 1 to 4096 visible characters. It is sent to the repository's host and to nobody else.
    #[schema(min_length = 1, max_length = 4096)]
    token: String,
    /// Whose it is, where the host wants to know; `x-access-token` if absent.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    username: Option<Username>,
}

async fn found(view: &View, place: &Place, kind: Kind) -> Result<CredentialRow, Problem> {
    let site = view.site(place).await?;
    let rows = view.model.credentials(site.id).await?;
    rows.into_iter().find(|row| row.kind == kind).ok_or(Problem::NotFound)
}

/// Make a deploy key for a site
///
/// It takes the place of the one before. Add it to the repository as a key that may read; builds use it from then on.
#[utoipa::path(post, path = "/sites/{site}/deploy-key", tag = "sites", params(("site" = String, Path)), responses(
    (status = 201, description = "It was made", body = Key),
))]
pub(crate) async fn make_key(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(place): Named<Place>,
) -> Result<Response, Problem> {
    let public = commands::make_deploy_key(&app, &place, caller).await?;
    Ok((StatusCode::CREATED, Json(Key::of(public.to_string(), None))).into_response())
}

/// Read the public half of a site's deploy key
#[utoipa::path(get, path = "/sites/{site}/deploy-key", tag = "sites", params(("site" = String, Path)), responses(
    (status = 200, description = "It, or 404 if the site has none", body = Key),
))]
pub(crate) async fn show_key(view: View, Named(place): Named<Place>) -> Result<Json<Key>, Problem> {
    let row = found(&view, &place, Kind::DeployKey).await?;
    Ok(Json(Key::of(row.shown.clone().unwrap_or_default(), Some(row))))
}

/// Remove the deploy key of a site
#[utoipa::path(delete, path = "/sites/{site}/deploy-key", tag = "sites", params(("site" = String, Path)), responses(
    (status = 204, description = "The site has none"),
))]
pub(crate) async fn remove_key(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(place): Named<Place>,
) -> Result<StatusCode, Problem> {
    commands::remove_deploy_key(&app, &place, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Set the token that a site's repository is read by
///
/// It is never told again, and goes when the repository becomes another.
#[utoipa::path(put, path = "/sites/{site}/source-token", tag = "sites", params(("site" = String, Path)),
    request_body = Wanted, responses((status = 204, description = "It is set")))]
pub(crate) async fn set_token(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(place): Named<Place>,
    Body(Wanted { token, username }): Body<Wanted>,
) -> Result<StatusCode, Problem> {
    let new = commands::NewSourceToken { username, token: token.into() };
    commands::set_source_token(&app, &place, new, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Read whether a site has a token for its repository, and whose
#[utoipa::path(get, path = "/sites/{site}/source-token", tag = "sites", params(("site" = String, Path)), responses(
    (status = 200, description = "It has one, or 404 if not", body = Shown),
))]
pub(crate) async fn show_token(view: View, Named(place): Named<Place>) -> Result<Json<Shown>, Problem> {
    let row = found(&view, &place, Kind::SourceToken).await?;
    Ok(Json(Shown { username: row.shown, updated_at: row.updated_at, updated_by: row.updated_by.0 }))
}

/// Remove the token that a site's repository is read by
#[utoipa::path(delete, path = "/sites/{site}/source-token", tag = "sites", params(("site" = String, Path)), responses(
    (status = 204, description = "The site has none"),
))]
pub(crate) async fn remove_token(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(place): Named<Place>,
) -> Result<StatusCode, Problem> {
    commands::remove_source_token(&app, &place, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}
