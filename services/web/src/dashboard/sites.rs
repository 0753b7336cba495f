//! Lists of sites, each with its address and its last build, and a form for the next site.

use super::failed::Failed;
use super::form::form;
use super::layout::{self, Page, moment, pill};
use super::link::link;
use super::settings;
use super::typed::{Typed, Wrong};
use crate::app::{App, Shared};
use crate::caller::Caller;
use crate::commands;
use crate::problem::Problem;
use crate::settings::Wanted;
use crate::source_check::Asked;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use events::{AliasName, SiteId, SiteSettings};
use http::StatusCode;
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

/// A form that nobody has typed into.
fn empty() -> Typed {
    Typed::default().with("branch", "main").with("organization", "default")
}

pub(super) fn new(open: bool) -> Markup {
    html! {
        details.card open[open] {
            summary { "Create a site" }
            (new_form(&empty(), &html! { button.primary { "Create" } }))
        }
    }
}

fn new_form(typed: &Typed, buttons: &Markup) -> Markup {
    form(
        "fields",
        "/sites",
        &html! {
            label for="template" { "Begin with" }
            select #template name="template" aria-describedby=[typed.described("template", Some("template-help"))] {
                option value="" { "A repository of yours, named below" }
                @for (word, what) in TEMPLATES { option value=(word) selected[typed.text("template") == word] { (what) } }
            }
            (typed.said("template"))
            small #template-help { "A template begins a repository that is kept here: you edit it in the browser, or clone it and push." }
            (settings::fields(typed, true))
            p #source-status role="status" data-checks {}
            label for="organization" { "Organization" }
            input #organization name="organization" required value=(typed.text("organization")) maxlength="36"
                aria-invalid=[typed.invalid("organization")] aria-describedby=[typed.described("organization", None)];
            (typed.said("organization"))
            (buttons)
        },
    )
}

pub(super) async fn create(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    form: Result<Form<Typed>, FormRejection>,
) -> Result<Response, Failed> {
    let Form(typed) = form.map_err(Problem::from)?;
    match try_to_create(&app, &caller, &typed).await {
        Ok(Attempt::Created(way)) => Ok(Redirect::to(&way).into_response()),
        Ok(Attempt::Doubted(doubt)) => {
            let doubt = html! { p.notice role="alert" { (doubt) } };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again(&typed, &doubt, true)).into_response())
        }
        Err(wrong) => Ok(typed.again(&wrong, |typed| again(typed, &typed.refusal(), false))),
    }
}

/// What became of a form that asks for a site.
enum Attempt {
    /// It is there, and goes on at this address.
    Created(String),
    /// Its repository does not look right.
    Doubted(String),
}

async fn try_to_create(app: &Shared, caller: &Caller, typed: &Typed) -> Result<Attempt, Wrong> {
    let wanted = settings::wanted(typed)?;
    let new = commands::NewSite::of(&wanted)?;
    if typed.given("anyway").is_none()
        && let Some(doubt) = doubt(app, caller, &wanted).await?
    {
        return Ok(Attempt::Doubted(doubt));
    }
    let created = commands::create_site(app, &new, caller.clone()).await?;
    if created.settings.repository.own_site().is_some() {
        return Ok(Attempt::Created(format!("/sites/{}", new.name)));
    }
    commands::begin_webhook(app, &created, caller.clone()).await?;
    Ok(Attempt::Created(format!("/sites/{}/begin", new.name)))
}

/// What speaks against building from the repository that is wanted, as far as can be seen.
async fn doubt(app: &App, caller: &Caller, wanted: &Wanted) -> Result<Option<String>, Problem> {
    if wanted.template.is_some() {
        return Ok(None);
    }
    let SiteSettings { repository, branch, .. } = wanted.new_settings()?;
    match app.source_checks.check(caller, &Asked { repository, branch }).await {
        Ok(checked) => Ok((!checked.is_fine()).then(|| checked.message().to_owned())),
        // Nobody is kept from creating a site because too many repositories are looked at.
        Err(Problem::TooManyRequests(_) | Problem::RepositoryUnavailable(_)) => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// The form once more, as it was sent, with what speaks against it. Whoever knows a repository better may go on.
fn again(typed: &Typed, said: &Markup, may_go_on: bool) -> Markup {
    let content = html! {
        p.crumbs { a href="/" { "Home" } }
        section.card {
            h1 { "Create a site" }
            (said)
            (new_form(typed, &html! {
                button.primary { @if may_go_on { "Look again, and create" } @else { "Create" } }
                @if may_go_on { button name="anyway" value="yes" { "Create anyway" } }
            }))
        }
    };
    Page { title: "Create a site", signed_in: true, refreshes: None }.render(&content)
}
