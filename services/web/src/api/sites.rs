//! Sites: created, listed, deleted.

use super::extract::{Body, Named};
use crate::auth::Caller;
use crate::commands;
use crate::problem::Problem;
use crate::server::Shared;
use crate::urls::SitesUrl;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use events::site::Settings;
use events::{AliasName, Branch, OrganizationName, Refusal, RepositoryUrl, SiteEngine, SiteName};
use http::{StatusCode, header};
use projections::sites;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// What a site is created with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSite {
    /// Starts with a letter, then letters, digits and single hyphens, all lower case, at most 30 characters.
    #[schema(value_type = String, example = "docs")]
    name: SiteName,
    /// Where its source is fetched from, without credentials.
    #[schema(value_type = String, example = "https://github.com/acme/docs.git")]
    repository: RepositoryUrl,
    /// The branch published as `live`; `main` if absent.
    #[schema(value_type = Option<String>)]
    branch: Option<Branch>,
    /// The branch published as `demo`.
    #[schema(value_type = Option<String>)]
    demo_branch: Option<Branch>,
    /// How its source becomes pages: `static` (the default), `node.js` or `hugo`.
    #[schema(value_type = Option<String>)]
    engine: Option<SiteEngine>,
    /// Who owns it; `default` if absent.
    #[schema(value_type = Option<String>)]
    organization: Option<OrganizationName>,
}

/// A site.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Site)]
pub(crate) struct Shown {
    /// Its identity.
    #[schema(value_type = String)]
    name: SiteName,
    /// Who owns it.
    #[schema(value_type = String)]
    organization: OrganizationName,
    /// Where its source is fetched from.
    #[schema(value_type = String)]
    repository: RepositoryUrl,
    /// The branch published as `live`.
    #[schema(value_type = String)]
    branch: Branch,
    /// The branch published as `demo`.
    #[schema(value_type = Option<String>)]
    demo_branch: Option<Branch>,
    /// How its source becomes pages.
    #[schema(value_type = String)]
    engine: SiteEngine,
    /// Its live address.
    url: String,
    /// When it was created; absent in the answer to its creation if the read model lags.
    #[serde(with = "time::serde::rfc3339::option")]
    created_at: Option<OffsetDateTime>,
    /// Who created it.
    created_by: Option<String>,
}

/// All sites.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Sites {
    /// By name.
    sites: Vec<Shown>,
}

impl NewSite {
    fn settings(self) -> Result<(SiteName, Settings), Problem> {
        let branch = self.branch.map_or_else(|| "main".parse(), Ok)?;
        let organization = self.organization.map_or_else(|| "default".parse(), Ok)?;
        let engine = self.engine.unwrap_or(SiteEngine::Static);
        let Self { name, repository, demo_branch, .. } = self;
        Ok((name, Settings { organization, repository, branch, demo_branch, engine }))
    }
}

impl Shown {
    fn of(site: sites::Site, urls: &SitesUrl) -> Self {
        let url = urls.alias(&site.name, &AliasName::Live);
        let sites::Site { name, organization, repository, branch, demo_branch, engine, created_at, created_by, .. } =
            site;
        let (created_at, created_by) = (Some(created_at), Some(created_by.0));
        Self { name, organization, repository, branch, demo_branch, engine, url, created_at, created_by }
    }

    fn new((name, settings): (SiteName, Settings), urls: &SitesUrl) -> Self {
        let url = urls.alias(&name, &AliasName::Live);
        let Settings { organization, repository, branch, demo_branch, engine } = settings;
        let (created_at, created_by) = (None, None);
        Self { name, organization, repository, branch, demo_branch, engine, url, created_at, created_by }
    }
}

/// The site, if it is there and was not deleted.
pub(crate) async fn known(app: &Shared, name: &SiteName) -> Result<sites::Site, Problem> {
    let site = app.model.site(name).await?.filter(|site| site.deleted_at.is_none());
    site.ok_or(Problem::Refused(Refusal::SiteNotFound))
}

/// List the sites
#[utoipa::path(get, path = "/sites", tag = "sites", responses((status = 200, description = "All sites", body = Sites)))]
pub(crate) async fn list(State(app): State<Shared>) -> Result<Json<Sites>, Problem> {
    let sites = app.model.sites().await?.into_iter().map(|site| Shown::of(site, &app.sites_url)).collect();
    Ok(Json(Sites { sites }))
}

/// Create a site
#[utoipa::path(post, path = "/sites", tag = "sites", request_body = NewSite, responses(
    (status = 201, description = "It was created", body = Shown, headers(("Location" = String))),
    (status = 200, description = "It is there already, exactly so", body = Shown),
))]
pub(crate) async fn create(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<NewSite>,
) -> Result<Response, Problem> {
    let (name, settings) = body.settings()?;
    let new = commands::create_site(&app, &name, (settings.clone(), caller)).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    let location = format!("{}/sites/{name}", super::BASE);
    let shown = match commands::soon(app.model.site(&name)).await.flatten() {
        Some(site) => Shown::of(site, &app.sites_url),
        None => Shown::new((name, settings), &app.sites_url),
    };
    Ok((status, [(header::LOCATION, location)], Json(shown)).into_response())
}

/// Read a site
#[utoipa::path(get, path = "/sites/{site}", tag = "sites", params(("site" = String, Path)), responses(
    (status = 200, description = "The site", body = Shown),
))]
pub(crate) async fn show(State(app): State<Shared>, Named(name): Named<SiteName>) -> Result<Json<Shown>, Problem> {
    Ok(Json(Shown::of(known(&app, &name).await?, &app.sites_url)))
}

/// Delete a site, for good
#[utoipa::path(delete, path = "/sites/{site}", tag = "sites", params(("site" = String, Path)), responses(
    (status = 202, description = "It will show nothing any more"),
    (status = 204, description = "It was deleted before"),
))]
pub(crate) async fn delete(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(name): Named<SiteName>,
) -> Result<StatusCode, Problem> {
    let event = commands::delete_site(&app, &name, caller).await?;
    Ok(if event.is_some() { StatusCode::ACCEPTED } else { StatusCode::NO_CONTENT })
}
