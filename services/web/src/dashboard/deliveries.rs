//! What webhooks have told of a site's repository, page by page.

use super::event::words;
use super::failed::Failed;
use super::layout::{Page, moment};
use super::link::link;
use super::older::{Asked, ROWS};
use super::{secret, strays};
use crate::strays::Stray;
use maud::{Markup, html};
use projections::sites::SiteRow;
use projections::timeline::{FactRow, Older};

pub(super) async fn list(asked: Asked) -> Result<Markup, Failed> {
    let repository = &asked.site.settings.repository;
    let deliveries =
        asked.view.model.deliveries(asked.site.id, repository, Older { limit: ROWS, before: asked.before }).await?;
    let strays: Vec<_> = asked.view.strays().await?.into_iter().filter(|stray| is_shown(stray, &asked.site)).collect();
    let content = html! {
        (asked.crumbs())
        h1 { "Webhook deliveries" }
        p.lead { "What " code { (repository) } " has told." }
        (secret::state(&asked.site))
        @if deliveries.is_empty() {
            p.empty { "Nothing so far. The repository’s webhook must send pushes to the address above, as JSON and signed with the secret of this platform." }
        } @else { (table(&deliveries)) }
        (asked.older("deliveries", &deliveries, |delivery| delivery.sequence))
        @if asked.before.is_none() {
            section {
                h2 { "What led to nothing" }
                p.faint { "Of this site and its organization, for 30 days." }
                (strays::table(&strays))
            }
        }
    };
    Ok(Page {
        title: &format!("Deliveries for {}", asked.site.name),
        signed_in: true,
        refreshes: Some(asked.site.id.to_string()),
    }
    .render(&content))
}

/// What belongs to no other site.
fn is_shown(stray: &Stray, site: &SiteRow) -> bool {
    match stray.note.site {
        Some(meant) => meant == site.id,
        None => stray.owner == Some(site.organization) || stray.sites.iter().any(|meant| meant.id == site.id),
    }
}

fn table(deliveries: &[FactRow]) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr { th scope="col" { "#" } th scope="col" { "Received" } th scope="col" { "What" } th scope="col" { "What came of it" } } }
                tbody {
                    @for delivery in deliveries {
                        tr {
                            td.number { a href={ "/events/" (delivery.sequence) } { (delivery.sequence) } }
                            td { (moment(delivery.time)) }
                            td.wide { (words(delivery)) }
                            td { a href=(link("/timeline", &[("correlation", &delivery.correlation.to_string())])) { "Its story" } }
                        }
                    }
                }
            }
        }
    }
}
