//! The rules of a site: its page, and the lines that are not used where somebody should see it.

use super::failed::Failed;
use super::layout::Page;
use crate::api::rules::{live, of_deploy};
use crate::app::App;
use crate::view::View;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use events::{DeployId, SiteId};
use maud::{Markup, html};
use rules::pages::PAGES;
use rules::{Diagnostic, Headers, Redirect, Rules};

/// Rules of each kind that are listed.
const ROWS: usize = 500;

pub(super) async fn show(view: View, site: Result<Path<String>, PathRejection>) -> Result<Markup, Failed> {
    let site = view.site(&site?.0.parse()?).await?;
    let rules = match live(&view, site.id).await? {
        Some(deploy) => of_deploy(&view, site.id, &deploy).await?,
        None => None,
    };
    let content = html! {
        p.crumbs { a href={ "/sites/" (site.name) } { (site.name) } }
        h1 { "Rules of " (site.name) }
        @match &rules {
            Some(rules) => (tables(rules)),
            None => p.empty {
                "What is live has no rules. Put a file " code { "_redirects" } " or " code { "_headers" } " beside its pages: it is read in the grammar that is "
                a href={ "/sites/" (site.name) "/settings" } { "set" } ", " (site.settings.serving.rules_dialect) "’s."
            },
        }
    };
    Ok(Page { title: "Rules", signed_in: true, refreshes: Some(site.id.to_string()) }.render(&content))
}

fn tables(rules: &Rules) -> Markup {
    html! {
        p { "Read in the grammar of " (rules.dialect) ", with the deploy that is live." }
        (unused(&rules.diagnostics))
        @if !rules.redirects.is_empty() {
            h2 { "Redirects" }
            (redirects(&rules.redirects))
        }
        @if !rules.pages.is_empty() {
            h2 { "Headers of " code { (PAGES) } }
            p { "Of those that are for a file the first counts." }
            (headers(&rules.pages))
        }
        @if !rules.headers.is_empty() {
            h2 { "Headers" }
            (headers(&rules.headers))
        }
    }
}

fn redirects(rules: &[Redirect]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th { "Line" } th { "From" } th { "To" } th { "Status" } th { "If" } } }
            tbody { @for rule in rules.iter().take(ROWS) { tr {
                td { (rule.line) }
                td { code { @if let Some(host) = &rule.host { (host) } (rule.from) } }
                td { code { (rule.to) } }
                td { (rule.status) @if rule.forced { ", before a file" } }
                td {
                    @for (name, value) in &rule.query { code { "?" (name) "=" (value) } " " }
                    @for condition in &rule.conditions { code { (condition) } " " }
                }
            } } }
        } }
        (more(rules.len()))
    }
}

fn headers(rules: &[Headers]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th { "Line" } th { "Path" } th { "Headers" } } }
            tbody { @for rule in rules.iter().take(ROWS) { tr {
                td { (rule.line) }
                td { code { @if let Some(host) = &rule.host { (host) } (rule.from) } }
                td {
                    @for (name, value) in &rule.set { div { code { (name) ": " (value) } } }
                    @for name in &rule.unset { div { "without " code { (name) } } }
                }
            } } }
        } }
        (more(rules.len()))
    }
}

fn more(all: usize) -> Markup {
    html! { @if all > ROWS { p.faint { "These are the first " (ROWS) " of " (all) "." } } }
}

/// The lines that are not used as they stand.
fn unused(diagnostics: &[Diagnostic]) -> Markup {
    html! {
        @if !diagnostics.is_empty() {
            section {
                h2 { "Lines that are not used as they stand" }
                ul { @for told in diagnostics {
                    li { code { (told.file) ":" (told.line) } " " code { (told.text) } ": " (told.message) }
                } }
            }
        }
    }
}

/// The same for a deploy, on the page of its build; nothing if the store does not tell.
pub(super) async fn unused_of(app: &App, site: SiteId, deploy: Option<&DeployId>) -> Markup {
    let Some(deploy) = deploy else { return html! {} };
    let rules = of_deploy(app, site, deploy).await.ok().flatten();
    unused(rules.as_deref().map(|rules| rules.diagnostics.as_slice()).unwrap_or_default())
}
