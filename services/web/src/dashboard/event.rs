//! The page of one fact: what happened, in words and whole, and what led to it.

use super::failed::Failed;
use super::layout::{Page, moment, sentence, spoken};
use super::link::link;
use crate::people::{self, Names};
use crate::problem::Problem;
use crate::view::View;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use events::{Actor, EventId, Recorded};
use maud::{Markup, html};
use projections::timeline::FactRow;
use runtime::cloudevent;

/// How many causes are gone back.
const CAUSES: usize = 20;

pub(super) async fn show(view: View, sequence: Result<Path<u64>, PathRejection>) -> Result<Markup, Failed> {
    let fact = view.fact(sequence?.0).await?;
    let causes = causes(&view, fact.envelope.causation).await?;
    let told: Vec<Actor> =
        causes.iter().map(|cause| cause.actor.clone()).chain([fact.envelope.actor.clone()]).collect();
    let names = people::actors(&view, told.iter()).await;
    let whole = cloudevent::of(&fact).map_err(Problem::Internal)?;
    let whole = serde_json::to_string_pretty(&whole).map_err(|error| Problem::Internal(error.into()))?;
    let content = html! {
        p.crumbs { a href="/timeline" { "Timeline" } }
        h1 { (spoken(&sentence(&fact.sentence()))) }
        (context(&fact, &names))
        h2 { "What led to it" }
        @if causes.is_empty() { p.empty { "Nothing: its story begins with it." } }
        @else { ol { @for cause in &causes { li { a href={ "/events/" (cause.sequence) } { (words(cause)) } " " (moment(cause.time)) ", " (names.of(&cause.actor)) } } } }
        h2 { "The whole event" }
        pre.log role="region" tabindex="0" aria-label="The event as JSON" { (whole) }
    };
    Ok(Page { title: &format!("Event {}", fact.sequence), signed_in: true, refreshes: None }.render(&content))
}

/// What led to a fact, the nearest cause first.
async fn causes(view: &View, nearest: Option<EventId>) -> Result<Vec<FactRow>, Problem> {
    let (mut causes, mut cause): (Vec<FactRow>, _) = (Vec::new(), nearest);
    while let (Some(id), true) = (cause, causes.len() < CAUSES) {
        let Some(found) = view.model.event_with(id).await? else { break };
        if !view.sees_place(found.sequence).await? {
            break;
        }
        cause = found.causation;
        causes.push(found);
    }
    Ok(causes)
}

fn context(fact: &Recorded, names: &Names) -> Markup {
    let envelope = &fact.envelope;
    let (about, story) = (format!("{}/{}", fact.event.aggregate(), envelope.subject), envelope.correlation.to_string());
    html! {
        dl.facts {
            div { dt { "Event" } dd { (fact.sequence) ", " code { (fact.event.name()) } } }
            div { dt { "When" } dd { (moment(envelope.time)) } }
            div { dt { "Who" } dd title=(envelope.actor) { (names.of(&envelope.actor)) } }
            div { dt { "About" } dd { a href=(link("/timeline", &[("subject", &about)])) { (about) } } }
        }
        p.actions { a href=(link("/timeline", &[("correlation", &story)])) { "Its story" } }
    }
}

/// What happened, or at least of what kind it was.
pub(super) fn words(fact: &FactRow) -> Markup {
    fact.sentence().map_or_else(|| html! { code { (fact.type_name) } }, |words| spoken(&sentence(&words)))
}
