//! Facts told as stories: what one push or one command led to, together and in order.

use super::super::event::words;
use super::super::layout::moment;
use super::super::link::link;
use crate::problem::Problem;
use crate::subjects::Subjects;
use crate::view::View;
use events::{EventId, SiteId};
use maud::{Markup, html};
use projections::Sight;
use projections::sites::SiteRow;
use projections::timeline::FactRow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Most facts of all stories of a page.
const FACTS: u32 = 1000;
/// How many causes of a fact are told; its page tells more.
const CAUSES: usize = 10;

/// What a page was asked for.
pub(super) struct Shown {
    /// What was found, newest first.
    pub(super) found: Vec<FactRow>,
    /// Only of this site.
    pub(super) site: Option<SiteId>,
    /// Whether stories are told whole, and not just what was found of them.
    pub(super) whole: bool,
    /// Before which sequence it was looked; a story that goes on beyond was told on a page before.
    pub(super) before: Option<u64>,
}

/// The stories of a page, that in which something happened last first, each from its beginning on.
pub(super) struct Stories {
    stories: Vec<Vec<FactRow>>,
    subjects: Subjects,
}

pub(super) async fn of(view: &View, shown: Shown) -> Result<Stories, Problem> {
    let mut order: Vec<EventId> = Vec::new();
    for fact in &shown.found {
        if !order.contains(&fact.correlation) {
            order.push(fact.correlation);
        }
    }
    let told = if shown.whole { view.model.told_in(&order, FACTS).await? } else { Vec::new() };
    let named: BTreeSet<SiteId> = told.iter().chain(&shown.found).filter_map(|fact| fact.site).collect();
    let sites = view.model.sites_with(&Vec::from_iter(named)).await?;
    let mut facts: BTreeMap<u64, FactRow> = told
        .into_iter()
        .filter(|fact| {
            may_tell(view, &sites, fact) && shown.site.is_none_or(|site| fact.site.is_none_or(|of| of == site))
        })
        .map(|fact| (fact.sequence, fact))
        .collect();
    facts.extend(shown.found.into_iter().map(|fact| (fact.sequence, fact)));
    let mut stories: HashMap<EventId, Vec<FactRow>> = HashMap::new();
    for fact in facts.into_values() {
        stories.entry(fact.correlation).or_default().push(fact);
    }
    let is_new = |story: &Vec<FactRow>| {
        let last = story.last().map_or(0, |fact| fact.sequence);
        !shown.whole || shown.before.is_none_or(|before| last < before)
    };
    let stories: Vec<_> = order.iter().filter_map(|story| stories.remove(story)).filter(is_new).collect();
    let subjects = Subjects::of(view, stories.iter().flatten()).await?;
    Ok(Stories { stories, subjects })
}

/// What was found may be told. Of the rest of its story, what is about a site in sight.
fn may_tell(view: &View, sites: &[SiteRow], fact: &FactRow) -> bool {
    if view.sight == Sight::All {
        return true;
    }
    let site = sites.iter().find(|site| Some(site.id) == fact.site);
    site.is_some_and(|site| view.sight.sees_site(site.id, site.organization))
}

impl Stories {
    pub(super) fn is_empty(&self) -> bool {
        self.stories.is_empty()
    }

    pub(super) fn list(&self, open: bool) -> Markup {
        html! { ol.stories { @for story in &self.stories { li { (self.story(story, open)) } } } }
    }

    fn story(&self, story: &[FactRow], open: bool) -> Markup {
        let (Some(first), Some(last)) = (story.first(), story.last()) else { return html! {} };
        let id = first.correlation.to_string();
        let site = story.iter().find_map(|fact| self.subjects.site(fact));
        let about = story.iter().find_map(|fact| self.subjects.words(fact));
        html! {
            details id={ "story-" (id) } open[open] {
                summary {
                    span.what { (words(first)) @if let Some(outcome) = outcome(story) { " " span.outcome { "→ " (words(outcome)) } } }
                    span.faint {
                        @if let Some(about) = about { (about) " · " }
                        (self.subjects.names().of(&first.actor)) " · " (moment(last.time)) " · " (counted(story.len()))
                    }
                }
                ol.events { @for fact in story { li { (self.fact(fact, story)) } } }
                p.actions {
                    a href=(link("/timeline", &[("correlation", &id)])) { "This story alone" }
                    @if let Some(site) = site { a href=(link("/timeline", &[("site", &site.id.to_string())])) { "All of " (site.name) } }
                }
            }
        }
    }

    fn fact(&self, fact: &FactRow, story: &[FactRow]) -> Markup {
        let subject = format!("{}/{}", fact.aggregate, fact.subject);
        let whole = serde_json::to_string_pretty(fact).unwrap_or_default();
        let causes = causes(fact, story);
        html! {
            details id={ "event-" (fact.sequence) } {
                summary {
                    span.what { (words(fact)) } " "
                    span.faint {
                        @if let Some(person) = self.subjects.person(fact) { (person) " · " }
                        "by " (self.subjects.names().of(&fact.actor)) " · " (moment(fact.time))
                    }
                }
                @if !causes.is_empty() {
                    p.faint { "What led to it:" }
                    ol { @for cause in causes { li { a href={ "/events/" (cause.sequence) } { (words(cause)) } " " (moment(cause.time)) } } }
                }
                pre.excerpt role="region" tabindex="0" aria-label={ "Event " (fact.sequence) } { (whole) }
                p.actions {
                    a href={ "/events/" (fact.sequence) } { "Event " (fact.sequence) }
                    a href=(link("/timeline", &[("subject", &subject)])) { "All about this " (fact.aggregate) }
                }
            }
        }
    }
}

/// What came of a story: the last fact that a person would tell of, if it is not its first.
fn outcome(story: &[FactRow]) -> Option<&FactRow> {
    let told = story.iter().skip(1).rev();
    told.clone().find(|fact| fact.event().is_some_and(|event| event.is_milestone())).or_else(|| told.clone().next())
}

/// What led to a fact, the nearest cause first, as far as its story tells.
fn causes<'a>(fact: &FactRow, story: &'a [FactRow]) -> Vec<&'a FactRow> {
    let mut causes: Vec<&FactRow> = Vec::new();
    let mut cause = fact.causation;
    while let Some(found) = cause.and_then(|id| story.iter().find(|fact| fact.id == id)) {
        causes.push(found);
        cause = found.causation.filter(|_| causes.len() < CAUSES);
    }
    causes
}

fn counted(events: usize) -> String {
    if events == 1 { "1 event".to_owned() } else { format!("{events} events") }
}
