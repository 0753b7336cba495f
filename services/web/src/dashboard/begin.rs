//! The page that follows the creation of a site: its first build, its webhook with the secret, and what a private repository needs.

use super::credentials;
use super::failed::Failed;
use super::form::form;
use super::layout::{Page, number, pill};
use super::secret;
use crate::app::Shared;
use crate::commands;
use crate::view::View;
use axum::Router;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::routing::get;
use events::AliasName;
use maud::{Markup, html};
use projections::builds::BuildRow;
use projections::sites::SiteRow;

/// Where it is.
pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/sites/{site}/begin", get(show))
}

async fn show(view: View, site: Result<Path<String>, PathRejection>) -> Result<Markup, Failed> {
    let site = view.site(&site?.0.parse()?).await?;
    let builds = view.model.builds(site.id, 1, None).await?;
    let secret = commands::first_webhook_secret(&view.app, &site, &view.caller).await?;
    let access = credentials::section(&view, &site).await?;
    let url = view.sites_url.alias(&site.name, &AliasName::Live);
    let content = html! {
        p.crumbs { a href={ "/sites/" (site.name) } { (site.name) } }
        section.card {
            h1 { (site.name) " is there" }
            p { "What its first build makes is shown at " a href=(url) rel="noreferrer" { (url) } "." }
            p role="status" { (first_build(builds.first())) }
        }
        section.card #webhook {
            h2 { "Webhook: so that every push is built" }
            (secret::state(&site))
            div #secret data-keep { (steps(&view, &site, secret.as_deref())) }
        }
        (access)
    };
    Ok(Page { title: "A new site", signed_in: true, refreshes: Some(site.id.to_string()) }.render(&content))
}

fn first_build(build: Option<&BuildRow>) -> Markup {
    html! {
        @match build {
            Some(build) => {
                "Build " (number(build)) " " (pill(build.state)) " "
                a href={ "/builds/" (build.id) } { "Follow its log" }
                @if !build.summary.is_empty() { ". " (build.summary) }
            }
            None => "The first build is queued in a moment.",
        }
    }
}

fn steps(view: &View, site: &SiteRow, secret: Option<&str>) -> Markup {
    let canonical = site.settings.repository.canonical();
    let at_github = canonical.strip_prefix("github.com/");
    html! {
        ol {
            li {
                "Open the webhooks of the repository: "
                @if let Some(path) = at_github {
                    a href={ "https://github.com/" (path) "/settings/hooks/new" } rel="noreferrer" { "Settings → Webhooks → Add webhook" }
                    " at GitHub."
                } @else { "at GitHub “Settings → Webhooks → Add webhook”, elsewhere in its settings too." }
            }
            li { "Enter these, and save. The host tries the webhook at once, which turns the mark above green." }
        }
        dl.facts {
            div { dt { "Payload URL" } dd { code { (view.webhook_url_of(site.id)) } } }
            div { dt { "Content type" } dd { code { "application/json" } } }
            @if let Some(secret) = secret { div { dt { "Secret" } dd { code { (secret) } } } }
            div { dt { "Events" } dd { "Pushes, and pull requests if they shall be built" } }
        }
        @if secret.is_some() {
            p { "The secret is shown to you alone, here and until the first ping: copy it now." }
        } @else {
            p { "The secret was shown to whoever created the site. Whoever has lost it makes another." }
            (form("", &format!("/sites/{}/webhook-secret", site.id), &html! { button { "Make a secret" } }))
        }
    }
}
