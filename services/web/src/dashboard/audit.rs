//! The history as auditors ask for it.

use super::conditions::{Conditions, written};
use super::event::words;
use super::failed::Failed;
use super::layout::{Page, moment};
use super::link::link;
use crate::problem::Problem;
use crate::subjects::Subjects;
use crate::view::View;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use maud::{Markup, html};
use projections::timeline::{self, About, FactRow};
use serde::Deserialize;

/// Facts on the page.
const ROWS: u32 = 100;

#[derive(Deserialize)]
pub(super) struct Filter {
    #[serde(default)]
    actor: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    since: String,
    #[serde(default)]
    until: String,
    before: Option<u64>,
}

impl Filter {
    fn conditions(&self) -> Conditions<'_> {
        let Self { actor, kind, since, until, .. } = self;
        Conditions { actor, kind, since, until }
    }

    /// The same question to the API, which takes no days.
    fn csv(&self, about: &About) -> String {
        let (since, until) = (written(about.since), written(about.until));
        let pairs = [("actor", self.actor.trim()), ("type", self.kind.trim()), ("since", &since), ("until", &until)];
        link("/api/v1/audit.csv", &pairs)
    }

    /// The same question further back in time.
    fn older(&self, before: u64) -> String {
        let before = before.to_string();
        let pairs: Vec<_> = self.conditions().pairs().into_iter().chain([("before", before.as_str())]).collect();
        link("/audit", &pairs)
    }
}

pub(super) async fn show(view: View, filter: Result<Query<Filter>, QueryRejection>) -> Result<Markup, Failed> {
    let Query(filter) = filter?;
    let about = filter.conditions().about()?;
    let query = timeline::Query { limit: ROWS, before: filter.before, about: about.clone(), ..Default::default() };
    let facts = view.model.latest_events(&query, &view.sight).await.map_err(Problem::from)?;
    let subjects = Subjects::of(&view, facts.iter()).await?;
    let older = facts.last().filter(|_| facts.len() == ROWS as usize).map(|fact| fact.sequence);
    let content = html! {
        h1 { "Audit" }
        p.lead { "Who did what, and when. Nothing here can be changed or taken away." }
        (form(&filter))
        p { a href=(filter.csv(&about)) { "All that fits, as CSV" } }
        @if facts.is_empty() { p.empty { "Nothing fits." } } @else { (table(&facts, &subjects)) }
        @if let Some(before) = older { p { a href=(filter.older(before)) rel="next" { "Older" } } }
    };
    Ok(Page { title: "Audit", signed_in: true, refreshes: None }.render(&content))
}

fn form(filter: &Filter) -> Markup {
    html! {
        form.inline method="get" action="/audit" role="search" aria-label="Filter" {
            (filter.conditions().fields())
            button { "Search" }
        }
    }
}

fn table(facts: &[FactRow], subjects: &Subjects) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th scope="col" { "#" } th scope="col" { "Time" } th scope="col" { "Who" } th scope="col" { "What" } th scope="col" { "Of" } th scope="col" { "Event" } } }
            tbody { @for fact in facts {
                tr {
                    td.number { a href={ "/events/" (fact.sequence) } { (fact.sequence) } }
                    td { (moment(fact.time)) }
                    td title=(fact.actor) { (subjects.names().of(&fact.actor)) }
                    td.wide { (words(fact)) }
                    td { (of(fact, subjects)) }
                    td { code { (fact.type_name.trim_start_matches("dev.pagefold.")) } }
                }
            } }
        } }
    }
}

/// Whom and what it is about.
fn of(fact: &FactRow, subjects: &Subjects) -> Markup {
    let (person, organization) = (subjects.person(fact), subjects.organization(fact));
    let site = subjects.site(fact).map(|site| (site, site.deleted_at.is_none()));
    html! {
        @if let Some(person) = person { (person) " " }
        @match site {
            Some((site, true)) => a href={ "/sites/" (site.name) } { (site.name) },
            Some((site, false)) => (site.name),
            None => {}
        }
        @if let Some(name) = organization { " " a.faint href={ "/organizations/" (name) } { (name) } }
    }
}
