//! A site as it was: a slider over all that happened to it, and what its readers, its settings and its people were then.

use super::event::words;
use super::failed::Failed;
use super::layout::{Page, moment, repository, size};
use super::link::link;
use crate::api::past::{self, Moment, Past};
use crate::people;
use crate::place::Place;
use crate::problem::Problem;
use crate::view::{Found, View};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use events::{Aggregate as _, AliasName, DeployId, Organization, OrganizationId, Refusal, SiteId};
use maud::{Markup, html};
use projections::Sight;
use projections::timeline::{self, About, FactRow, Whose};
use serde::Deserialize;
use std::collections::BTreeSet;

/// What changes the picture: the site's own facts, and what its aliases show.
const CHANGES: [&str; 2] = ["site.", "alias.promoted."];
/// And who belongs to its organization.
const MEMBERS: &str = "organization.member_";

/// A site, and its organization if that may be seen.
struct Whole {
    site: SiteId,
    organization: Option<OrganizationId>,
}

#[derive(Deserialize)]
pub(super) struct At {
    #[serde(default)]
    at: String,
}

/// Which places of the log the slider reaches, and where it stands.
struct Range {
    first: u64,
    last: u64,
    at: u64,
}

pub(super) async fn show(
    view: View,
    name: Result<Path<String>, PathRejection>,
    at: Result<Query<At>, QueryRejection>,
) -> Result<Markup, Failed> {
    let (place, Query(At { at })) = (name?.0.parse::<Place>()?, at?);
    let site = view.history_of(&place).await?;
    let row = view.model.site(site).await?;
    let seen = row.as_ref().map(|row| row.organization).filter(|owner| view.sight.sees_organization(*owner));
    let whole = Whole { site, organization: seen };
    let range = range(&view, &whole, &Moment::of(&with_zone(&at))).await?;
    let name = row.map_or_else(|| place.to_string(), |site| site.name.to_string());
    let content = html! {
        p.crumbs { a href={ "/sites/" (name) } { (name) } " / " a href=(link("/timeline", &[("site", &site.to_string())])) { "Timeline" } }
        h1 { (name) " as it was" }
        p.lead { "Move the slider over all that happened to the site, or name a moment." }
        (form(&name, &range))
        div aria-live="polite" { (then(&view, &whole, &name, &range).await?) }
    };
    Ok(Page { title: &format!("{name} as it was"), signed_in: true, refreshes: None }.render(&content))
}

/// A browser's date and time have no zone: they are meant in UTC.
fn with_zone(text: &str) -> String {
    let text = text.trim();
    match text.len() {
        16 if text.contains('T') => format!("{text}:00Z"),
        19 if text.contains('T') => format!("{text}Z"),
        _ => text.to_owned(),
    }
}

impl Whole {
    /// All that happened to the site.
    fn history(&self) -> timeline::Query {
        timeline::Query { site: Some(Whose::Id(self.site)), limit: 1, ..timeline::Query::default() }
    }

    /// Who came to its organization and who left.
    fn members(&self) -> Option<timeline::Query> {
        let subject = Some((Organization::KIND.to_owned(), self.organization?.to_string()));
        Some(of_kind(&timeline::Query { subject, limit: 1, ..timeline::Query::default() }, MEMBERS))
    }

    /// What changes the picture.
    fn changes(&self) -> impl Iterator<Item = timeline::Query> {
        let own = CHANGES.map(|kind| of_kind(&self.history(), kind));
        own.into_iter().chain(self.members())
    }
}

async fn range(view: &View, whole: &Whole, at: &Moment) -> Result<Range, Problem> {
    let begun = view.model.events(&of_kind(&whole.history(), CHANGES[0]), &Sight::All).await?;
    let first = begun.first().map_or(1, |fact| fact.sequence);
    let mut last = first;
    for query in [Some(whole.history()), whole.members()].into_iter().flatten() {
        let found = view.model.latest_events(&query, &Sight::All).await?;
        last = last.max(found.first().map_or(first, |fact| fact.sequence));
    }
    let at = at.sequence(view).await?.unwrap_or(last).clamp(first, last.max(first));
    Ok(Range { first, last, at })
}

fn of_kind(query: &timeline::Query, kind: &str) -> timeline::Query {
    timeline::Query { about: About { kind: Some(kind.to_owned()), ..About::default() }, ..query.clone() }
}

fn form(name: &str, range: &Range) -> Markup {
    let action = format!("/sites/{name}/past");
    html! {
        form.slider method="get" action=(action) data-slider {
            label for="at" { "Place in the log" }
            input #at type="range" name="at" min=(range.first) max=(range.last) value=(range.at);
            button { "Show" }
        }
        form.inline method="get" action=(action) {
            label for="time" { "Moment (UTC)" }
            input #time type="datetime-local" name="at" step="1" required;
            button { "Show" }
        }
    }
}

