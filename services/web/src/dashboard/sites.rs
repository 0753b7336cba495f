//! Lists of sites, each with its address and its last build, and a form for the next site.

use super::failed::Failed;
use super::form::form;
use super::layout::{self, moment, pill};
use super::link::link;
use super::settings::{self, Fields};
use crate::app::{App, Shared};
use crate::caller::Caller;
use crate::commands;
use crate::problem::Problem;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::Redirect;
use axum::{Extension, Form};
use events::{AliasName, SiteId};
use maud::{Markup, html};
use projections::builds::BuildRow;
use projections::sites::SiteRow;
use serde::Deserialize;
use std::collections::HashMap;

/// Sites on a page.
pub(super) const ROWS: u32 = 100;

/// Which part of a list.
#[derive(Deserialize)]
pub(super) struct Part {
    /// The name that the part before ended with.
    #[serde(default)]
    pub(super) after: String,
}

/// Sites on a page, each with its last build, and where there are more.
pub(super) struct Listed {
    pub(super) rows: Vec<(SiteRow, Option<BuildRow>)>,
    next: Option<String>,
}

impl Listed {
    /// The first [`ROWS`] of the sites, which are one more where there are more, on the page at `path`.
    pub(super) async fn of(app: &App, mut sites: Vec<SiteRow>, path: &str) -> Result<Self, Problem> {
        let more = sites.len() > ROWS as usize;
        sites.truncate(ROWS as usize);
        let next = sites.last().filter(|_| more).map(|site| link(path, &[("after", site.name.as_str())]));
        Ok(Self { rows: with_builds(app, sites).await?, next })
    }

    pub(super) fn table(&self, app: &App) -> Markup {
        html! {
            (table(app, &self.rows))
            @if let Some(next) = &self.next { p { a href=(next) rel="next" { "More sites" } } }
        }
    }
}

/// The sites with these ids, in their order, each with its last build.
pub(super) async fn rows(app: &App, ids: &[SiteId]) -> Result<Vec<(SiteRow, Option<BuildRow>)>, Problem> {
    let mut sites = app.model.sites_with(ids).await?;
    sites.sort_by_key(|site| ids.iter().position(|id| *id == site.id));
    with_builds(app, sites).await
}

async fn with_builds(app: &App, sites: Vec<SiteRow>) -> Result<Vec<(SiteRow, Option<BuildRow>)>, Problem> {
    let ids: Vec<SiteId> = sites.iter().map(|site| site.id).collect();
    let builds = app.model.latest_builds(&ids).await?;
    let mut builds: HashMap<SiteId, BuildRow> = builds.into_iter().map(|build| (build.site, build)).collect();
    let rows = sites.into_iter().map(|site| {
        let build = builds.remove(&site.id);
        (site, build)
    });
    Ok(rows.collect())
}

pub(super) fn table(app: &App, rows: &[(SiteRow, Option<BuildRow>)]) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr {
                    th scope="col" { "Site" } th scope="col" { "Last build" } th scope="col" { "What" }
                    th scope="col" { "When" } th scope="col" { "Live at" }
                } }
                tbody {
                    @for (site, build) in rows {
                        @let url = app.sites_url.alias(&site.name, &AliasName::Live);
                        tr {
                            th scope="row" { a href={ "/sites/" (site.name) } { (site.name) } }
                            @if let Some(build) = build {
                                td { a href={ "/builds/" (build.id) } { (layout::number(build)) } " " (pill(build.state)) }
                                td.wide { (build.summary) }
                                td { (moment(build.ended_at.or(build.started_at).unwrap_or(build.created_at))) }
                            } @else {
                                td.faint colspan="3" { "Never built: push to its repository, or build it from its page." }
                            }
                            td { a href=(url) rel="noreferrer" { (url) } }
                        }
                    }
                }
            }
        }
    }
}

const TEMPLATES: [(&str, &str); 3] = [
    ("plain", "A template: plain HTML"),
    ("11ty", "A template: Markdown with 11ty"),
    ("hugo", "A template: Markdown with Hugo"),
];

pub(super) fn new(open: bool) -> Markup {
    html! {
        details.card open[open] {
            summary { "Create a site" }
            (form("fields", "/sites", &html! {
                label for="template" { "Begin with" }
                select #template name="template" aria-describedby="template-help" {
                    option value="" { "A repository of yours, named below" }
                    @for (word, what) in TEMPLATES { option value=(word) { (what) } }
                }
                small #template-help { "A template begins a repository that is kept here: you edit it in the browser, or clone it and push." }
                (settings::fields("", None))
                label for="organization" { "Organization" }
                input #organization name="organization" required value="default" maxlength="36";
                button.primary { "Create" }
            }))
        }
    }
}

pub(super) async fn create(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    form: Result<Form<Fields>, FormRejection>,
) -> Result<Redirect, Failed> {
    let Form(form) = form.map_err(Problem::from)?;
    let new = commands::NewSite::of(&form.wanted()?)?;
    commands::create_site(&app, &new, caller).await?;
    Ok(Redirect::to(&format!("/sites/{}", new.name)))
}
