//! The page of a site: what its aliases show, its builds, its deploys, and what a person may do about them.

use super::deploys;
use super::failed::Failed;
use super::form::form;
use super::layout::{self, Page, moment};
use super::link::link;
use super::lock;
use super::members;
use super::rules;
use super::secret;
use super::why;
use crate::app::{App, Shared};
use crate::caller::Caller;
use crate::commands::{self, Promotion, Source};
use crate::people::Names;
use crate::place::Place;
use crate::problem::Problem;
use crate::seen::Seen;
use crate::view::View;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Path, State};
use axum::response::Redirect;
use axum::{Extension, Form};
use events::{AliasName, Branch, PromotionReason};
use maud::{Markup, html};
use projections::aliases::AliasRow;
use projections::sites::SiteRow;
use serde::Deserialize;

/// Builds and deploys on the page.
const ROWS: u32 = 20;

type Name = Result<Path<String>, PathRejection>;

#[derive(Deserialize)]
pub(super) struct NewBuild {
    #[serde(default)]
    branch: String,
    #[serde(default)]
    commit: String,
}

#[derive(Deserialize)]
pub(super) struct Target {
    alias: String,
    deploy: String,
    expected: String,
}

pub(super) async fn show(view: View, name: Name) -> Result<Markup, Failed> {
    let site = view.site(&name?.0.parse()?).await?;
    let aliases = view.model.aliases(site.id, ROWS, None).await?;
    let builds = view.model.builds(site.id, ROWS, None).await?;
    let stored = view.model.deploys(site.id, ROWS, None).await?;
    let locked_by = site.lock.as_ref().map(|lock| lock.locked_by.clone());
    let others = aliases.iter().map(|alias| alias.actor.clone()).chain([site.created_by.clone()]).chain(locked_by);
    let others = others.collect();
    let names = why::names(&view, &stored, others).await;
    let live = aliases.iter().find(|alias| alias.alias == AliasName::Live).map(|alias| &alias.deploy);
    let unused = rules::unused_of(&view, site.id, live).await;
    let content = html! {
        (heading(&view, &site, &names))
        (unused)
        section {
            h2 { "Aliases" }
            @if aliases.is_empty() { p.empty { "Nothing is published yet. The first successful build of “" (site.settings.branch) "” goes live by itself." } }
            @else { (alias_table(&view, &site, &aliases, &names)) }
        }
        section {
            h2 { "Builds" }
            (build_form(&site))
            @if builds.is_empty() {
                p.empty { "No builds yet. The first one is queued when the site is created; push to " (layout::repository(&site.settings.repository)) " for the next." }
            } @else { (layout::builds(&builds)) @if builds.len() == ROWS as usize { p { a href={ "/sites/" (site.name) "/builds" } { "All builds" } } } }
        }
        section {
            h2 { "Deploys" }
            @if stored.is_empty() { p.empty { "No deploys yet. Every successful build leaves one, and it stays: you can come back to it." } }
            @else { (deploys::Table { app: &view, site: &site, aliases: &aliases, names: &names }.of(&stored)) @if stored.len() == ROWS as usize { p { a href={ "/sites/" (site.name) "/deploys" } { "All deploys" } } } }
        }
        @if view.sight.sees_organization(site.organization) { (members::of_site(&view, &site).await?) }
    };
    Ok(Page { title: site.name.as_str(), signed_in: true, refreshes: Some(site.id.to_string()) }.render(&content))
}

fn heading(app: &App, site: &SiteRow, names: &Names) -> Markup {
    let url = app.sites_url.alias(&site.name, &AliasName::Live);
    html! {
        div.title {
            h1 { (site.name) }
            p { a href=(url) rel="noreferrer" { (url) } }
        }
        (lock::notice(site, names))
        dl.facts {
            @if site.settings.repository.own_site().is_some() {
                div { dt { "Repository" } dd { "kept here" } }
            } @else {
                div { dt { "Repository" } dd { code { (site.settings.repository) } } }
                div { dt { "Webhook" } dd { (secret::state(site)) } }
            }
            div { dt { "Live branch" } dd { (site.settings.branch) } }
            @if let Some(demo) = &site.settings.demo_branch { div { dt { "Demo branch" } dd { (demo) } } }
            div { dt { "Engine" } dd { (engine(site.settings.engine)) } }
            @if !site.settings.building.is_default() { div { dt { "Builds" } dd { (site.settings.building.told().join("; ")) } } }
            @if !site.settings.serving.is_default() { div { dt { "Answers" } dd { (site.settings.serving.told().join("; ")) } } }
            @if let Some(organization) = &site.organization_name { div { dt { "Organization" } dd { a href={ "/organizations/" (organization) } { (organization) } } } }
            div { dt { "Created" } dd { (moment(site.created_at)) " by " (names.of(&site.created_by)) } }
        }
        p.actions {
            a href=(link("/timeline", &[("site", site.name.as_str())])) { "Timeline" }
            a href={ "/sites/" (site.name) "/past" } { "As it was" }
            a href={ "/sites/" (site.name) "/deliveries" } { "Deliveries" }
            a href={ "/sites/" (site.name) "/rules" } { "Rules" }
            a href={ "/sites/" (site.name) "/access" } { "Access" }
            a href={ "/sites/" (site.name) "/domains" } { "Domains" }
            a href=(link("/routes", &[("site", site.name.as_str())])) { "Routes" }
            a href=(link("/explain", &[("url", &url)])) { "Explain" }
            a href={ "/sites/" (site.name) "/notices" } { "Notices" }
            a href={ "/sites/" (site.name) "/settings#webhook" } { "Webhook" }
            @if site.settings.repository.own_site().is_some() { a href={ "/sites/" (site.name) "/source" } { "Files" } }
            a href={ "/sites/" (site.name) "/settings" } { "Settings" }
            a href={ "/sites/" (site.name) "/settings#variables" } { "Variables" }
            a.danger href={ "/sites/" (site.name) "/delete" } { "Delete this site…" }
        }
    }
}

