//! One's account at GitHub, and what it is used for.

use super::extract::{Asked, Named};
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::place::Place;
use crate::problem::Problem;
use ::github::{Found, Repository};
use axum::extract::State;
use axum::{Extension, Json};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// One's account at GitHub.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Github {
    /// What it is called there; null if none is connected.
    #[schema(required)]
    account: Option<String>,
    /// Where a person connects one, in a browser.
    url: String,
}

/// Which repositories.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// A text in their names; the first hundred that have it are found.
    #[serde(default)]
    #[param(required = false)]
    search: String,
    /// Which hundred of all; the first if absent.
    #[serde(default = "first")]
    #[param(required = false, minimum = 1)]
    page: u32,
}

const fn first() -> u32 {
    1
}

/// A repository that one may push to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GithubRepository {
    /// Whose it is and what it is called.
    name: String,
    /// Where it is cloned from: the `repository` of a new site.
    repository: String,
    /// The branch that a clone shows.
    branch: String,
}

/// Some of them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GithubRepositories {
    /// Those that were pushed to last come first.
    items: Vec<GithubRepository>,
    /// The page with more; null if there is none.
    #[schema(required)]
    next: Option<u32>,
}

/// A webhook that was installed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Webhook {
    /// Where the repository tells of pushes.
    url: String,
}

/// Which account at GitHub is used for one
#[utoipa::path(get, path = "/github", tag = "github", responses(
    (status = 200, description = "The account, if one is connected", body = Github),
))]
pub(crate) async fn show(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Github>, Problem> {
    let account = commands::github_account(&app, &caller).await?;
    Ok(Json(Github { account, url: format!("{}/account#github", app.web_url) }))
}

/// Have one's account at GitHub used no longer
///
/// GitHub takes the token no more that it was used by.
#[utoipa::path(delete, path = "/github", tag = "github", responses(
    (status = 204, description = "It is used no longer"),
))]
pub(crate) async fn disconnect(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
) -> Result<StatusCode, Problem> {
    commands::disconnect_github(&app, &caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the public repositories that one may push to at GitHub
#[utoipa::path(get, path = "/github/repositories", tag = "github", params(Wanted), responses(
    (status = 200, description = "Some of them", body = GithubRepositories),
))]
pub(crate) async fn repositories(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Asked(Wanted { search, page }): Asked<Wanted>,
) -> Result<Json<GithubRepositories>, Problem> {
    let Found { repositories, next } = commands::github_repositories(&app, &caller, &search, page.max(1)).await?;
    let shown = |Repository { name, url, branch }| GithubRepository { name, repository: url, branch };
    Ok(Json(GithubRepositories { items: repositories.into_iter().map(shown).collect(), next }))
}

/// Install the webhook of a site at GitHub
///
/// By one's account there. The site gets another secret for its webhooks, which GitHub alone is told.
#[utoipa::path(post, path = "/sites/{site}/webhook", tag = "github", params(("site" = String, Path)), responses(
    (status = 200, description = "The repository tells of pushes", body = Webhook),
))]
pub(crate) async fn install(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(place): Named<Place>,
) -> Result<Json<Webhook>, Problem> {
    commands::install_webhook(&app, &place, &caller).await.map(|url| Json(Webhook { url }))
}
