//! The way back to a closed site for whoever has signed in and may see it here. They leave by a page and not by a redirect: one that
//! follows on the form of signing in would be stopped by our own policy.

use super::failed::Failed;
use super::layout::Page;
use crate::problem::Problem;
use crate::view::View;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use doors::{Place, TICKET, Ticket};
use events::Refusal;
use events::routing::HostName;
use http::{HeaderValue, Uri, header};
use maud::html;
use runtime::clock;
use serde::Deserialize;

/// Where somebody came from.
#[derive(Deserialize)]
pub(super) struct From {
    to: String,
}

pub(super) async fn show(
    view: View,
    site: Result<Path<String>, PathRejection>,
    from: Result<Query<From>, QueryRejection>,
) -> Result<Response, Failed> {
    let (site, Query(From { to })) = (view.site(&site?.0.parse()?).await?, from?);
    let missing = || Failed::from(Problem::from(Refusal::SiteNotFound));
    let to: Uri = to.parse().map_err(|_| missing())?;
    let (Some(authority), Some(_)) = (to.authority(), to.scheme()) else { return Err(missing()) };
    let host: HostName = authority.host().parse().map_err(|_| missing())?;
    // A ticket goes to the site's own hosts alone, and whoever asks is sent nowhere else.
    if authority.as_str().contains('@') || !view.shows_at(site.id, &host).await? {
        return Err(missing());
    }
    let place = Place { site: site.id, host: host.as_str() };
    let ticket = Ticket::make(&view.doors, &place, clock::now().unix_timestamp());
    let path = to.path_and_query().map_or("/", |path| path.as_str());
    let mark = if path.contains('?') { '&' } else { '?' };
    let back = format!("{}://{authority}{path}{mark}{TICKET}={ticket}", view.sites_url.scheme);
    let content = html! {
        section.card.narrow {
            h1 { "Open " (site.name) }
            p { "You may see " (host) ". " a href=(back) rel="noreferrer" { "Go on" } " if that does not happen by itself." }
        }
    };
    let page = Page { title: "Open a site", signed_in: true, refreshes: None }.render(&content);
    let refresh = HeaderValue::from_str(&format!("0; url={back}")).map_err(|_| missing())?;
    let headers = [
        (header::REFRESH, refresh),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    Ok((headers, page).into_response())
}
