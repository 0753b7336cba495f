//! All builds of a site, page by page.

use super::failed::Failed;
use super::layout::{self, Page};
use super::older::{Before, older};
use crate::app::Shared;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use maud::{Markup, html};

/// Builds on a page.
const ROWS: u32 = 50;

pub(super) async fn list(
    State(app): State<Shared>,
    name: Result<Path<String>, PathRejection>,
    part: Result<Query<Before>, QueryRejection>,
) -> Result<Markup, Failed> {
    let (site, Query(part)) = (app.site(&name?.0.parse()?).await?, part?);
    let builds = app.model.builds(site.id, ROWS, part.before).await?;
    let next = builds.last().filter(|_| builds.len() == ROWS as usize).map(|build| build.source_sequence);
    let content = html! {
        p.crumbs { a href={ "/sites/" (site.name) } { (site.name) } }
        h1 { "Builds" }
        @if builds.is_empty() { p.empty { "No builds here." } } @else { (layout::builds(&builds)) }
        (older(&format!("/sites/{}/builds", site.name), next))
    };
    Ok(Page { title: &format!("Builds of {}", site.name), signed_in: true, refreshes: None }.render(&content))
}