pub(super) const fn engine(engine: events::SiteEngine) -> &'static str {
    match engine {
        events::SiteEngine::Static => "Static",
        events::SiteEngine::NodeJs => "Node.js",
        events::SiteEngine::Hugo => "Hugo",
        events::SiteEngine::Jekyll => "Jekyll",
        events::SiteEngine::Auto => "Found out by each build",
    }
}

fn alias_table(app: &App, site: &SiteRow, aliases: &[AliasRow], names: &Names) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr {
                    th scope="col" { "Alias" } th scope="col" { "Address" } th scope="col" { "Deploy" }
                    th scope="col" { "Why" } th scope="col" { "Since" } th scope="col" { "Action" }
                } }
                tbody {
                    @for alias in aliases {
                        @let url = app.sites_url.alias(&site.name, &alias.alias);
                        tr {
                            th scope="row" { span.branch title=(alias.alias) { (alias.alias) } }
                            td { a.branch.address href=(url) rel="noreferrer" title=(url) { (url) } }
                            td { a href={ "/deploys/" (alias.deploy) } { code { (alias.deploy) } } " of build #" (alias.number) }
                            td { @match alias.reason {
                                PromotionReason::Built => "newest build",
                                PromotionReason::Chosen => { "chosen by " (names.of(&alias.actor)) },
                            } }
                            td { (moment(alias.promoted_at)) }
                            td { @if let AliasName::Preview(branch) = &alias.alias { (take_down_form(site, alias, branch)) } }
                        }
                    }
                }
            }
        }
    }
}

fn take_down_form(site: &SiteRow, alias: &AliasRow, branch: &Branch) -> Markup {
    form(
        "",
        &format!("/sites/{}/aliases/remove", site.id),
        &html! {
            input type="hidden" name="alias" value=(alias.alias);
            button aria-label={ "Take down the preview of " (branch) } { "Take down" }
        },
    )
}

fn build_form(site: &SiteRow) -> Markup {
    html! {
        (form("inline", &format!("/sites/{}/builds", site.name), &html! {
            label for="build-branch" { "Branch" }
            input #build-branch name="branch" placeholder=(site.settings.branch);
            button.primary { "Build now" }
        }))
    }
}

pub(super) async fn build(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    name: Name,
    form: Result<Form<NewBuild>, FormRejection>,
) -> Result<Redirect, Failed> {
    let (name, Form(form)) = (name?.0.parse::<Place>()?, form?);
    let branch = Some(form.branch.trim()).filter(|branch| !branch.is_empty()).map(str::parse).transpose()?;
    let commit = Some(form.commit.trim()).filter(|commit| !commit.is_empty()).map(str::parse).transpose()?;
    let build = commands::request_build(&app, &name, Source { branch, commit }, caller).await?;
    Ok(Redirect::to(&format!("/builds/{build}")))
}

pub(super) async fn promote(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    name: Name,
    form: Result<Form<Target>, FormRejection>,
) -> Result<Redirect, Failed> {
    let (name, Form(form)) = (name?.0.parse::<Place>()?, form?);
    let expected = Some(vec![form.expected.parse()?]);
    let promotion = Promotion { alias: form.alias.parse()?, deploy: form.deploy.parse()?, expected };
    commands::promote(&app, &name, &promotion, caller).await?;
    Ok(Redirect::to(&format!("/sites/{name}")))
}

/// The preview that is to be taken down.
#[derive(Deserialize)]
pub(super) struct Preview {
    alias: String,
}

pub(super) async fn take_down(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    name: Name,
    form: Result<Form<Preview>, FormRejection>,
) -> Result<Redirect, Failed> {
    let (name, Form(form)) = (name?.0.parse::<Place>()?, form?);
    commands::take_down(&app, &name, form.alias.parse()?, caller).await?;
    Ok(Redirect::to(&format!("/sites/{name}")))
}

pub(super) async fn confirm_deletion(view: View, name: Name) -> Result<Markup, Failed> {
    let site = view.site(&name?.0.parse()?).await?;
    let content = html! {
        section.card.narrow {
            h1 { "Delete " (site.name) "?" }
            p { "Its addresses stop answering and its builds stop. Within 30 days it can be restored with all that it had; its name stays reserved for its organization." }
            (form("", &format!("/sites/{}/delete", site.name), &html! {
                p.actions {
                    button.danger { "Delete " (site.name) }
                    a href={ "/sites/" (site.name) } { "Keep it" }
                }
            }))
        }
    };
    Ok(Page { title: "Delete a site", signed_in: true, refreshes: None }.render(&content))
}

pub(super) async fn delete(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    name: Name,
) -> Result<Redirect, Failed> {
    commands::delete_site(&app, &name.map_err(Problem::from)?.0.parse()?, &Seen::Any, caller).await?;
    Ok(Redirect::to("/"))
}
