//! Sites: created, listed, changed, deleted.

use super::building;
use super::extract::{Asked, Body, Named};
use super::lock;
use super::page::{Items, Page};
use super::past::{self, Moment, Past};
use super::serving;
use super::version::{if_match, tag};
use crate::app::{App, Shared};
use crate::caller::Caller;
use crate::commands;
use crate::place::Place;
use crate::problem::Problem;
use crate::settings::Wanted;
use crate::urls::API;
use crate::view::View;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use events::site::Active;
use events::{
    AliasName, Branch, DeployId, OrganizationId, OrganizationName, RepositoryUrl, SiteEngine, SiteId, SiteName,
    SiteSettings,
};
use http::{HeaderMap, StatusCode, header};
use projections::sites;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};

/// A site.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Site)]
pub(crate) struct Shown {
    /// Its identity.
    #[schema(value_type = String, format = Uuid)]
    id: SiteId,
    /// What it is called.
    #[schema(value_type = String)]
    name: SiteName,
    /// What its owner is called.
    #[schema(value_type = Option<String>)]
    organization: Option<OrganizationName>,
    /// Who owns it.
    #[schema(value_type = String, format = Uuid)]
    organization_id: OrganizationId,
    /// Where its source is fetched from.
    #[schema(value_type = String)]
    repository: RepositoryUrl,
    /// The branch published as `live`.
    #[schema(value_type = String)]
    branch: Branch,
    /// The branch published as `demo`.
    #[schema(value_type = Option<String>)]
    demo_branch: Option<Branch>,
    /// How its source becomes pages: `static`, `node.js`, `hugo`, `jekyll` or `auto`.
    #[schema(value_type = String)]
    engine: SiteEngine,
    #[serde(flatten)]
    building: building::Shown,
    #[serde(flatten)]
    serving: serving::Shown,
    /// Its live address.
    url: String,
    /// Where its repository sends webhooks: an address of its own once a secret of its own was made.
    webhook_url: String,
    /// When its webhook was first tried with its newest secret; null while that is waited for.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    webhook_pinged_at: Option<OffsetDateTime>,
    /// When it was created; absent in the answer to its creation if the read model lags.
    #[serde(with = "time::serde::rfc3339::option")]
    created_at: Option<OffsetDateTime>,
    /// Who created it.
    created_by: Option<String>,
    /// Why what its readers see stays; null if it is not locked.
    #[schema(required)]
    lock: Option<lock::Shown>,
    /// What its readers saw; present if the site is told as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    live: Option<DeployId>,
    /// The place of the log at which it was so; present if the site is told as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<u64>,
}

impl Shown {
    pub(super) fn of(site: sites::SiteRow, app: &App) -> Self {
        let SiteSettings { repository, branch, demo_branch, engine, building, serving } = site.settings;
        Self {
            repository,
            branch,
            demo_branch,
            engine,
            building: building.into(),
            serving: serving.into(),
            id: site.id,
            url: app.sites_url.alias(&site.name, &AliasName::Live),
            webhook_url: app.webhook_url_for(site.id, site.webhook_secret),
            name: site.name,
            organization: site.organization_name,
            organization_id: site.organization,
            webhook_pinged_at: site.webhook_pinged_at,
            created_at: Some(site.created_at),
            created_by: Some(site.created_by.0),
            lock: site.lock.map(lock::Shown::from),
            live: None,
            at: None,
        }
    }

    fn past(past: Past, app: &App) -> Self {
        let Past { id, site, created, live, sequence } = past;
        let shown = Self::changed(id, site, None, app);
        let (created_at, created_by) = (Some(created.time), Some(created.actor.0));
        Self { created_at, created_by, live, at: Some(sequence), ..shown }
    }

    /// A site as the log has it, with what only the read model knows, as far as that answers.
    pub(super) fn changed(id: SiteId, site: Active, row: Option<sites::SiteRow>, app: &App) -> Self {
        let SiteSettings { repository, branch, demo_branch, engine, building, serving } = site.settings;
        let (created_at, created_by) = row.as_ref().map(|row| (row.created_at, row.created_by.0.clone())).unzip();
        Self {
            repository,
            branch,
            demo_branch,
            engine,
            building: building.into(),
            serving: serving.into(),
            id,
            url: app.sites_url.alias(&site.name, &AliasName::Live),
            webhook_url: app.webhook_url_for(id, !site.webhook_salts.is_empty()),
            name: site.name,
            organization: row.as_ref().and_then(|row| row.organization_name.clone()),
            organization_id: site.organization,
            created_at,
            created_by,
            webhook_pinged_at: row.as_ref().and_then(|row| row.webhook_pinged_at),
            lock: row.and_then(|row| row.lock).map(lock::Shown::from),
            live: None,
            at: None,
        }
    }

