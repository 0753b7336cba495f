//! The timeline: every fact, newest first and story by story, of all sites or of one site, one aggregate or one story.

mod stories;

use super::conditions::Conditions;
use super::failed::Failed;
use super::layout::Page;
use super::link::link;
use crate::api;
use crate::problem::Problem;
use crate::view::View;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use events::{EventId, SiteId};
use maud::{Markup, html};
use projections::timeline;
use serde::Deserialize;
use stories::Shown;

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

    /// Whether whole stories are asked for, and not certain facts of them.
    fn is_of_stories(&self) -> bool {
        self.subject.trim().is_empty() && self.conditions().pairs().iter().all(|(_, text)| text.is_empty())
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
    let found = view.model.latest_events(&filter.query(site)?, &view.sight).await?;
    let next = found.last().filter(|_| found.len() == ROWS as usize).map(|fact| filter.older(fact.sequence));
    let shown = Shown { found, site, whole: filter.is_of_stories(), before: filter.before };
    let stories = stories::of(&view, shown).await?;
    let content = html! {
        div.title {
            h1 { "Timeline" }
            @if site.is_some() { p { a href={ "/sites/" (filter.site.trim()) "/past" } { "The site as it was, at any moment" } } }
        }
        p.lead { "Everything that happened, newest first: what one push or one command led to is one story. Open it for its events, and an event for all that is on record of it." }
        (form(&filter))
        @if stories.is_empty() {
            p.empty {
                @if filter.is_empty() { "Nothing has happened yet. " a href="/" { "Create a site" } " to begin." }
                @else { "No event fits. " a href="/timeline" { "Show all" } }
            }
        } @else { (stories.list(!filter.correlation.trim().is_empty())) }
        @if let Some(next) = next { p { a href=(next) rel="next" { "Older" } } }
    };
    // Only the newest page grows.
    let refreshes = filter.before.is_none().then(|| site.map(|site| site.to_string()).unwrap_or_default());
    Ok(Page { title: "Timeline", signed_in: true, refreshes }.render(&content))
}

fn form(filter: &Filter) -> Markup {
    html! {
        details.filter open[!filter.is_empty()] {
            summary { "Filter" }
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
}
