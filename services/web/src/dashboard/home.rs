//! The first page: what is being built, what failed and why, what waits for whoever looks, and their sites.

mod waiting;

use super::failed::Failed;
use super::layout::{self, Page, moment, pill, sentence, spoken};
use super::link::link;
use super::sites;
use crate::problem::Problem;
use crate::view::View;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use maud::{Markup, html};
use projections::Sight;
use projections::builds::BuildRow;
use projections::overview::{Listing, Order, Overview, Standing};
use projections::sites::SiteRow;
use serde::Deserialize;

/// Sites on a page.
const ROWS: u32 = 50;
/// Builds and failures that are told before the list of sites.
const TOLD: u32 = 6;
/// Pages that can be asked for: a number beyond is a mistake.
const PAGES_MAX: u32 = 100_000;

/// Which sites are listed, as a browser asks.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    search: String,
    #[serde(default)]
    show: String,
    #[serde(default)]
    order: String,
    page: Option<u32>,
}

/// What may be shown, what it is called in an address, and on the page.
const SHOWS: [(&str, Option<Standing>, &str); 4] = [
    ("", None, "All"),
    ("failed", Some(Standing::Failed), "Failed"),
    ("building", Some(Standing::Building), "Building"),
    ("unbuilt", Some(Standing::Unbuilt), "Never built"),
];
const ORDERS: [(&str, Order, &str); 3] =
    [("", Order::Urgent, "Failed first"), ("name", Order::Name, "By name"), ("recent", Order::Recent, "Latest first")];

impl Asked {
    fn listing(&self) -> Listing {
        let show = SHOWS.iter().find(|(name, ..)| *name == self.show.trim()).and_then(|(_, standing, _)| *standing);
        let order =
            ORDERS.iter().find(|(name, ..)| *name == self.order.trim()).map_or(Order::Urgent, |(_, order, _)| *order);
        let search = self.search.trim().to_lowercase();
        Listing { search, standing: show, order, limit: ROWS, skip: (self.page() - 1) * ROWS }
    }

    fn page(&self) -> u32 {
        self.page.unwrap_or(1).clamp(1, PAGES_MAX)
    }

    /// Whether nothing is looked for: then what is urgent comes before the list.
    fn is_plain(&self) -> bool {
        self.search.trim().is_empty() && self.show.trim().is_empty() && self.page() == 1
    }

    /// The same question with other sites, from its first page on.
    fn showing(&self, show: &str) -> String {
        link("/", &[("search", self.search.trim()), ("show", show), ("order", self.order.trim())])
    }

    fn at(&self, page: u32) -> String {
        let page = page.to_string();
        let pairs = [("search", self.search.trim()), ("show", self.show.trim()), ("order", self.order.trim())];
        link("/", &[&pairs[..], &[("page", page.as_str())]].concat())
    }
}

pub(super) async fn show(view: View, asked: Result<Query<Asked>, QueryRejection>) -> Result<Markup, Failed> {
    let Query(asked) = asked?;
    let listing = asked.listing();
    let found = view.model.overview(&view.sight, &listing).await?;
    let rows = sites::rows(&view, &found.sites).await?;
    let has_none = found.all == 0 && listing.search.is_empty();
    let waiting = if has_none { waiting::section(&view).await? } else { None };
    let content = html! {
        div.title {
            h1 { "Home" }
            @if view.sight == Sight::All { p { a href="/platform" { "Platform" } } }
        }
        @if asked.is_plain() && !has_none { (now(&view).await?) }
        @if let Some(waiting) = waiting { div.now { section.card { h2 { "Waiting for you" } (waiting) } } }
        @if has_none {
            p.empty {
                "There are no sites yet. Create the first one below: name it, say where its repository is, and Pagefold \
                 builds it at once."
            }
        } @else {
            h2 #sites { "Sites" }
            (filter(&asked, &found))
            @if rows.is_empty() { p.empty { "No site fits. " a href="/" { "Show all" } } } @else { (sites::table(&view, &rows)) }
            (pages(&asked, found.of(listing.standing)))
        }
        (sites::new(has_none))
        @if view.hub.is_some() { p { a href="/github" { "Choose a repository at GitHub" } } }
    };
    Ok(Page { title: "Home", signed_in: true, refreshes: Some(String::new()) }.render(&content))
}

