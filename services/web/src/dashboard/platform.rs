//! The whole installation, for admins and support: what waits and who works, how builds go, what could not be handled, who uses
//! what, and who is there.

mod chart;
mod collect;
mod people;

use super::failed::Failed;
use super::form::form;
use super::layout::{Page, duration, moment, sentence, size};
use super::link::link;
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands::{self, Verdict};
use crate::platform::{self, Consumer, Launcher};
use crate::problem::Problem;
use crate::view::View;
use axum::Extension;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::Redirect;
use chart::{bars, chart};
use events::Lane;
use events::authority::PlatformRole;
use maud::{Markup, html};
use projections::platform::{PaceRow, QueueRow, UsageRow};
use runtime::clock;
use runtime::parked::Parked;
use serde::Deserialize;

pub(super) use collect::{collect, show as collection};
pub(super) use people::{reinstate, suspend};

/// Lines of the queue, and organizations on a page.
const LINES: u32 = 100;
const ROWS: u32 = 50;

/// Which part of the organizations, and of the people.
#[derive(Deserialize)]
pub(super) struct Parts {
    #[serde(default)]
    after: String,
    #[serde(default)]
    people: String,
}

pub(super) async fn show(view: View, parts: Result<Query<Parts>, QueryRejection>) -> Result<Markup, Failed> {
    platform::may_look(&view)?;
    let Query(parts) = parts?;
    let model = &view.model;
    let (queue, launchers) = (model.queue(LINES).await?, platform::launchers(&view).await?);
    let pace = platform::pace(&view, platform::HOURS);
    let usage =
        async { Ok::<_, Problem>(model.usage(clock::now() - platform::USAGE, Some(&parts.after), ROWS + 1).await?) };
    let (pace, usage) = tokio::try_join!(pace, usage)?;
    let (consumers, shelf) = tokio::try_join!(platform::consumers(&view), platform::shelf(&view))?;
    let may_handle = view.caller.holder.platform == Some(PlatformRole::Admin);
    let content = html! {
        h1 { "Platform" }
        p.actions {
            a href="#queue" { "Queue" } a href="#consumers" { "Consumers" } a href="#parked" { "Parked" }
            a href="#usage" { "Organizations" } a href="#people" { "People" } a href="/platform/collect" { "What is kept no longer" } a href="/audit" { "Audit and its CSV" }
        }
        h2 #queue { "Queue" }
        (lines(&queue))
        (building(&launchers))
        (charts(&pace))
        h2 #consumers { "Consumers" }
        (standing(&consumers))
        h2 #parked { "Parked" }
        @if shelf.is_empty() { p.calm { "Nothing is parked: everything could be handled." } } @else { (parked(&shelf, may_handle)) }
        h2 #usage { "Organizations" }
        (used(usage))
        h2 #people { "People" }
        (people::part(&view, &parts.people).await?)
    };
    Ok(Page { title: "Platform", signed_in: true, refreshes: Some(String::new()) }.render(&content))
}

fn lines(queue: &[QueueRow]) -> Markup {
    html! {
        @if queue.is_empty() { p.calm { "No build waits, and none runs." } }
        @else { div.scroll { table {
            thead { tr { th scope="col" { "Organization" } th scope="col" { "Lane" } th scope="col" { "Waiting" } th scope="col" { "Running" } th scope="col" { "First waits since" } } }
            tbody { @for line in queue { tr {
                th scope="row" { @match &line.name { Some(name) => a href={ "/organizations/" (name) } { (name) }, None => code { (line.organization) } } }
                td { @match line.lane { Lane::High => "high", Lane::Low => "low" } }
                td.number { (line.waiting) }
                td.number { (line.running) }
                td { @match line.waiting_since { Some(since) => (moment(since)), None => "–" } }
            } } }
        } } }
    }
}

fn building(launchers: &[Launcher]) -> Markup {
    let (all, busy) = launchers.iter().fold((0, 0), |(all, busy), one| (all + one.slots.unwrap_or(0), busy + one.busy));
    html! {
        h3 { "Launchers" }
        @if launchers.is_empty() { p.notice role="status" { "No launcher is there: builds wait." } }
        @else {
            p.faint { (busy) " of " (all) " slots in use." }
            div.scroll { table {
                thead { tr { th scope="col" { "Launcher" } th scope="col" { "Slots in use" } th scope="col" { "State" } th scope="col" { "Longest since" } } }
                tbody { @for launcher in launchers { tr {
                    th scope="row" { (launcher.name) }
                    td.number { (launcher.busy) @if let Some(slots) = launcher.slots { " of " (slots) } }
                    td { @match (launcher.slots, launcher.works) {
                        (None, _) => "silent",
                        (Some(_), true) => "works",
                        (Some(_), false) => "takes no builds: its sandbox is away, or its disk is full",
                    } }
                    td { @if let Some(since) = launcher.busy_since { (moment(since)) } @else { "–" } }
                } } }
            } }
        }
    }
}