    /// What is known of a site before the read model shows it.
    fn new(site: &commands::NewSite, created: commands::Created, app: &App) -> Self {
        let SiteSettings { repository, branch, demo_branch, engine, building, serving } = created.settings;
        Self {
            repository,
            branch,
            demo_branch,
            engine,
            building: building.into(),
            serving: serving.into(),
            id: created.site,
            url: app.sites_url.alias(&site.name, &AliasName::Live),
            webhook_url: app.webhook_url_for(created.site, false),
            name: site.name.clone(),
            organization: Some(created.organization.name),
            organization_id: created.organization.id,
            webhook_pinged_at: None,
            created_at: None,
            created_by: None,
            lock: None,
            live: None,
            at: None,
        }
    }
}

/// Which sites.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// At most this many, 1 to 1000; 50 if absent.
    limit: Option<u32>,
    /// From after this place: the `next` of the page before.
    after: Option<String>,
    /// Only those that have it in their names or their repositories' addresses, whatever its capitals.
    search: Option<String>,
}

/// List the sites
#[utoipa::path(get, path = "/sites", tag = "sites", params(Filter), responses(
    (status = 200, description = "Sites by name", body = Items<Shown>),
))]
pub(crate) async fn list(view: View, Asked(filter): Asked<Filter>) -> Result<Json<Items<Shown>>, Problem> {
    let page = Page::new(filter.limit, filter.after);
    let search = filter.search.unwrap_or_default().trim().to_lowercase();
    let sites = view.model.sites(&view.sight, &search, page.reads()?, page.after()).await?;
    page.cut(sites, |site| site.name.to_string(), |site| Shown::of(site, &view)).map(Json)
}

/// Create a site
///
/// The tip of its live branch is built at once.
#[utoipa::path(post, path = "/sites", tag = "sites", params(("Idempotency-Key" = Option<String>, Header, description = "Asks for the same once, however often it is sent")), request_body = Wanted, responses(
    (status = 201, description = "It was created", body = Shown, headers(("Location" = String), ("ETag" = String))),
))]
pub(crate) async fn create(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Body(wanted): Body<Wanted>,
) -> Result<Response, Problem> {
    let new = commands::NewSite::of(&wanted)?;
    let created = commands::create_site(&app, &new, caller).await?;
    let location = [(header::LOCATION, format!("{}/sites/{}", API, created.site))];
    let (version, shown) = match commands::soon(app.model.site(created.site)).await.flatten() {
        Some(site) => (site.version, Shown::of(site, &app)),
        None => (1, Shown::new(&new, created, &app)),
    };
    Ok((StatusCode::CREATED, location, tag(version), Json(shown)).into_response())
}

/// Read a site, by its name or its id, as it is or as it was
#[utoipa::path(get, path = "/sites/{site}", tag = "sites", params(("site" = String, Path), Moment), responses(
    (status = 200, description = "The site; without an `ETag` if it is told as it was", body = Shown,
        headers(("ETag" = String))),
))]
pub(crate) async fn show(
    view: View,
    Named(site): Named<Place>,
    Asked(moment): Asked<Moment>,
) -> Result<Response, Problem> {
    if let Some(sequence) = moment.sequence(&view).await? {
        let past = past::site_at(&view, &site, sequence).await?;
        return Ok(Json(Shown::past(past, &view)).into_response());
    }
    let site = view.site(&site).await?;
    Ok((tag(site.version), Json(Shown::of(site, &view))).into_response())
}

/// Change a site's name or settings (JSON merge patch)
#[utoipa::path(patch, path = "/sites/{site}", tag = "sites",
    params(
        ("site" = String, Path),
        ("If-Match" = Option<String>, Header, description = "The entity tag of the site as the caller saw it"),
    ),
    request_body(content = Wanted, content_type = "application/merge-patch+json"), responses(
    (status = 200, description = "It is so", body = Shown, headers(("ETag" = String))),
))]
pub(crate) async fn change(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(place): Named<Place>,
    headers: HeaderMap,
    Body(wanted): Body<Wanted>,
) -> Result<Response, Problem> {
    let edit = commands::Edit { wanted, seen: if_match(&headers)? };
    let id = app.site_id(&place).await?;
    let changed = commands::change_site(&app, id, &edit, caller).await?;
    let row = commands::soon(app.model.site(id)).await.flatten();
    let (version, shown) = match row {
        // Tag and fields are of one version: an older row would invite its reader to undo what others changed.
        Some(site) if site.version >= changed.version => (site.version, Shown::of(site, &app)),
        row => (changed.version, Shown::changed(id, changed, row, &app)),
    };
    Ok((tag(version), Json(shown)).into_response())
}

/// Delete a site
///
/// Within 30 days it can be restored.
#[utoipa::path(delete, path = "/sites/{site}", tag = "sites",
    params(
        ("site" = String, Path),
        ("If-Match" = Option<String>, Header, description = "The entity tag of the site as the caller saw it"),
    ), responses(
    (status = 202, description = "It will show nothing any more"),
    (status = 204, description = "It was deleted before"),
))]
pub(crate) async fn delete(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(place): Named<Place>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let deleted = commands::delete_site(&app, &place, &if_match(&headers)?, caller).await?;
    Ok(if deleted { StatusCode::ACCEPTED } else { StatusCode::NO_CONTENT })
}
