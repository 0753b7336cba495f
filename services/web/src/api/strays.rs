//! Webhooks that came for nobody or were refused.

use super::extract::{Asked, Named};
use super::page::{Items, Page};
use crate::commands;
use crate::problem::Problem;
use crate::strays::{Note, Stray};
use crate::view::View;
use axum::Json;
use axum::response::{IntoResponse, Response};
use events::{Branch, BuildId, CommitId, OrganizationId, RepositoryUrl, SiteId, SiteName};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};

/// A webhook that led to nothing, and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StrayDelivery)]
pub(crate) struct Shown {
    /// What it is found by here.
    id: u64,
    /// What its sender calls it; empty if it did not say.
    delivery: String,
    /// What kind it is: `push`, `ping` or another of GitHub's; empty if it did not say.
    event: String,
    /// When it came.
    #[serde(with = "time::serde::rfc3339")]
    received_at: OffsetDateTime,
    /// Why it led to nothing: `no_site`, `other_repository`, or the code of the problem it was answered with.
    reason: String,
    /// The same for people.
    detail: String,
    /// Whether its signature was right: else it may be anybody's words.
    signed: bool,
    /// The organization it was for, if that can be told.
    #[schema(value_type = Option<String>, format = Uuid, required)]
    organization_id: Option<OrganizationId>,
    /// The site whose address it came to, or whose secret signed it.
    #[schema(value_type = Option<String>, format = Uuid, required)]
    site_id: Option<SiteId>,
    /// The repository it is about, as it says.
    #[schema(value_type = Option<String>, required)]
    repository: Option<RepositoryUrl>,
    /// The branch it is about.
    #[schema(value_type = Option<String>, required)]
    branch: Option<Branch>,
    /// The tip it told of.
    #[schema(value_type = Option<String>, required)]
    commit: Option<CommitId>,
    /// The sites that it is for by now: it can be delivered again to them.
    #[schema(value_type = Vec<String>)]
    sites: Vec<SiteName>,
}

impl From<Stray> for Shown {
    fn from(stray: Stray) -> Self {
        let Note { delivery, event, repository, branch, commit, site, reason, detail } = stray.note;
        Self {
            id: stray.id,
            delivery,
            event,
            received_at: stray.received_at,
            reason,
            detail,
            signed: stray.is_signed,
            organization_id: stray.owner,
            site_id: site,
            repository,
            branch,
            commit,
            sites: stray.sites.into_iter().map(|site| site.name).collect(),
        }
    }
}

/// Which of them.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// At most this many, 1 to 1000; 50 if absent.
    limit: Option<u32>,
    /// From after this place: the `next` of the page before.
    after: Option<u64>,
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Redelivered {
    /// The builds that were asked for.
    #[schema(value_type = Vec<String>)]
    builds: Vec<BuildId>,
}

/// List the webhooks that came for nobody or were refused
///
/// Those of the caller's organizations, kept for 30 days, at most 200 of each organization; and those about the repository of a
/// site of theirs that came before there was one. Whoever sees the whole platform sees those of nobody too.
#[utoipa::path(get, path = "/deliveries", tag = "deliveries", operation_id = "list_strays", params(Which), responses(
    (status = 200, description = "Newest first", body = Items<Shown>),
))]
pub(crate) async fn list(view: View, Asked(which): Asked<Which>) -> Result<Json<Items<Shown>>, Problem> {
    let page = Page::new(which.limit, which.after);
    let reads = page.reads()? as usize;
    let mut strays = view.strays().await?;
    strays.retain(|stray| which.after.is_none_or(|after| stray.id < after));
    strays.truncate(reads);
    page.cut(strays, |stray| stray.id.to_string(), Shown::from).map(Json)
}

/// Deliver a webhook again that came before its site
///
/// Builds the branch it told of, at its present tip, for every site that is built from its repository now.
#[utoipa::path(post, path = "/deliveries/{id}/redeliver", tag = "deliveries", params(("id" = u64, Path)), responses(
    (status = 202, description = "The builds are asked for; asking again asks for no others", body = Redelivered),
))]
pub(crate) async fn redeliver(view: View, Named(id): Named<u64>) -> Result<Response, Problem> {
    let builds = commands::redeliver(&view, id).await?;
    Ok((StatusCode::ACCEPTED, Json(Redelivered { builds })).into_response())
}
