//! The timeline: every fact, newest first, of all sites or of one site, one aggregate or one story.

use super::conditions::Conditions;
use super::event::words;
use super::failed::Failed;
use super::layout::{Page, moment};
use super::link::link;
use crate::api;
use crate::people::{self, Names};
use crate::problem::Problem;
use crate::view::View;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use events::{EventId, SiteId};
use maud::{Markup, html};
use projections::sites::SiteRow;
use projections::timeline::{self, FactRow};
use serde::Deserialize;
use std::collections::BTreeSet;

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

    /// Everything but the place in time.
    fn pairs(&self) -> Vec<(&'static str, &str)> {
        let own =
            [("site", self.site.trim()), ("subject", self.subject.trim()), ("correlation", self.correlation.trim())];
        own.into_iter().chain(self.conditions().pairs()).collect()
    }

    /// The site that is named, by its name or its id.
    async fn site(&self, view: &View) -> Result<Option<SiteId>, Problem> {
        match self.site.trim() {
            "" => Ok(None),
            site => Ok(Some(view.history_of(&site.parse()?).await?)),
        }
    }

    fn query(&self, site: Option<SiteId>) -> Result<timeline::Query, Problem> {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let subject = given(&self.subject).map(|text| api::subject(&text)).transpose()?;
        let correlation = given(&self.correlation).map(|text| text.parse::<EventId>()).transpose();
        let correlation = correlation.map_err(|_| Problem::InvalidInput("a story is named by a UUID".to_owned()))?;
        let site = site.map(timeline::Whose::Id);
        Ok(timeline::Query {
            after: 0,
            before: self.before,
            limit: ROWS,
            subject,
            correlation,
            site,
            about: self.conditions().about()?,
        })
    }

    fn is_empty(&self) -> bool {
        self.before.is_none() && self.pairs().iter().all(|(_, text)| text.is_empty())
    }

    /// The same further back in time.
    fn older(&self, before: u64) -> String {
        let before = before.to_string();
        let pairs: Vec<_> = self.pairs().into_iter().chain([("before", before.as_str())]).collect();
        link("/timeline", &pairs)
    }
}

pub(super) async fn show(view: View, filter: Result<Query<Filter>, QueryRejection>) -> Result<Markup, Failed> {
    let Query(filter) = filter?;
    let site = filter.site(&view).await?;
    let entries = view.model.latest_events(&filter.query(site)?, &view.sight).await?;
    let named: BTreeSet<SiteId> = entries.iter().filter_map(|entry| entry.site).collect();
    let sites = view.model.sites_with(&Vec::from_iter(named)).await?;
    let names = people::actors(&view, entries.iter().map(|entry| &entry.actor)).await;
    let next = entries.last().filter(|_| entries.len() == ROWS as usize).map(|entry| filter.older(entry.sequence));
    let content = html! {
        h1 { "Timeline" }
        p.lead { "Everything that happened, newest first. Choose a story to see what one push or one command led to." }
        (form(&filter))
        @if entries.is_empty() {
            p.empty {
                @if filter.is_empty() { "Nothing has happened yet. " a href="/" { "Create a site" } " to begin." }
                @else { "No event fits. " a href="/timeline" { "Show all" } }
            }
        } @else { (table(&entries, &sites, &names)) }
        @if let Some(next) = next { p { a href=(next) rel="next" { "Older" } } }
    };
    // Only the newest page grows.
    let refreshes = filter.before.is_none().then(|| site.map(|site| site.to_string()).unwrap_or_default());
    Ok(Page { title: "Timeline", signed_in: true, refreshes }.render(&content))
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
            (filter.conditions().fields())
            button { "Filter" }
            @if !filter.is_empty() { a href="/timeline" { "Show all" } }
        }
    }
}

fn table(entries: &[FactRow], sites: &[SiteRow], names: &Names) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr {
                    th scope="col" { "#" } th scope="col" { "Time" } th scope="col" { "What" } th scope="col" { "About" }
                    th scope="col" { "Who" } th scope="col" { "Story" }
                } }
                tbody { @for entry in entries { (row(entry, sites, names)) } }
            }
        }
    }
}

fn row(entry: &FactRow, sites: &[SiteRow], names: &Names) -> Markup {
    let site = sites.iter().find(|site| Some(site.id) == entry.site);
    let subject = format!("{}/{}", entry.aggregate, entry.subject);
    let story = entry.correlation.to_string();
    html! {
        tr {
            td.number { a href={ "/events/" (entry.sequence) } { (entry.sequence) } }
            td { (moment(entry.time)) }
            td.wide { (words(entry)) }
            td { @match site {
                Some(site) => a href=(link("/timeline", &[("site", &site.id.to_string())])) { (site.name) },
                None => a href=(link("/timeline", &[("subject", &subject)])) title=(subject) { (entry.aggregate) },
            } }
            td title=(entry.actor) { (names.of(&entry.actor)) }
            td { a href=(link("/timeline", &[("correlation", &story)])) { code { (ending(&story)) } } }
        }
    }
}

/// The end of an id: ids of the same minute begin alike.
fn ending(id: &str) -> &str {
    id.rsplit('-').next().and_then(|last| last.get(4..)).unwrap_or(id)
}
