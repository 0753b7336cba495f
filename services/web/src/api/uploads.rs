//! Folders that are shown as they are: contents by their digests, a list of them, and a deploy of the list.

use super::extract::{Asked, Body, Named};
use super::page::{Items, Page};
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::place::Place;
use crate::problem::Problem;
use crate::urls::API;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use events::{Branch, BuildId, Digest};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// How long one content may take to arrive.
const DEADLINE: Duration = Duration::from_secs(10 * 60);

/// A folder to be shown.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDeploy {
    /// SHA-256 of its list, which was uploaded, as all that it names.
    #[schema(value_type = String, pattern = "^[0-9a-f]{64}$")]
    list: Digest,
    /// The branch it is shown as; the live one if absent.
    #[schema(value_type = Option<String>)]
    branch: Option<Branch>,
}

/// The build that shows a folder.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Asking {
    /// Its identity.
    #[schema(value_type = String, format = Uuid)]
    build: BuildId,
}

/// Upload a content of a folder, or its list, under its SHA-256
///
/// The list of a folder has a line for each file, `<digest> <size> <path>`, sorted by path.
#[utoipa::path(put, path = "/sites/{site}/uploads/{digest}", tag = "uploads",
    params(("site" = String, Path), ("digest" = String, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses(
    (status = 204, description = "It is kept"),
))]
pub(crate) async fn put(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path((site, digest)): Path<(String, String)>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let (place, digest) = (site.parse().map_err(|_| Problem::NotFound)?, digest.parse()?);
    let (head, body) = request.into_parts();
    let arrival = app.uploads.receive_within(&head, body, DEADLINE)?;
    drop(head);
    commands::keep_upload(&app, &place, digest, arrival, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the contents of a folder that were not uploaded
#[utoipa::path(get, path = "/sites/{site}/uploads/{digest}/missing", tag = "uploads",
    params(("site" = String, Path), ("digest" = String, Path), Page), responses(
    (status = 200, description = "Their digests, in order", body = Items<String>),
))]
pub(crate) async fn missing(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path((site, digest)): Path<(String, String)>,
    Asked(page): Asked<Page>,
) -> Result<Json<Items<String>>, Problem> {
    let (place, list) = (site.parse().map_err(|_| Problem::NotFound)?, digest.parse()?);
    let (reads, after) = (page.reads()? as usize, page.after().unwrap_or_default());
    let missing = commands::missing_of(&app, &place, list, caller).await?;
    let names = missing.iter().map(ToString::to_string).filter(|name| name.as_str() > after).take(reads).collect();
    page.cut(names, String::clone, |name| name).map(Json)
}

/// Show a folder that was uploaded
#[utoipa::path(post, path = "/sites/{site}/deploys", tag = "uploads",
    params(("site" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Asks for the same once, however often it is sent")),
    request_body = NewDeploy, responses(
    (status = 201, description = "It will be queued as a build that needs no building", body = Asking, headers(("Location" = String))),
))]
pub(crate) async fn publish(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(place): Named<Place>,
    Body(NewDeploy { list, branch }): Body<NewDeploy>,
) -> Result<Response, Problem> {
    let build = commands::publish_folder(&app, &place, list, branch, caller).await?;
    let location = [(header::LOCATION, format!("{API}/builds/{build}"))];
    Ok((StatusCode::CREATED, location, Json(Asking { build })).into_response())
}
