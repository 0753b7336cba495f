//! Domains: names that are other people's, and show a site here once they are proven.

use super::extract::{Asked, Body, Named};
use super::page::{Items, Page};
use crate::app::{App, Shared};
use crate::caller::Caller;
use crate::commands::{self, NewDomain};
use crate::domains::Record;
use crate::place::Place;
use crate::problem::Problem;
use crate::urls::API;
use crate::view::View;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use events::domain::Claim;
use events::routing::HostName;
use events::{Refusal, SiteName};
use http::{StatusCode, header};
use projections::domains::{DomainRow, State as DomainState};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A domain.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Domain)]
pub(crate) struct Shown {
    /// The name.
    #[schema(value_type = String)]
    name: HostName,
    /// How far it has come: `pending` while its records are looked at, `verified` when they say what they must and it shows its
    /// site, `issuing` while a certificate is asked for, `active` with one, `failed` when nobody looks or asks any more before it is
    /// added again.
    state: &'static str,
    /// What was wrong when it was looked at last.
    #[schema(required)]
    error: Option<String>,
    /// What its people have to set.
    records: Vec<Record>,
    /// Another domain of the site that it only leads to.
    #[schema(value_type = Option<String>, required)]
    redirect_to: Option<HostName>,
    /// When it was looked at last.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    checked_at: Option<OffsetDateTime>,
    /// Until when its certificate is good.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    expires_at: Option<OffsetDateTime>,
}

impl Shown {
    fn of(app: &App, site: &SiteName, row: DomainRow) -> Self {
        let DomainRow { name, state, error, redirect_to, checked_at, expires_at, .. } = row;
        let records = app.edges().records(&name, row.proof, site);
        Self { name, state: state.as_str(), error, records, redirect_to, checked_at, expires_at }
    }

    fn claimed(app: &App, site: &SiteName, name: HostName, claim: Claim) -> Self {
        let records = app.edges().records(&name, claim.proof, site);
        let state = DomainState::from(&claim).as_str();
        Self {
            name,
            state,
            error: None,
            records,
            redirect_to: claim.redirect_to,
            checked_at: None,
            expires_at: claim.expires_at,
        }
    }
}

/// What a domain shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewDomain)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// The name, such as `www.example.org`.
    #[schema(value_type = String)]
    name: HostName,
    /// Another domain of the site that it only leads to; it shows the site itself if absent.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    redirect_to: Option<HostName>,
}

/// Add a domain to a site
///
/// Its records are looked at until they say what they must, which proves whose it is. Added again by the same site it is looked at
/// anew, and leads where it is to lead now.
#[utoipa::path(post, path = "/sites/{site}/domains", tag = "domains", params(("site" = String, Path)),
    request_body = Wanted, responses(
    (status = 201, description = "It is looked at", body = Shown, headers(("Location" = String))),
))]
pub(crate) async fn add(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(place): Named<Place>,
    Body(Wanted { name, redirect_to }): Body<Wanted>,
) -> Result<Response, Problem> {
    let new = NewDomain { name: name.clone(), redirect_to };
    let (site, claim) = commands::add_domain(&app, &place, new, caller).await?;
    let location = [(header::LOCATION, format!("{API}/sites/{place}/domains/{name}"))];
    let shown = Shown::claimed(&app, &site, name, claim);
    Ok((StatusCode::CREATED, location, Json(shown)).into_response())
}

/// List the domains of a site by name
#[utoipa::path(get, path = "/sites/{site}/domains", tag = "domains", params(("site" = String, Path), Page), responses(
    (status = 200, description = "Its domains", body = Items<Shown>),
))]
pub(crate) async fn list(
    view: View,
    Named(site): Named<Place>,
    Asked(page): Asked<Page>,
) -> Result<Json<Items<Shown>>, Problem> {
    let site = view.site(&site).await?;
    let after = page.after_as::<HostName>()?;
    let rows = view.model.domains(site.id, page.reads()?, after.as_ref().map(HostName::as_str)).await?;
    page.cut(rows, |row| row.name.to_string(), |row| Shown::of(&view.app, &site.name, row)).map(Json)
}

/// Show a domain of a site
#[utoipa::path(get, path = "/sites/{site}/domains/{name}", tag = "domains",
    params(("site" = String, Path), ("name" = String, Path)), responses(
    (status = 200, description = "How far it has come", body = Shown),
))]
pub(crate) async fn show(view: View, Path((site, name)): Path<(String, String)>) -> Result<Json<Shown>, Problem> {
    let (place, name) = read(&site, &name)?;
    let site = view.site(&place).await?;
    let row = view.model.domain(&name).await?.filter(|row| row.site == site.id);
    Ok(Json(Shown::of(&view.app, &site.name, row.ok_or(Refusal::DomainNotFound)?)))
}

/// Take a domain away from a site
///
/// It shows nothing here any more, and may be added by whoever proves it is theirs.
#[utoipa::path(delete, path = "/sites/{site}/domains/{name}", tag = "domains",
    params(("site" = String, Path), ("name" = String, Path)), responses(
    (status = 204, description = "It shows nothing here"),
))]
pub(crate) async fn remove(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path((site, name)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (place, name) = read(&site, &name)?;
    commands::remove_domain(&app, &place, name, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn read(site: &str, name: &str) -> Result<(Place, HostName), Problem> {
    let place = site.parse().map_err(|_| Problem::NotFound)?;
    Ok((place, name.parse().map_err(|_| Refusal::DomainNotFound)?))
}
