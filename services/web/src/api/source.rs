//! The files of a site's own repository: listed, read, changed, published.

use super::extract::{Asked, Body, Named};
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands::{self, At, Change, Tip, Written};
use crate::place::Place;
use crate::problem::Problem;
use crate::repositories::Listed;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use events::{Branch, CommitId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which branch.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Of {
    /// The branch; the live one if absent.
    #[param(value_type = Option<String>)]
    branch: Option<Branch>,
}

/// A branch of the repository and its files.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SourceFiles {
    /// The branch.
    #[schema(value_type = String)]
    branch: Branch,
    /// Its tip.
    #[schema(value_type = String)]
    commit: CommitId,
    /// Its files, by path.
    files: Vec<SourceEntry>,
}

/// A file of the repository.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SourceEntry {
    /// Its path.
    path: String,
    /// Its size.
    bytes: u64,
}

/// What a file says.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SourceFile {
    /// Its path.
    path: String,
    /// The branch.
    #[schema(value_type = String)]
    branch: Branch,
    /// The branch's tip, to be named with a change.
    #[schema(value_type = String)]
    commit: CommitId,
    /// What it says.
    text: String,
}

/// What a file shall say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceChange {
    /// What it shall say; at most 256 KiB.
    text: String,
    /// The commit in which its author has seen it.
    #[schema(value_type = String)]
    commit: CommitId,
    /// The branch it shall be on; one that is not there yet begins at `commit`.
    #[schema(value_type = String)]
    branch: Branch,
    /// Why; “Edit <path>” if absent.
    message: Option<String>,
}

/// A branch and its tip.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceTip {
    /// The branch.
    #[schema(value_type = String)]
    branch: Branch,
    /// Its tip.
    #[schema(value_type = String)]
    commit: CommitId,
}

impl From<Tip> for SourceTip {
    fn from(Tip { branch, commit }: Tip) -> Self {
        Self { branch, commit }
    }
}

impl From<Listed> for SourceEntry {
    fn from(Listed { path, bytes }: Listed) -> Self {
        Self { path, bytes }
    }
}

/// List the files of a site's own repository
#[utoipa::path(get, path = "/sites/{site}/source", tag = "source", params(("site" = String, Path), Of), responses(
    (status = 200, description = "Its files", body = SourceFiles),
))]
pub(crate) async fn list(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(place): Named<Place>,
    Asked(of): Asked<Of>,
) -> Result<Json<SourceFiles>, Problem> {
    let (Tip { branch, commit }, files) = commands::list_files(&app, &place, of.branch, &caller).await?;
    Ok(Json(SourceFiles { branch, commit, files: files.into_iter().map(SourceEntry::from).collect() }))
}

/// Read a text file of a site's own repository
#[utoipa::path(get, path = "/sites/{site}/source/{*path}", tag = "source",
    params(("site" = String, Path), ("path" = String, Path), Of), responses(
    (status = 200, description = "What it says", body = SourceFile),
))]
pub(crate) async fn show(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path((place, path)): Path<(String, String)>,
    Asked(of): Asked<Of>,
) -> Result<Json<SourceFile>, Problem> {
    let place: Place = place.parse().map_err(|_| Problem::NotFound)?;
    let (Tip { branch, commit }, text) =
        commands::read_file(&app, &place, At { branch: of.branch, path: &path }, &caller).await?;
    Ok(Json(SourceFile { path, branch, commit, text }))
}

/// Change a text file of a site's own repository, or add one
///
/// The change is committed under the caller's name, and the branch is built: a preview, unless it is the live one. What the
/// file says already is no change: nothing is committed then, and no branch begun.
#[utoipa::path(put, path = "/sites/{site}/source/{*path}", tag = "source",
    params(("site" = String, Path), ("path" = String, Path)), request_body = SourceChange, responses(
    (status = 200, description = "Where the branch is now, or would begin", body = SourceTip),
))]
pub(crate) async fn save(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path((place, path)): Path<(String, String)>,
    Body(wanted): Body<SourceChange>,
) -> Result<Json<SourceTip>, Problem> {
    let place: Place = place.parse().map_err(|_| Problem::NotFound)?;
    let SourceChange { text, commit, branch, message } = wanted;
    let change = Change { path, text: Written::Exact(text), message, seen: commit, branch };
    commands::save_file(&app, &place, change, &caller).await.map(|saved| Json(saved.tip.into()))
}

/// Publish a branch of a site's own repository
///
/// Brings it into the live branch, by a merge if something came between; the branch is gone then, and its preview with it.
#[utoipa::path(post, path = "/sites/{site}/publish", tag = "source", params(("site" = String, Path)),
    request_body = SourceTip, responses(
    (status = 200, description = "Where the live branch is now", body = SourceTip),
))]
pub(crate) async fn publish(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(place): Named<Place>,
    Body(SourceTip { branch, commit }): Body<SourceTip>,
) -> Result<Json<SourceTip>, Problem> {
    commands::publish(&app, &place, Tip { branch, commit }, &caller).await.map(|tip| Json(tip.into()))
}
