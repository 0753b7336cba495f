//! The page of a deploy: where it comes from, where it is shown, and which files differ from another.

use super::deploys::switches;
use super::failed::Failed;
use super::layout::{Page, moment, sentence, size};
use super::link::link;
use super::why;
use crate::api::{deploys, texts};
use crate::app::App;
use crate::problem::Problem;
use crate::view::{Found, View};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use events::DeployId;
use maud::{Markup, html};
use projections::deploys::DeployRow;
use serde::Deserialize;
use storage::manifest::{Difference, SiteFile};

/// Files of each kind that are listed.
const FILES: usize = 200;
/// Deploys that are offered to compare with, and aliases that are looked through.
const OFFERED: u32 = 50;

#[derive(Deserialize)]
pub(super) struct Other {
    from: Option<String>,
}

pub(super) async fn show(
    view: View,
    id: Result<Path<String>, PathRejection>,
    other: Result<Query<Other>, QueryRejection>,
) -> Result<Markup, Failed> {
    let (id, Query(other)) = (id?.0.parse::<DeployId>()?, other?);
    let found = view.deploy(&id).await?;
    let Found { deploy, site } = &found;
    let aliases = view.model.aliases(site.id, OFFERED, None).await?;
    let offered = view.model.deploys(site.id, OFFERED, None).await?;
    let earlier = match other.from.filter(|from| !from.is_empty()) {
        Some(from) => Some(deploys::of_site(&view, &from.parse()?, site.id).await?),
        None => view.model.deploy_before(deploy).await?,
    };
    let url = view.sites_url.deploy(&site.name, &deploy.id);
    let names = why::names(&view, std::slice::from_ref(deploy), Vec::new()).await;
    let title = format!("Deploy {} of {}", deploy.id, site.name);
    let content = html! {
        p.crumbs { a href={ "/sites/" (site.name) } { (site.name) } " / " a href={ "/sites/" (site.name) "/deploys" } { "Deploys" } }
        div.title { h1 { "Deploy " (deploy.id) } @if deploy.collected_at.is_none() { p { a href=(url) rel="noreferrer" { (url) } } } }
        @if let Some(told) = &deploy.why { p.lead { (told.summary) } }
        dl.facts {
            @if let Some(told) = &deploy.why {
                @if let Some(who) = why::who(told, &names) { div { dt { "Who" } dd { (who) } } }
                div { dt { "Why" } dd { (why::why(told, &names)) } }
            }
            div { dt { "Build" } dd { a href={ "/builds/" (deploy.build) } { "#" (deploy.number) } } }
            div { dt { "Branch" } dd { (deploy.branch) " " code { (deploy.commit.short()) } } }
            div { dt { "Files" } dd { (deploy.files) ", " (size(deploy.bytes)) } }
            div { dt { "Uploaded" } dd { (deploy.uploaded_files) ", " (size(deploy.uploaded_bytes)) } }
            div { dt { "Stored" } dd { (moment(deploy.created_at)) } }
        }
        @if deploy.collected_at.is_none() { p.actions { a href=(link("/explain", &[("url", &url)])) { "Explain what readers see" } } }
        (switches(deploy, &aliases))
        h2 { "What changed" }
        (choice(&offered, deploy, earlier.as_ref()))
        @if let Some(earlier) = &earlier { (compared(&view, deploy, earlier).await) }
        @else { p.empty { "No earlier deploy of “" (deploy.alias) "” is there to compare with." } }
    };
    Ok(Page { title: &title, signed_in: true, refreshes: None }.render(&content))
}

fn choice(offered: &[DeployRow], deploy: &DeployRow, earlier: Option<&DeployRow>) -> Markup {
    if offered.iter().all(|other| other.id == deploy.id) {
        return html! {};
    }
    html! {
        form.inline method="get" {
            label for="from" { "Compared with" }
            select #from name="from" {
                @for other in offered.iter().filter(|other| other.id != deploy.id && other.collected_at.is_none()) {
                    option value=(other.id) selected[earlier.is_some_and(|earlier| earlier.id == other.id)] {
                        "#" (other.number) " " (other.branch) " " (other.commit.short())
                    }
                }
            }
            button { "Compare" }
        }
    }
}

async fn compared(app: &App, deploy: &DeployRow, earlier: &DeployRow) -> Markup {
    let read = tokio::try_join!(deploys::manifest(app, deploy), deploys::manifest(app, earlier));
    match read {
        Ok((new, old)) => difference(&new.since(&old), deploy, earlier),
        Err(problem) => missing(&problem),
    }
}

fn missing(problem: &Problem) -> Markup {
    html! { p.notice role="alert" { (sentence(&problem.to_string())) } }
}

fn difference(difference: &Difference<'_>, later: &DeployRow, earlier: &DeployRow) -> Markup {
    let Difference { added, changed, removed } = difference;
    html! {
        p.lead { (added.len()) " added, " (changed.len()) " changed, " (removed.len()) " removed" }
        @for (heading, files) in [("Added", added), ("Changed", changed), ("Removed", removed)] {
            @if !files.is_empty() {
                h3 { (heading) }
                ul.files { @for file in files.iter().take(FILES) { li { (named(file, later, earlier)) " " span.faint { (size(file.size)) } } } }
                @if files.len() > FILES { p.faint { "And " (files.len() - FILES) " more; the API lists all." } }
            }
        }
    }
}

/// A file's path, which leads to what of its text differs if it is one.
fn named(file: &SiteFile, later: &DeployRow, earlier: &DeployRow) -> Markup {
    let page = format!("/deploys/{}/diff", later.id);
    html! {
        @if texts::is_text(file) { a href=(link(&page, &[("from", earlier.id.as_str()), ("path", &file.path)])) { code { (file.path) } } }
        @else { code { (file.path) } }
    }
}