fn charts(pace: &[PaceRow]) -> Markup {
    let waited = bars(pace, platform::HOURS, |row| (row.wait_ms, row.wait_ms_95));
    let took = bars(pace, platform::HOURS, |row| (row.took_ms, row.took_ms_95));
    let (builds, failed) = pace.iter().fold((0, 0), |(builds, failed), row| (builds + row.builds, failed + row.failed));
    html! {
        h3 { "The last " (platform::HOURS) " hours" }
        p.faint { (builds) " builds, " (failed) " of them failed." }
        div.charts { (chart("How long builds waited", &waited)) (chart("How long builds took", &took)) }
    }
}

fn standing(consumers: &[Consumer]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th scope="col" { "Consumer" } th scope="col" { "Behind by" } th scope="col" { "Events waiting" } th scope="col" { "In hand" } th scope="col" { "Done up to" } } }
            tbody { @for consumer in consumers { tr {
                th scope="row" { (consumer.name) }
                td { (format!("{:.1} s", consumer.lag_s)) }
                td.number { (consumer.pending) }
                td.number { (consumer.in_hand) }
                td.number { (consumer.sequence) }
            } } }
        } }
    }
}

fn parked(shelf: &[Parked], may_handle: bool) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th scope="col" { "Event" } th scope="col" { "Consumer" } th scope="col" { "Why" } th scope="col" { "Parked" } th scope="col" { span.hidden { "What to do" } } } }
            tbody { @for parked in shelf { tr {
                th scope="row" { a href={ "/events/" (parked.sequence) } { (parked.sequence) } }
                td { (parked.consumer) }
                td.wide { (sentence(&parked.reason)) " " span.faint { "Tried " (parked.deliveries) " times." } }
                td { (moment(parked.parked_at)) }
                td { @if may_handle { div.switches {
                    (form("", &format!("/platform/parked/{}/retry", parked.id), &html! { button aria-label={ "Retry event " (parked.sequence) } { "Retry" } }))
                    (form("", &format!("/platform/parked/{}/drop", parked.id), &html! { button.danger aria-label={ "Drop event " (parked.sequence) } { "Drop" } }))
                } } }
            } } }
        } }
    }
}

fn used(mut usage: Vec<UsageRow>) -> Markup {
    let more = usage.len() > ROWS as usize;
    usage.truncate(ROWS as usize);
    let next = usage.last().filter(|_| more).map(|last| link("/platform", &[("after", last.name.as_str())]));
    html! {
        p.faint { "Builds are those of the last " (platform::USAGE.whole_days()) " days. " a href="/api/v1/platform/usage.csv" { "All as CSV" } }
        div.scroll { table {
            thead { tr { th scope="col" { "Organization" } th scope="col" { "Sites" } th scope="col" { "Members" } th scope="col" { "Builds" } th scope="col" { "Build time" } th scope="col" { "Stored" } } }
            tbody { @for row in &usage { tr {
                th scope="row" { a href={ "/organizations/" (row.name) } { (row.name) } }
                td.number { (row.sites) }
                td.number { (row.members) }
                td.number { (row.builds) }
                td.number { (duration(row.build_ms)) }
                td.number { (size(row.stored_bytes)) }
            } } }
        } }
        @if let Some(next) = next { p { a href=(next) rel="next" { "More organizations" } } }
    }
}

pub(super) async fn retry(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<u64>, PathRejection>,
) -> Result<Redirect, Failed> {
    commands::handle_parked(&app, id?.0, Verdict::Retry, caller).await?;
    Ok(Redirect::to("/platform#parked"))
}

pub(super) async fn discard(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<u64>, PathRejection>,
) -> Result<Redirect, Failed> {
    commands::handle_parked(&app, id?.0, Verdict::Drop, caller).await?;
    Ok(Redirect::to("/platform#parked"))
}
