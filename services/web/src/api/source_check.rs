//! Whether a site could be built from a repository, asked before there is one.

use super::extract::Asked;
use crate::app::Shared;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::source_check::{self, Checked};
use axum::extract::State;
use axum::{Extension, Json};
use events::{Branch, RepositoryUrl};
use serde::Deserialize;
use utoipa::IntoParams;

/// Which repository.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Question {
    /// Its address, as a site would have it.
    #[param(value_type = String)]
    repository: RepositoryUrl,
    /// The branch that would be live; `main` if absent.
    #[param(value_type = Option<String>)]
    branch: Option<Branch>,
}

/// Look at a repository before a site is made of it
///
/// Tells whether everybody may read it, whether the branch is there, and which engine it looks made for. A caller may ask 30 times a
/// minute.
#[utoipa::path(get, path = "/source-check", tag = "sites", params(Question), responses(
    (status = 200, description = "What was found", body = Checked),
))]
pub(crate) async fn check(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Asked(Question { repository, branch }): Asked<Question>,
) -> Result<Json<Checked>, Problem> {
    let branch = branch.map_or_else(|| "main".parse(), Ok)?;
    app.source_checks.check(&caller, &source_check::Asked { repository, branch }).await.map(Json)
}
