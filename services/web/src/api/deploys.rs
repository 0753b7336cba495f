//! Deploys: every version of a site that is stored.

use super::builds::Page;
use super::extract::{Asked, Named};
use super::sites::known;
use crate::problem::Problem;
use crate::server::Shared;
use crate::urls::SitesUrl;
use axum::Json;
use axum::extract::State;
use events::{Branch, BuildId, CommitId, DeployId, SiteName};
use projections::deploys;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A deploy. It never changes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Deploy)]
pub(crate) struct Shown {
    /// Its identity.
    #[schema(value_type = String)]
    id: DeployId,
    /// The build that made it.
    #[schema(value_type = String, format = Uuid)]
    build: BuildId,
    /// That build's number in the site.
    number: u64,
    /// The branch it was built from.
    #[schema(value_type = String)]
    branch: Branch,
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
    /// When all of it was stored.
    #[serde(with = "time::serde::rfc3339")]
    synced_at: OffsetDateTime,
    /// Where it is read, whatever the aliases show.
    url: String,
}

/// Deploys of a site, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Deploys {
    /// To read on, ask for those before the last one's number.
    deploys: Vec<Shown>,
}

impl Shown {
    fn of(deploy: deploys::Deploy, urls: &SitesUrl) -> Self {
        Self {
            url: urls.deploy(&deploy.site, &deploy.id),
            id: deploy.id,
            build: deploy.build,
            number: deploy.number,
            branch: deploy.branch,
            commit: deploy.commit,
            content: deploy.content.to_string(),
            files: deploy.files,
            bytes: deploy.bytes,
            uploaded_files: deploy.uploaded_files,
            uploaded_bytes: deploy.uploaded_bytes,
            synced_at: deploy.synced_at,
        }
    }
}

/// List the deploys of a site
#[utoipa::path(get, path = "/sites/{site}/deploys", tag = "deploys", params(("site" = String, Path), Page), responses(
    (status = 200, description = "Its deploys, newest first", body = Deploys),
))]
pub(crate) async fn list(
    State(app): State<Shared>,
    Named(site): Named<SiteName>,
    Asked(page): Asked<Page>,
) -> Result<Json<Deploys>, Problem> {
    let limit = page.limit()?;
    known(&app, &site).await?;
    let deploys = app.model.deploys(&site, limit, page.before()).await?;
    let deploys = deploys.into_iter().map(|deploy| Shown::of(deploy, &app.sites_url)).collect();
    Ok(Json(Deploys { deploys }))
}
