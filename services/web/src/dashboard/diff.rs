//! The page of a file's text in two deploys, line by line.

use super::failed::Failed;
use super::layout::Page;
use crate::api::deploys;
use crate::api::texts::{self, Line};
use crate::view::{Found, View};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use events::DeployId;
use maud::{Markup, html};
use serde::Deserialize;
use similar::ChangeTag;

/// Lines on the page.
const LINES: usize = 2000;

#[derive(Deserialize)]
pub(super) struct Which {
    from: String,
    path: String,
}

pub(super) async fn show(
    view: View,
    id: Result<Path<String>, PathRejection>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Markup, Failed> {
    let (id, Query(Which { from, path })) = (id?.0.parse::<DeployId>()?, which?);
    let Found { deploy, site } = view.deploy(&id).await?;
    let earlier = deploys::of_site(&view, &from.parse()?, site.id).await?;
    let places = texts::read(&view, &earlier, &deploy, &path).await?.places().await?;
    let lines: usize = places.iter().map(Vec::len).sum();
    let content = html! {
        p.crumbs {
            a href={ "/sites/" (site.name) } { (site.name) } " / "
            a href={ "/deploys/" (deploy.id) "?from=" (earlier.id) } { "Deploy " (deploy.id) }
        }
        h1 { (path) }
        p.lead { "What deploy " code { (deploy.id) } " of build #" (deploy.number) " has otherwise than " code { (earlier.id) } " of build #" (earlier.number) "." }
        @if lines == 0 { p.empty { "The text is the same in both." } }
        @else {
            div.scroll { table.diff {
                thead { tr { th scope="col" { "Before" } th scope="col" { "After" } th scope="col" { "Text" } } }
                @for place in cut(places) { tbody { @for line in place { (row(&line)) } } }
            } }
        }
        @if lines > LINES { p.faint { "Only the first " (LINES) " lines of " (lines) " are shown; the API tells all." } }
    };
    Ok(Page { title: &path, signed_in: true, refreshes: None }.render(&content))
}

/// The first lines, in their places.
fn cut(places: Vec<Vec<Line>>) -> Vec<Vec<Line>> {
    let mut left = LINES;
    let mut kept = Vec::new();
    for mut place in places {
        place.truncate(left);
        left -= place.len();
        kept.push(place);
    }
    kept.retain(|place| !place.is_empty());
    kept
}

fn row(line: &Line) -> Markup {
    let (class, sign, said) = match line.tag {
        ChangeTag::Delete => (Some("gone"), "−", Some("removed: ")),
        ChangeTag::Insert => (Some("come"), "+", Some("added: ")),
        ChangeTag::Equal => (None, " ", None),
    };
    html! {
        tr class=[class] {
            td.number { @if let Some(number) = line.before { (number) } }
            td.number { @if let Some(number) = line.after { (number) } }
            td { @if let Some(said) = said { span.hidden { (said) } } span aria-hidden="true" { (sign) " " } code { (line.text) } }
        }
    }
}
