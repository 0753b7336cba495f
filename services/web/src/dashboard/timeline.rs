//! The timeline: every fact, newest first, of all sites or of one site, one aggregate or one story.

use super::failed::Failed;
use super::layout::{Page, moment};
use super::link::link;
use crate::api;
use crate::app::Shared;
use crate::problem::Problem;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use events::{EventId, SiteId};
use maud::{Markup, html};
use projections::timeline::{self, FactRow};
use serde::Deserialize;

/// Facts on the page.
const ROWS: u32 = 100;

#[derive(Deserialize)]
pub(super) struct Filter {
    #[serde(default)]
    site: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    correlation: String,
}

impl Filter {
    /// The site that is named, by its name or its id.
    async fn site(&self, app: &Shared) -> Result<Option<SiteId>, Problem> {
        match self.site.trim() {
            "" => Ok(None),
            site => Ok(Some(app.history_of(&site.parse()?).await?)),
        }
    }

    fn query(&self, site: Option<SiteId>) -> Result<timeline::Query, Problem> {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let subject = given(&self.subject).map(|text| api::subject(&text)).transpose()?;
        let correlation = given(&self.correlation).map(|text| text.parse::<EventId>()).transpose();
        let correlation = correlation.map_err(|_| Problem::InvalidInput("a story is named by a UUID".to_owned()))?;
        let site = site.map(timeline::Whose::Id);
        Ok(timeline::Query { after: 0, limit: ROWS, subject, correlation, site })
    }

    fn is_empty(&self) -> bool {
        [&self.site, &self.subject, &self.correlation].into_iter().all(|text| text.trim().is_empty())
    }

    /// Where newer facts that fit the filter come from; none where the live stream has no such filter.
    fn live(&self, after: u64) -> Option<String> {
        let (site, correlation, after) = (self.site.trim(), self.correlation.trim(), after.to_string());
        let query = [("site", site), ("correlation", correlation), ("after", after.as_str())];
        self.subject.trim().is_empty().then(|| link("/api/v1/events/live", &query))
    }
}

pub(super) async fn show(
    State(app): State<Shared>,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Result<Markup, Failed> {
    let Query(filter) = filter?;
    let query = filter.query(filter.site(&app).await?)?;
    let position = app.model.position().await?;
    let entries = app.model.latest_events(&query).await?;
    let content = html! {
        h1 { "Timeline" }
        p.lead { "Everything that happened, newest first. Choose a story to see what one push or one command led to." }
        (form(&filter))
        @if entries.is_empty() {
            p.empty {
                @if filter.is_empty() { "Nothing has happened yet. " a href="/" { "Create a site" } " to begin." }
                @else { "No event fits. " a href="/timeline" { "Show all" } }
            }
        }
        (table(&entries, filter.live(position)))
        @if entries.len() == ROWS as usize { p.faint { "The newest " (ROWS) " are shown. The API reads further back." } }
    };
    Ok(Page { title: "Timeline", signed_in: true, refreshes: None }.render(&content))
}

fn form(filter: &Filter) -> Markup {
    html! {
        form.inline method="get" action="/timeline" role="search" aria-label="Filter" {
            label for="site" { "Site" }
            input #site name="site" value=(filter.site) placeholder="docs";
            label for="subject" { "Subject" }
            input #subject name="subject" value=(filter.subject) placeholder="build/<id>";
            label for="correlation" { "Story" }
            input #correlation name="correlation" value=(filter.correlation) placeholder="id of its first event";
            button { "Filter" }
            @if !filter.is_empty() { a href="/timeline" { "Show all" } }
        }
    }
}

fn table(entries: &[FactRow], live: Option<String>) -> Markup {
    html! {
        div.scroll {
            table hidden[entries.is_empty()] {
                thead { tr {
                    th scope="col" { "#" } th scope="col" { "Time" } th scope="col" { "What" } th scope="col" { "About" }
                    th scope="col" { "Who" } th scope="col" { "Story" }
                } }
                tbody data-live=[live] { @for entry in entries { (row(entry)) } }
            }
        }
    }
}

/// The script makes the same row of a live event.
fn row(entry: &FactRow) -> Markup {
    let name = entry.type_name.strip_prefix(events::event::TYPE_PREFIX).unwrap_or(&entry.type_name);
    let about = format!("{}/{}", entry.aggregate, entry.subject);
    let story = entry.correlation.to_string();
    html! {
        tr {
            td.number { (entry.sequence) }
            td { (moment(entry.time)) }
            td { code { (name.trim_start_matches('.')) } }
            td.wide { a href=(link("/timeline", &[("subject", &about)])) { (about) } }
            td { (entry.actor) }
            td { a href=(link("/timeline", &[("correlation", &story)])) { code { (ending(&story)) } } }
        }
    }
}

/// The end of an id: ids of the same minute begin alike.
fn ending(id: &str) -> &str {
    id.rsplit('-').next().and_then(|last| last.get(4..)).unwrap_or(id)
}
