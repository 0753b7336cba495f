//! The webhook of a site: where it sends to, the secret it signs with, and whether it has been tried.

use super::failed::Failed;
use super::form::form;
use super::layout::{Page, moment};
use crate::commands;
use crate::place::Place;
use crate::view::View;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use maud::{Markup, html};
use projections::sites::SiteRow;

type Site = Result<Path<String>, PathRejection>;

/// A part of the page of a site and of that of its settings.
pub(super) fn section(view: &View, site: &SiteRow) -> Markup {
    if site.settings.repository.own_site().is_some() {
        return html! {};
    }
    html! {
        section.card #webhook {
            h2 { "Webhook" }
            (state(site))
            p { "The repository sends pushes, as JSON, to " code { (view.webhook_url_of(site.id)) } ", signed with the site’s own secret. Nobody else’s site can be built by it, nor this one by another’s." }
            (form("", &format!("/sites/{}/webhook-secret", site.id), &html! {
                p { "A new secret is shown once. The one before it stays good until the next is made." }
                button { "Make a secret" }
            }))
        }
    }
}

/// Whether the repository's host has tried it, which it does by itself when a webhook is made.
pub(super) fn state(site: &SiteRow) -> Markup {
    html! {
        p role="status" {
            @match site.webhook_pinged_at {
                Some(at) => { span.pill data-state="success" { "works" } " First ping " (moment(at)) "." }
                None => { span.pill data-state="queued" { "waiting for the first ping" } },
            }
        }
    }
}

/// The page that follows the first ping; what it showed once stays where it is.
pub(super) async fn show(view: View, site: Site) -> Result<Markup, Failed> {
    let site = view.site(&site?.0.parse()?).await?;
    let shown = html! {
        p { "The secret was shown once. Whoever has lost it makes another." }
        (form("", &format!("/sites/{}/webhook-secret", site.id), &html! { button { "Make a secret" } }))
    };
    Ok(page(&site, &shown))
}

pub(super) async fn rotate(view: View, site: Site) -> Result<Markup, Failed> {
    let site = view.site(&site?.0.parse()?).await?;
    let commands::WebhookSecret { url, secret } =
        commands::rotate_webhook_secret(&view.app, &Place::Id(site.id), view.caller.clone()).await?;
    let shown = html! {
        p { "The secret is shown this once: copy it now." }
        dl.facts {
            div { dt { "Payload URL" } dd { code { (url) } } }
            div { dt { "Content type" } dd { code { "application/json" } } }
            div { dt { "Secret" } dd { code { (secret) } } }
            div { dt { "Events" } dd { "Pushes, and pull requests if they shall be built" } }
        }
    };
    let site = SiteRow { webhook_pinged_at: None, ..site };
    Ok(page(&site, &shown))
}

fn page(site: &SiteRow, shown: &Markup) -> Markup {
    let content = html! {
        p.crumbs { a href={ "/sites/" (site.name) } { (site.name) } " / " a href={ "/sites/" (site.name) "/settings" } { "Settings" } }
        section.card {
            h1 { "Webhook of " (site.name) }
            div #secret data-keep { (shown) }
            (state(site))
            p { a href={ "/sites/" (site.name) "/deliveries" } { "Its deliveries" } " show what arrives." }
        }
    };
    Page { title: "Webhook", signed_in: true, refreshes: Some(site.id.to_string()) }.render(&content)
}
