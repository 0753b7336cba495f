//! Deploys: every version of a site that is stored.

use super::builds::{Trigger, written_by};
use super::extract::{Asked, Named};
use super::page::{Items, Page};
use crate::app::App;
use crate::place::Place;
use crate::problem::Problem;
use crate::view::{Found, View};
use axum::Json;
use events::{AliasName, Branch, BuildId, CommitId, DeployId, Refusal, SiteId};
use projections::deploys;
use projections::sites::SiteRow;
use serde::Serialize;
use storage::manifest::Manifest;
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A deploy. It never changes, until it is kept no longer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Deploy)]
pub(crate) struct Shown {
    /// Its identity.
    #[schema(value_type = String)]
    id: DeployId,
    /// What the site it belongs to is called.
    site: String,
    /// That site's identity.
    #[schema(value_type = String, format = Uuid)]
    site_id: SiteId,
    /// The build that made it.
    #[schema(value_type = String, format = Uuid)]
    build: BuildId,
    /// That build's number in the site.
    number: u64,
    /// The branch it was built from.
    #[schema(value_type = String)]
    branch: Branch,
    /// The alias it was made for.
    #[schema(value_type = String)]
    alias: AliasName,
    /// The commit it was built from.
    #[schema(value_type = String)]
    commit: CommitId,
    /// Digest of its file list: equal content, equal digest.
    content: String,
    /// Files in it.
    files: u64,
    /// Their size in bytes.
    bytes: u64,
    /// Files whose content was new.
    uploaded_files: u64,
    /// Bytes sent for them.
    uploaded_bytes: u64,
    /// Requests to the object store that it took.
    requests: u64,
    /// When all of it was stored.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// When it was kept no longer; null for one that is there.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    collected_at: Option<OffsetDateTime>,
    /// What it is about, for people: the title of its commit.
    #[schema(required)]
    summary: Option<String>,
    /// Who wrote the commit: the name that the commit has, or `user:<id>` for who edited it here; null if that is not known.
    #[schema(required)]
    author: Option<String>,
    /// Who began the story of its build.
    #[schema(required)]
    requested_by: Option<String>,
    /// What began it.
    #[schema(required)]
    trigger: Option<Trigger>,
    /// Where it is read, whatever the aliases show.
    url: String,
    /// Where its alias is read, if that is the live one.
    #[serde(skip_serializing_if = "Option::is_none")]
    live_url: Option<String>,
    /// Where its alias is read, if that is a preview or the demo.
    #[serde(skip_serializing_if = "Option::is_none")]
    preview_url: Option<String>,
}

/// The file list of a deploy is immutable and may be long; it is read from the store, not from the read model.
pub(crate) async fn manifest(app: &App, deploy: &deploys::DeployRow) -> Result<Manifest, Problem> {
    if deploy.collected_at.is_some() {
        return Err(Refusal::DeployCollected.into());
    }
    let manifest = app.storage.site(deploy.site).manifest(&deploy.id).await?;
    manifest.ok_or_else(|| not_found(&deploy.id))
}

/// A deploy of a certain site, to be held against another of it.
pub(crate) async fn of_site(view: &View, id: &DeployId, site: SiteId) -> Result<deploys::DeployRow, Problem> {
    let deploy = view.deploy(id).await?.deploy;
    let other = || Problem::InvalidInput("`from` must be a deploy of the same site".to_owned());
    Some(deploy).filter(|deploy| deploy.site == site).ok_or_else(other)
}

fn not_found(id: &DeployId) -> Problem {
    Problem::Refused(Refusal::DeployNotFound(id.clone()))
}

impl Shown {
    fn of(deploy: deploys::DeployRow, site: &SiteRow, app: &App) -> Self {
        let alias_url = app.sites_url.alias(&site.name, &deploy.alias);
        let (live_url, preview_url) =
            if deploy.alias == AliasName::Live { (Some(alias_url), None) } else { (None, Some(alias_url)) };
        let why = deploy.why;
        let trigger = why.as_ref().and_then(|why| Trigger::of(why.trigger, why.requested_by.as_deref()));
        Self {
            trigger,
            summary: why.as_ref().map(|why| why.summary.clone()),
            author: why.as_ref().and_then(|why| why.author.as_ref()).map(written_by),
            requested_by: why.and_then(|why| why.requested_by),
            url: app.sites_url.deploy(&site.name, &deploy.id),
            live_url,
            preview_url,
            id: deploy.id,
            site: site.name.to_string(),
            site_id: deploy.site,
            build: deploy.build,
            number: deploy.number,
            branch: deploy.branch,
            alias: deploy.alias,
            commit: deploy.commit,
            content: deploy.content.to_string(),
            files: deploy.files,
            bytes: deploy.bytes,
            uploaded_files: deploy.uploaded_files,
            uploaded_bytes: deploy.uploaded_bytes,
            requests: deploy.requests,
            created_at: deploy.created_at,
            collected_at: deploy.collected_at,
        }
    }
}

/// List the deploys of a site
#[utoipa::path(get, path = "/sites/{site}/deploys", tag = "deploys", params(("site" = String, Path), Page), responses(
    (status = 200, description = "Its deploys, newest source first", body = Items<Shown>),
))]
pub(crate) async fn list(
    view: View,
    Named(site): Named<Place>,
    Asked(page): Asked<Page>,
) -> Result<Json<Items<Shown>>, Problem> {
    let (reads, after) = (page.reads()?, page.after_as()?);
    let site = view.site(&site).await?;
    let deploys = view.model.deploys(site.id, reads, after).await?;
    let place = |deploy: &deploys::DeployRow| deploy.source_sequence.to_string();
    page.cut(deploys, place, |deploy| Shown::of(deploy, &site, &view)).map(Json)
}

/// Read a deploy
#[utoipa::path(get, path = "/deploys/{id}", tag = "deploys", params(("id" = String, Path)), responses(
    (status = 200, description = "The deploy", body = Shown),
))]
pub(crate) async fn show(view: View, Named(id): Named<DeployId>) -> Result<Json<Shown>, Problem> {
    let Found { deploy, site } = view.deploy(&id).await?;
    Ok(Json(Shown::of(deploy, &site, &view)))
}
