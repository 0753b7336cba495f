//! The history as auditors ask for it.

use super::event::words;
use super::failed::Failed;
use super::layout::{Page, moment};
use super::link::link;
use crate::people;
use crate::problem::Problem;
use crate::view::View;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use maud::{Markup, html};
use projections::timeline::{self, About, FactRow};
use serde::Deserialize;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

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

/// A day as a browser sends it begins at midnight UTC; a whole moment is taken as it is.
fn day(text: &str) -> Result<Option<OffsetDateTime>, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
        return Ok(Some(time));
    }
    let date = Date::parse(text, format_description!("[year]-[month]-[day]"));
    let invalid = |_| Problem::InvalidInput("a day is written as year-month-day".to_owned());
    Ok(Some(date.map_err(invalid)?.midnight().assume_utc()))
}

impl Filter {
    fn about(&self) -> Result<About, Problem> {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let (since, until) = (day(&self.since)?, day(&self.until)?);
        Ok(About { actor: given(&self.actor), kind: given(&self.kind), since, until })
    }

    /// The same question at another address.
    fn at(&self, path: &str, about: &About, before: Option<u64>) -> String {
        let time = |time: Option<OffsetDateTime>| time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default();
        let (since, until) = (time(about.since), time(about.until));
        let before = before.map(|before| before.to_string()).unwrap_or_default();
        let kind = if path.ends_with(".csv") { "type" } else { "kind" };
        let pairs = [
            ("actor", self.actor.trim()),
            (kind, self.kind.trim()),
            ("since", since.as_str()),
            ("until", until.as_str()),
            ("before", before.as_str()),
        ];
        link(path, &pairs)
    }
}

pub(super) async fn show(view: View, filter: Result<Query<Filter>, QueryRejection>) -> Result<Markup, Failed> {
    let Query(filter) = filter?;
    let about = filter.about()?;
    let query = timeline::Query { limit: ROWS, before: filter.before, about: about.clone(), ..Default::default() };
    let facts = view.model.latest_events(&query, &view.sight).await.map_err(Problem::from)?;
    let names = people::actors(&view, facts.iter().map(|fact| &fact.actor)).await;
    let older = facts.last().filter(|_| facts.len() == ROWS as usize).map(|fact| fact.sequence);
    let content = html! {
        h1 { "Audit" }
        p.lead { "Who did what, and when. Nothing here can be changed or taken away." }
        (form(&filter))
        p { a href=(filter.at("/api/v1/audit.csv", &about, None)) { "All that fits, as CSV" } }
        @if facts.is_empty() { p.empty { "Nothing fits." } } @else { (table(&facts, &names)) }
        @if let Some(before) = older { p { a href=(filter.at("/audit", &about, Some(before))) rel="next" { "Older" } } }
    };
    Ok(Page { title: "Audit", signed_in: true, refreshes: None }.render(&content))
}

fn form(filter: &Filter) -> Markup {
    html! {
        form.inline method="get" action="/audit" role="search" aria-label="Filter" {
            label for="actor" { "Who" }
            input #actor name="actor" value=(filter.actor) placeholder="token:operator";
            label for="kind" { "What" }
            input #kind name="kind" value=(filter.kind) placeholder="site.deleted";
            label for="since" { "From" }
            input #since name="since" type="date" value=(filter.since);
            label for="until" { "Before" }
            input #until name="until" type="date" value=(filter.until);
            button { "Search" }
        }
    }
}

fn table(facts: &[FactRow], names: &people::Names) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th scope="col" { "#" } th scope="col" { "Time" } th scope="col" { "Who" } th scope="col" { "What" } th scope="col" { "Event" } } }
            tbody { @for fact in facts {
                tr {
                    td.number { a href={ "/events/" (fact.sequence) } { (fact.sequence) } }
                    td { (moment(fact.time)) }
                    td title=(fact.actor) { (names.of(&fact.actor)) }
                    td.wide { (words(fact)) }
                    td { code { (fact.type_name.trim_start_matches("dev.pagefold.")) } }
                }
            } }
        } }
    }
}
