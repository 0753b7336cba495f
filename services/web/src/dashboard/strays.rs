//! Webhooks that came for nobody or were refused, each with its reason.

use super::failed::Failed;
use super::form::form;
use super::layout::{Page, moment, sentence, spoken, spoken_time};
use crate::commands;
use crate::problem::Problem;
use crate::strays::Stray;
use crate::view::View;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::response::Redirect;
use maud::{Markup, html};

/// Rows on a page; the API has all.
const ROWS: usize = 100;

pub(super) async fn list(view: View) -> Result<Markup, Failed> {
    let strays = view.strays().await?;
    let content = html! {
        h1 { "Webhooks that led to nothing" }
        p.lead { "Refused, or for a repository that no site is built from. They are kept for 30 days." }
        (table(&strays[..strays.len().min(ROWS)]))
    };
    Ok(Page { title: "Webhooks that led to nothing", signed_in: true, refreshes: None }.render(&content))
}

pub(super) async fn redeliver(view: View, id: Result<Path<u64>, PathRejection>) -> Result<Redirect, Failed> {
    let builds = commands::redeliver(&view, id?.0).await?;
    let first = builds.first().ok_or(Problem::DeliveryUnmatched)?;
    Ok(Redirect::to(&format!("/builds/{first}")))
}

pub(super) fn table(strays: &[Stray]) -> Markup {
    html! {
        @if strays.is_empty() { p.empty { "None: every webhook that came was for somebody." } } @else {
            div.scroll { table {
                thead { tr { th scope="col" { "Received" } th scope="col" { "What" } th scope="col" { "Why nothing came of it" } th scope="col" { "Again" } } }
                tbody { @for stray in strays { (row(stray)) } }
            } }
        }
    }
}

fn row(stray: &Stray) -> Markup {
    let note = &stray.note;
    html! {
        tr {
            td { (moment(stray.received_at)) }
            td {
                (if note.event.is_empty() { "?" } else { &note.event })
                @if let Some(branch) = &note.branch { " to " span.branch title=(branch) { (branch) } }
                @if let Some(repository) = &note.repository { br; code { (repository) } }
            }
            td.wide { (spoken(&sentence(&note.detail))) " " code { (note.reason) } }
            td {
                @if stray.sites.is_empty() { span.faint { "–" } } @else {
                    (form("", &format!("/deliveries/{}/redeliver", stray.id), &html! {
                        button aria-label={ "Deliver the webhook of " (spoken_time(stray.received_at)) " again" } { "Redeliver" }
                    }))
                }
            }
        }
    }
}
