//! The variables of a site's builds: set, listed without their values, removed.

use super::extract::{Asked, Body, Named};
use super::page::{Items, Page};
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::place::Place;
use crate::problem::Problem;
use crate::view::View;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use events::{Context, VariableName};
use http::StatusCode;
use projections::variables::VariableRow;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A variable. Its value cannot be read.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Variable)]
pub(crate) struct Shown {
    /// What it is called.
    #[schema(value_type = String)]
    name: VariableName,
    /// Which builds have it: `live`, `demo`, `preview`.
    contexts: Vec<String>,
    /// When it was set last.
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
    /// Who set it last.
    updated_by: String,
}

impl From<VariableRow> for Shown {
    fn from(row: VariableRow) -> Self {
        Self {
            name: row.name,
            contexts: row.contexts.split(' ').map(str::to_owned).collect(),
            updated_at: row.updated_at,
            updated_by: row.updated_by.0,
        }
    }
}

/// What a variable shall be.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewVariable)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// 4 to 16384 bytes. It is masked wherever a build prints it.
    #[schema(min_length = 4, max_length = 16384)]
    value: String,
    /// Which builds have it; all if absent.
    #[serde(default)]
    #[schema(value_type = Option<BTreeSet<String>>, min_items = 1)]
    contexts: Option<BTreeSet<Context>>,
}

/// List the variables of a site's builds, without their values
#[utoipa::path(get, path = "/sites/{site}/variables", tag = "variables", params(("site" = String, Path), Page), responses(
    (status = 200, description = "Variables by name", body = Items<Shown>),
))]
pub(crate) async fn list(
    view: View,
    Named(site): Named<Place>,
    Asked(page): Asked<Page>,
) -> Result<Json<Items<Shown>>, Problem> {
    let site = view.site(&site).await?;
    let variables = view.model.variables(site.id, page.reads()?, page.after()).await?;
    page.cut(variables, |row| row.name.to_string(), Shown::from).map(Json)
}

/// Set a variable of a site's builds
///
/// Builds that begin from now on have it.
#[utoipa::path(put, path = "/sites/{site}/variables/{name}", tag = "variables",
    params(("site" = String, Path), ("name" = String, Path)), request_body = Wanted, responses(
    (status = 204, description = "It is set"),
))]
pub(crate) async fn set(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path((site, name)): Path<(String, String)>,
    Body(Wanted { value, contexts }): Body<Wanted>,
) -> Result<StatusCode, Problem> {
    let (place, name): (Place, VariableName) = (site.parse().map_err(|_| Problem::NotFound)?, name.parse()?);
    let contexts = contexts.unwrap_or_else(|| Context::ALL.into());
    let new = commands::NewVariable { name, value: value.into(), contexts };
    commands::set_variable(&app, &place, new, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove a variable of a site's builds
#[utoipa::path(delete, path = "/sites/{site}/variables/{name}", tag = "variables",
    params(("site" = String, Path), ("name" = String, Path)), responses(
    (status = 204, description = "It is not set"),
))]
pub(crate) async fn remove(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path((site, name)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (place, name): (Place, VariableName) = (site.parse().map_err(|_| Problem::NotFound)?, name.parse()?);
    commands::remove_variable(&app, &place, name, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}
