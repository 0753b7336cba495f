//! What webhooks have told of a site's repository, page by page.

use super::event::words;
use super::failed::Failed;
use super::layout::{Page, moment};
use super::link::link;
use super::older::{Asked, ROWS};
use maud::{Markup, html};
use projections::timeline::{FactRow, Older};

pub(super) async fn list(asked: Asked) -> Result<Markup, Failed> {
    let repository = &asked.site.settings.repository;
    let deliveries =
        asked.view.model.deliveries(asked.site.id, repository, Older { limit: ROWS, before: asked.before }).await?;
    let content = html! {
        (asked.crumbs())
        h1 { "Webhook deliveries" }
        p.lead { "What " code { (repository) } " has told " code { (asked.view.webhook_url) } "." }
        @if deliveries.is_empty() {
            p.empty { "Nothing so far. The repository’s webhook must send pushes to the address above, as JSON and signed with the secret of this platform." }
        } @else { (table(&deliveries)) }
        (asked.older("deliveries", &deliveries, |delivery| delivery.sequence))
    };
    Ok(Page { title: &format!("Deliveries for {}", asked.site.name), signed_in: true, refreshes: None }
        .render(&content))
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
