//! What webhooks have told of a site's repository, page by page.

use super::event::words;
use super::failed::Failed;
use super::layout::{Page, moment};
use super::link::link;
use super::older::{Before, older};
use crate::app::Shared;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use maud::{Markup, html};
use projections::timeline::FactRow;

/// Deliveries on a page.
const ROWS: u32 = 50;

pub(super) async fn list(
    State(app): State<Shared>,
    name: Result<Path<String>, PathRejection>,
    part: Result<Query<Before>, QueryRejection>,
) -> Result<Markup, Failed> {
    let (site, Query(part)) = (app.site(&name?.0.parse()?).await?, part?);
    let deliveries = app.model.deliveries(&site.settings.repository, ROWS, part.before).await?;
    let next = deliveries.last().filter(|_| deliveries.len() == ROWS as usize).map(|delivery| delivery.sequence);
    let content = html! {
        p.crumbs { a href={ "/sites/" (site.name) } { (site.name) } }
        h1 { "Webhook deliveries" }
        p.lead { "What " code { (site.settings.repository) } " has told " code { (app.webhook_url) } "." }
        @if deliveries.is_empty() {
            p.empty { "Nothing so far. The repository’s webhook must send pushes to the address above, as JSON and signed with the secret of this platform." }
        } @else { (table(&deliveries)) }
        (older(&format!("/sites/{}/deliveries", site.name), next))
    };
    Ok(Page { title: &format!("Deliveries for {}", site.name), signed_in: true, refreshes: None }.render(&content))
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
