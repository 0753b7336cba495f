//! The files of a deploy, and in which of them two deploys differ.

use super::deploys;
use super::extract::{Asked, Named};
use super::page::{Items, Page};
use super::texts;
use crate::problem::Problem;
use crate::view::{Found, View};
use axum::Json;
use axum::response::{IntoResponse, Response};
use events::DeployId;
use http::header;
use serde::{Deserialize, Serialize};
use storage::manifest::SiteFile;
use utoipa::{IntoParams, ToSchema};

/// A file of a deploy.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = File)]
pub(crate) struct Shown {
    /// Its path from the site's root, without a leading slash.
    path: String,
    /// Its size.
    bytes: u64,
    /// SHA-256 of its content.
    digest: String,
    /// The `Content-Type` it is served with.
    content_type: String,
}

/// A file that is not the same in two deploys.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DifferentFile)]
pub(crate) struct Different {
    /// Its path from the site's root, without a leading slash.
    path: String,
    /// Its size, in the later deploy unless it was removed.
    bytes: u64,
}

/// The files in which two deploys differ, each list sorted by path.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Difference {
    /// Files that only this deploy has.
    added: Vec<Different>,
    /// Files whose content or type is another.
    changed: Vec<Different>,
    /// Files that only the other deploy has.
    removed: Vec<Different>,
}

/// What a deploy is compared with.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Other {
    /// The deploy it is compared with, of the same site.
    #[param(value_type = String)]
    from: DeployId,
}

impl From<&SiteFile> for Shown {
    fn from(file: &SiteFile) -> Self {
        Self {
            path: file.path.clone(),
            bytes: file.size,
            digest: file.digest.to_string(),
            content_type: file.content_type.to_string(),
        }
    }
}

/// List the files of a deploy
#[utoipa::path(get, path = "/deploys/{id}/files", tag = "files", params(("id" = String, Path), Page), responses(
    (status = 200, description = "Its files, by path", body = Items<Shown>),
))]
pub(crate) async fn list(
    view: View,
    Named(id): Named<DeployId>,
    Asked(page): Asked<Page>,
) -> Result<Json<Items<Shown>>, Problem> {
    let reads = page.reads()? as usize;
    let manifest = deploys::manifest(&view, &view.deploy(&id).await?.deploy).await?;
    let after = page.after().unwrap_or_default();
    let files = manifest.iter().filter(|file| file.path.as_str() > after).take(reads).map(Shown::from).collect();
    page.cut(files, |file: &Shown| file.path.clone(), |file| file).map(Json)
}

/// Compare two deploys of a site
#[utoipa::path(get, path = "/deploys/{id}/diff", tag = "files", params(("id" = String, Path), Other), responses(
    (status = 200, description = "The files in which this deploy differs from the other", body = Difference),
))]
pub(crate) async fn compare(
    view: View,
    Named(id): Named<DeployId>,
    Asked(Other { from }): Asked<Other>,
) -> Result<Json<Difference>, Problem> {
    let Found { deploy, site } = view.deploy(&id).await?;
    let other = deploys::of_site(&view, &from, site.id).await?;
    let (later, earlier) = tokio::try_join!(deploys::manifest(&view, &deploy), deploys::manifest(&view, &other))?;
    let difference = later.since(&earlier);
    let told = |files: Vec<&SiteFile>| -> Vec<Different> {
        files.into_iter().map(|file| Different { path: file.path.clone(), bytes: file.size }).collect()
    };
    let (added, changed, removed) = (told(difference.added), told(difference.changed), told(difference.removed));
    Ok(Json(Difference { added, changed, removed }))
}

/// Which file of two deploys.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// The deploy it is compared with, of the same site.
    #[param(value_type = String)]
    from: DeployId,
    /// The file's path from the site's root, without a leading slash.
    path: String,
}

/// Compare the text of a file in two deploys of a site
#[utoipa::path(get, path = "/deploys/{id}/diff/text", tag = "files", params(("id" = String, Path), Which), responses(
    (status = 200, description = "The lines that differ, as a unified diff; nothing if the texts are the same. A file that \
        only one of the deploys has is compared with nothing; only texts of at most 512 KiB are", content_type = "text/x-diff",
        body = String),
))]
pub(crate) async fn text(
    view: View,
    Named(id): Named<DeployId>,
    Asked(Which { from, path }): Asked<Which>,
) -> Result<Response, Problem> {
    let Found { deploy, site } = view.deploy(&id).await?;
    let earlier = deploys::of_site(&view, &from, site.id).await?;
    let unified = texts::read(&view, &earlier, &deploy, &path).await?.unified().await?;
    Ok(([(header::CONTENT_TYPE, "text/x-diff; charset=utf-8")], unified).into_response())
}