async fn then(view: &View, whole: &Whole, name: &str, range: &Range) -> Result<Markup, Problem> {
    let past = match past::site_at(view, &Place::Id(whole.site), range.at).await {
        Ok(past) => Some(past),
        Err(Problem::Refused(Refusal::SiteNotFound)) => None,
        Err(problem) => return Err(problem),
    };
    let mut last: Option<FactRow> = None;
    for query in [Some(whole.history()), whole.members()].into_iter().flatten() {
        let until = timeline::Query { before: range.at.checked_add(1), ..query };
        let found = view.model.latest_events(&until, &Sight::All).await?.into_iter().next();
        last = [last, found].into_iter().flatten().max_by_key(|fact| fact.sequence);
    }
    Ok(html! {
        section.card #then {
            (stands(last.as_ref(), range))
            (steps(view, whole, name, range).await?)
            @match &past {
                None => p.empty { "The site was not there then." },
                Some(past) => (picture(view, past).await?),
            }
        }
    })
}

fn stands(last: Option<&FactRow>, range: &Range) -> Markup {
    html! {
        h2 { @match last { Some(fact) => (moment(fact.time)), None => { "Event " (range.at) } } }
        @if let Some(fact) = last { p { a href={ "/events/" (fact.sequence) } { (words(fact)) } } }
    }
}

/// The ways to the changes before and after.
async fn steps(view: &View, whole: &Whole, name: &str, range: &Range) -> Result<Markup, Problem> {
    let (mut before, mut after) = (None, None);
    for query in whole.changes() {
        let earlier = timeline::Query { before: Some(range.at), ..query.clone() };
        let found = view.model.latest_events(&earlier, &Sight::All).await?;
        before = before.max(found.first().map(|fact| fact.sequence));
        let later = timeline::Query { after: range.at, ..query };
        let found = view.model.events(&later, &Sight::All).await?.first().map(|fact| fact.sequence);
        after = after.into_iter().chain(found).min();
    }
    let at = |sequence: u64| link(&format!("/sites/{name}/past"), &[("at", &sequence.to_string())]);
    Ok(html! {
        p.actions {
            @if let Some(sequence) = before { a href=(at(sequence)) rel="prev" { "Change before" } }
            @if let Some(sequence) = after { a href=(at(sequence)) rel="next" { "Change after" } }
        }
    })
}

async fn picture(view: &View, past: &Past) -> Result<Markup, Problem> {
    let settings = &past.site.settings;
    let demo = past::shown_at(view, past.id, &AliasName::Demo, past.sequence).await?;
    Ok(html! {
        h3 { "What its readers saw" }
        dl.facts {
            div { dt { "Live" } dd { (shown(view, past.live.as_ref()).await) } }
            @if demo.is_some() { div { dt { "Demo" } dd { (shown(view, demo.as_ref()).await) } } }
        }
        h3 { "Its settings" }
        dl.facts {
            div { dt { "Name" } dd { (past.site.name) } }
            div { dt { "Repository" } dd { (repository(&settings.repository)) } }
            div { dt { "Live branch" } dd { (settings.branch) } }
            @if let Some(demo) = &settings.demo_branch { div { dt { "Demo branch" } dd { (demo) } } }
            div { dt { "Engine" } dd { (super::site::engine(settings.engine)) } }
            @if !settings.building.is_default() { div { dt { "Builds" } dd { (settings.building.told().join("; ")) } } }
            @if !settings.serving.is_default() { div { dt { "Answers" } dd { (settings.serving.told().join("; ")) } } }
        }
        @if view.sight.sees_organization(past.site.organization) {
            h3 { "Members of its organization" }
            (members(view, past).await?)
        }
    })
}

async fn shown(view: &View, deploy: Option<&DeployId>) -> Markup {
    let Some(id) = deploy else { return html! { "nothing yet" } };
    let Ok(Found { deploy, site }) = view.deploy(id).await else {
        return html! { code { (id) } ", which is not there any more" };
    };
    html! {
        a href=(view.sites_url.deploy(&site.name, &deploy.id)) rel="noreferrer" { "Open that version" } ": "
        a href={ "/deploys/" (deploy.id) } { code { (deploy.id) } } " of build #" (deploy.number) ", "
        (deploy.files) " files, " (size(deploy.bytes))
    }
}

async fn members(view: &View, past: &Past) -> Result<Markup, Problem> {
    let members = past::members_at(view, past.site.organization, past.sequence).await?;
    let known = people::all(view, &members.keys().copied().collect::<BTreeSet<_>>()).await?;
    let called = |user| known.get(user).and_then(|known| known.name.as_deref()).unwrap_or(people::ERASED);
    Ok(html! {
        @if members.is_empty() { p.faint { "Nobody: it was cared for by the platform's own." } }
        @else { ul { @for (user, role) in &members { li { (called(user)) ", " (role) } } } }
    })
}

#[cfg(test)]
mod tests {
    use super::with_zone;

    #[test]
    fn what_a_browser_sends_is_meant_in_utc() {
        for (text, expected) in [
            ("2026-11-22T10:00", "2026-11-22T10:00:00Z"),
            ("2026-11-22T10:00:05", "2026-11-22T10:00:05Z"),
            ("2026-11-22T10:00:05+01:00", "2026-11-22T10:00:05+01:00"),
            (" 17 ", "17"),
        ] {
            assert_eq!(with_zone(text), expected);
        }
    }
}
