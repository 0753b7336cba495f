//! Lists of a site that go back in time, page by page.

use super::failed::Failed;
use super::link::link;
use crate::app::Shared;
use crate::view::View;
use axum::extract::{FromRequestParts, Path, Query};
use http::request::Parts;
use maud::{Markup, html};
use projections::sites::SiteRow;
use serde::Deserialize;

/// Rows on a page.
pub(super) const ROWS: u32 = 50;

/// A site, and which part of a list of it is asked for.
pub(super) struct Asked {
    pub(super) view: View,
    pub(super) site: SiteRow,
    /// What is older than this sequence of the log; the newest if absent.
    pub(super) before: Option<u64>,
}

#[derive(Deserialize)]
struct Before {
    before: Option<u64>,
}

impl FromRequestParts<Shared> for Asked {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Failed> {
        let Path(name) = Path::<String>::from_request_parts(parts, app).await?;
        let Query(Before { before }) = Query::from_request_parts(parts, app).await?;
        let view = View::from_request_parts(parts, app).await?;
        Ok(Self { site: view.site(&name.parse()?).await?, view, before })
    }
}

impl Asked {
    /// The way to what is older than these rows, if there may be any; `list` is the last part of the page's address.
    pub(super) fn older<R>(&self, list: &str, rows: &[R], sequence: impl Fn(&R) -> u64) -> Markup {
        let next = rows.last().filter(|_| rows.len() == ROWS as usize).map(|row| sequence(row).to_string());
        html! {
            @if let Some(before) = next {
                p { a href=(link(&format!("/sites/{}/{list}", self.site.name), &[("before", &before)])) rel="next" { "Older" } }
            }
        }
    }

    /// Where the site's own page is.
    pub(super) fn crumbs(&self) -> Markup {
        html! { p.crumbs { a href={ "/sites/" (self.site.name) } { (self.site.name) } } }
    }
}