/// What is going on, what went wrong, and what waits for whoever looks.
async fn now(view: &View) -> Result<Markup, Problem> {
    let failed = Listing { standing: Some(Standing::Failed), order: Order::Recent, limit: TOLD, ..Listing::default() };
    let open = view.model.open_builds(&view.sight, TOLD).await?;
    let failed = view.model.overview(&view.sight, &failed).await?;
    let broken = sites::rows(view, &failed.sites).await?;
    let waiting = waiting::section(view).await?;
    let calm = open.is_empty() && broken.is_empty() && waiting.is_none();
    Ok(html! {
        @if calm { p.calm { "All is well: nothing is being built, nothing has failed, and nothing waits for you." } }
        @else { div.now {
            @if !broken.is_empty() {
                section.card { h2 { "Failed" @if failed.failed > u64::from(TOLD) { " (" a href="/?show=failed#sites" { "all " (failed.failed) } ")" } } (failures(&broken)) }
            }
            @if !open.is_empty() { section.card { h2 { "Building now" } (building(&open)) } }
            @if let Some(waiting) = waiting { section.card { h2 { "Waiting for you" } (waiting) } }
        } }
    })
}

fn building(open: &[BuildRow]) -> Markup {
    html! {
        ul.told { @for build in open { li {
            p { a href={ "/builds/" (build.id) } { (name(build)) " " (layout::number(build)) } " " (pill(build.state)) }
            p.faint { (build.summary) " · " span.branch title=(build.branch) { (build.branch) } " · " (moment(build.created_at)) }
            @if !build.reason.is_empty() { p { (spoken(&sentence(&build.reason))) } }
        } } }
    }
}

fn failures(broken: &[(SiteRow, Option<BuildRow>)]) -> Markup {
    html! {
        ul.told { @for (site, build) in broken { @if let Some(build) = build { li {
            p { a href={ "/builds/" (build.id) } { (site.name) " " (layout::number(build)) } " " (pill(build.state)) }
            p { (spoken(&sentence(&build.reason))) }
            p.faint { (build.summary) " · " (moment(build.ended_at.unwrap_or(build.created_at))) }
        } } } }
    }
}

fn name(build: &BuildRow) -> String {
    build.site_name.as_ref().map_or_else(|| build.site.to_string(), ToString::to_string)
}

fn filter(asked: &Asked, found: &Overview) -> Markup {
    html! {
        nav.chips aria-label="Which sites" { @for (show, standing, called) in SHOWS {
            a href=(asked.showing(show)) aria-current=[(asked.show.trim() == show).then_some("true")] { (called) " " span.count { (found.of(standing)) } }
        } }
        form.inline method="get" action="/" role="search" aria-label="Sites" {
            label for="search" { "Search" }
            input #search type="search" name="search" value=(asked.search) placeholder="name or repository" maxlength="200";
            label for="order" { "Order" }
            select #order name="order" { @for (name, _, called) in ORDERS {
                option value=(name) selected[asked.order.trim() == name] { (called) }
            } }
            @if !asked.show.trim().is_empty() { input type="hidden" name="show" value=(asked.show.trim()); }
            button { "Show" }
        }
    }
}

fn pages(asked: &Asked, fitting: u64) -> Markup {
    let (page, last) = (asked.page(), fitting.div_ceil(u64::from(ROWS)));
    html! {
        @if last > 1 {
            nav.pages aria-label="Pages" {
                @if page > 1 { a href=(asked.at(page - 1)) rel="prev" { "Page before" } }
                span { "Page " (page) " of " (last) }
                @if u64::from(page) < last { a href=(asked.at(page + 1)) rel="next" { "Next page" } }
            }
        }
    }
}
