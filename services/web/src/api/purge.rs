//! What edges keep of pages, asked for again.

use super::extract::Body;
use crate::commands::{self, Whose};
use crate::problem::Problem;
use crate::view::View;
use axum::Json;
use events::SiteId;
use events::routing::{HostName, RoutePath};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What to purge: either what a host shows, or what all hosts of a site show.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewPurge)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// The host, without a port.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 253)]
    host: Option<String>,
    /// The name or the id of the site.
    #[serde(default)]
    site: Option<String>,
    /// The path whose answer is meant; every page if absent.
    #[serde(default)]
    #[schema(max_length = 512, pattern = "^/")]
    path: Option<String>,
}

/// What is purged.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Purge)]
pub(crate) struct Told {
    /// The host; null for all hosts of the site.
    #[schema(value_type = Option<String>, required)]
    host: Option<HostName>,
    /// The path; null for every page.
    #[schema(value_type = Option<String>, required)]
    path: Option<RoutePath>,
    /// The sites whose pages they are.
    #[schema(value_type = Vec<uuid::Uuid>)]
    sites: Vec<SiteId>,
}

/// Have every edge ask the store again for what it keeps of some pages
///
/// They are shown meanwhile, and while the store does not answer, but for no more than a day. What the store has no more, or
/// not whole, is shown no longer. Pages need no purge to change: a promotion is enough.
#[utoipa::path(post, path = "/purge", tag = "hosts",
    params(("Idempotency-Key" = Option<String>, Header, description = "Purges once, however often it is sent")),
    request_body = Wanted, responses(
    (status = 202, description = "Edges ask again", body = Told),
))]
pub(crate) async fn purge(
    view: View,
    Body(Wanted { host, site, path }): Body<Wanted>,
) -> Result<(StatusCode, Json<Told>), Problem> {
    let path: Option<RoutePath> = path.as_deref().map(str::parse).transpose()?;
    let (host, whose) = match (host, site) {
        (Some(host), None) => {
            let host: HostName = host.parse()?;
            (Some(host.clone()), Whose::Host(host))
        }
        (None, Some(site)) => (None, Whose::Site(site.parse().map_err(|_| Problem::NotFound)?)),
        (Some(_), Some(_)) | (None, None) => {
            return Err(Problem::InvalidInput("name a `host` or a `site`, and not both".to_owned()));
        }
    };
    let sites = commands::purge(&view, whose, path.clone(), view.caller.clone()).await?;
    Ok((StatusCode::ACCEPTED, Json(Told { host, path, sites: sites.into_iter().collect() })))
}
