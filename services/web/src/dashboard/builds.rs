//! All builds of a site, page by page.

use super::failed::Failed;
use super::layout::{self, Page};
use super::older::{Asked, ROWS};
use maud::{Markup, html};

pub(super) async fn list(asked: Asked) -> Result<Markup, Failed> {
    let builds = asked.view.model.builds(asked.site.id, ROWS, asked.before).await?;
    let content = html! {
        (asked.crumbs())
        h1 { "Builds" }
        @if builds.is_empty() { p.empty { "No builds here." } } @else { (layout::builds(&builds)) }
        (asked.older("builds", &builds, |build| build.source_sequence))
    };
    Ok(Page { title: &format!("Builds of {}", asked.site.name), signed_in: true, refreshes: None }.render(&content))
}
