//! The webhook of a site: where it sends to, and the secret it signs with.

use super::failed::Failed;
use super::form::form;
use super::layout::Page;
use crate::commands;
use crate::place::Place;
use crate::view::View;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use maud::{Markup, html};
use projections::sites::SiteRow;

/// A part of the page of a site's settings.
pub(super) fn section(view: &View, site: &SiteRow) -> Markup {
    html! {
        section.card #webhook {
            h2 { "Webhook" }
            p { "The repository sends pushes, as JSON, to " code { (view.webhook_url_of(site.id)) } ", signed with the site’s own secret. Nobody else’s site can be built by it, nor this one by another’s." }
            (form("", &format!("/sites/{}/webhook-secret", site.id), &html! {
                p { "A new secret is shown once. The one before it stays good until the next is made." }
                button { "Make a secret" }
            }))
        }
    }
}

pub(super) async fn rotate(view: View, site: Result<Path<String>, PathRejection>) -> Result<Markup, Failed> {
    let site = view.site(&site?.0.parse()?).await?;
    let commands::WebhookSecret { url, secret } =
        commands::rotate_webhook_secret(&view.app, &Place::Id(site.id), view.caller.clone()).await?;
    let content = html! {
        p.crumbs { a href={ "/sites/" (site.name) } { (site.name) } " / " a href={ "/sites/" (site.name) "/settings" } { "Settings" } }
        section.card {
            h1 { "Webhook secret of " (site.name) }
            p { "It is shown this once: copy it now." }
            dl.facts {
                div { dt { "Payload URL" } dd { code { (url) } } }
                div { dt { "Content type" } dd { code { "application/json" } } }
                div { dt { "Secret" } dd { code { (secret) } } }
                div { dt { "Events" } dd { "Just the push event" } }
            }
            p { a href={ "/sites/" (site.name) "/deliveries" } { "Its deliveries" } " show what arrives." }
        }
    };
    Ok(Page { title: "Webhook secret", signed_in: true, refreshes: None }.render(&content))
}
