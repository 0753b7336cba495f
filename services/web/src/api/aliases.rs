//! Aliases: what each name of a site shows, and how a person moves it, forwards or back.

use super::extract::{self, Asked, Body};
use super::page::{Items, Page};
use super::version::{self, Named};
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::place::Place;
use crate::problem::Problem;
use crate::view::View;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use events::{AliasName, DeployId, PromotionReason};
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// An alias that shows something.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Alias)]
pub(crate) struct Shown {
    /// `live`, `demo` or `preview/<branch>`.
    #[schema(value_type = String)]
    alias: AliasName,
    /// What it shows.
    #[schema(value_type = String)]
    deploy: DeployId,
    /// The number of the build that made it.
    number: u64,
    /// What it showed before.
    #[schema(value_type = Option<String>)]
    previous: Option<DeployId>,
    /// `built` or `chosen`.
    #[schema(value_type = String)]
    reason: PromotionReason,
    /// When it moved.
    #[serde(with = "time::serde::rfc3339")]
    promoted_at: OffsetDateTime,
    /// Who moved it.
    actor: String,
    /// Where it is read.
    url: String,
}

/// What an alias shall show.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    /// A deploy of the same site, newer or older than what it shows.
    #[schema(value_type = String)]
    deploy: DeployId,
    /// What it must show now; else nothing happens. `If-Match` says the same.
    #[schema(value_type = Option<String>)]
    expected: Option<DeployId>,
}

/// An alias that shows what was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Pointed {
    /// Which alias.
    #[schema(value_type = String)]
    alias: AliasName,
    /// What it shows.
    #[schema(value_type = String)]
    deploy: DeployId,
    /// The number of the build that made it.
    number: u64,
    /// Where it is read.
    url: String,
}

/// List the aliases of a site
#[utoipa::path(get, path = "/sites/{site}/aliases", tag = "aliases", params(("site" = String, Path), Page), responses(
    (status = 200, description = "What it shows, by name", body = Items<Shown>),
))]
pub(crate) async fn list(
    view: View,
    extract::Named(site): extract::Named<Place>,
    Asked(page): Asked<Page>,
) -> Result<Json<Items<Shown>>, Problem> {
    let site = view.site(&site).await?;
    let aliases = view.model.aliases(site.id, page.reads()?, page.after()).await?;
    let shown = |alias: projections::aliases::AliasRow| Shown {
        url: view.sites_url.alias(&site.name, &alias.alias),
        alias: alias.alias,
        deploy: alias.deploy,
        number: alias.number,
        previous: alias.previous,
        reason: alias.reason,
        promoted_at: alias.promoted_at,
        actor: alias.actor.0,
    };
    page.cut(aliases, |alias| alias.alias.to_string(), shown).map(Json)
}

/// Point an alias at a deploy: a promotion or a rollback
#[utoipa::path(put, path = "/sites/{site}/aliases/{*alias}", tag = "aliases",
    params(
        ("site" = String, Path),
        ("alias" = String, Path, description = "`live`, `demo` or `preview/<branch>`; a branch may have slashes"),
        ("If-Match" = Option<String>, Header, description = "The deploy it must show now, in quotes"),
    ),
    request_body = Target, responses(
    (status = 200, description = "It shows the deploy", body = Pointed),
))]
pub(crate) async fn point(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path((site, alias)): Path<(String, String)>,
    headers: HeaderMap,
    Body(target): Body<Target>,
) -> Result<Response, Problem> {
    let (place, alias): (Place, AliasName) = (site.parse()?, alias.parse()?);
    let expected = target.expected.map_or_else(|| if_match(&headers), |expected| Ok(Some(vec![expected])))?;
    let promotion = commands::Promotion { alias, deploy: target.deploy, expected };
    let number = commands::promote(&app, &place, &promotion, caller).await?;
    let commands::Promotion { alias, deploy, .. } = promotion;
    let url = app.sites_url.alias(&commands::name_of(&app, &place).await?, &alias);
    let tag = format!("\"{deploy}\"");
    let pointed = Pointed { alias, deploy, number, url };
    Ok(([(header::ETAG, tag)], Json(pointed)).into_response())
}

/// Take a preview down
#[utoipa::path(delete, path = "/sites/{site}/aliases/{*alias}", tag = "aliases",
    params(
        ("site" = String, Path),
        ("alias" = String, Path, description = "`preview/<branch>`; a branch may have slashes"),
    ),
    responses(
    (status = 204, description = "It shows nothing, until its branch is pushed to again"),
))]
pub(crate) async fn remove(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path((site, alias)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    commands::take_down(&app, &site.parse()?, alias.parse()?, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The entity tag of an alias is the deploy it shows. `*` asks for nothing in particular.
fn if_match(headers: &HeaderMap) -> Result<Option<Vec<DeployId>>, Problem> {
    let Some(Named::These(tags)) = version::named(headers, &header::IF_MATCH)? else { return Ok(None) };
    // A weak tag never fits, and neither does what is no deploy.
    let strong = tags.into_iter().filter(|tag| !tag.is_weak);
    let deploys: Vec<DeployId> = strong.filter_map(|tag| tag.opaque.parse().ok()).collect();
    if deploys.is_empty() { Err(Problem::BadHeader("If-Match")) } else { Ok(Some(deploys)) }
}
