//! The overview: every site with its address and its last build, and a form for the next site.

use super::layout::{self, Page, moment, pill};
use super::settings::{self, Fields};
use super::{Failed, link};
use crate::app::Shared;
use crate::commands;
use crate::problem::Problem;
use crate::token::Caller;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::response::Redirect;
use axum::{Extension, Form};
use events::AliasName;
use futures::{StreamExt, TryStreamExt, stream};
use maud::{Markup, html};
use projections::builds::Build;
use projections::sites::Site;
use serde::Deserialize;

/// Questions to the read model at once.
const QUESTIONS: usize = 8;

/// Sites on a page.
const ROWS: u32 = 100;

#[derive(Deserialize)]
pub(super) struct Part {
    #[serde(default)]
    after: String,
}

pub(super) async fn overview(
    State(app): State<Shared>,
    part: Result<Query<Part>, QueryRejection>,
) -> Result<Markup, Failed> {
    let Query(Part { after }) = part?;
    let mut sites = app.model.sites(ROWS + 1, Some(&after)).await.map_err(Problem::from)?;
    let more = sites.len() > ROWS as usize;
    sites.truncate(ROWS as usize);
    let next = sites.last().filter(|_| more).map(|site| link("/", &[("after", site.name.as_str())]));
    let rows = stream::iter(sites).map(|site| with_last_build(&app, site)).buffered(QUESTIONS);
    let rows: Vec<(Site, Option<Build>)> = rows.try_collect().await?;
    let content = html! {
        h1 { "Sites" }
        @if rows.is_empty() {
            p.empty {
                "There are no sites yet. Create the first one below: name it, say where its repository is, and Pagefold \
                 builds it at once."
            }
        } @else {
            (table(&app, &rows))
            @if let Some(next) = next { p { a href=(next) rel="next" { "More sites" } } }
        }
        (form(rows.is_empty()))
    };
    Ok(Page { title: "Sites", signed_in: true, refreshes: Some(String::new()) }.render(&content))
}

async fn with_last_build(app: &Shared, site: Site) -> Result<(Site, Option<Build>), Problem> {
    let build = app.model.builds(site.id, 1, None).await?.pop();
    Ok((site, build))
}

fn table(app: &Shared, rows: &[(Site, Option<Build>)]) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr {
                    th scope="col" { "Site" } th scope="col" { "Live at" } th scope="col" { "Last build" }
                    th scope="col" { "What" } th scope="col" { "When" }
                } }
                tbody {
                    @for (site, build) in rows {
                        @let url = app.sites_url.alias(&site.name, &AliasName::Live);
                        tr {
                            th scope="row" { a href={ "/sites/" (site.name) } { (site.name) } }
                            td { a href=(url) rel="noreferrer" { (url) } }
                            @if let Some(build) = build {
                                td { a href={ "/builds/" (build.id) } { (layout::number(build)) } " " (pill(build.state)) }
                                td.wide { (build.summary) }
                                td { (moment(build.ended_at.or(build.started_at).unwrap_or(build.created_at))) }
                            } @else {
                                td.faint colspan="3" { "Never built: push to its repository, or build it from its page." }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn form(open: bool) -> Markup {
    html! {
        details.card open[open] {
            summary { "Create a site" }
            form.fields method="post" action="/sites" {
                (settings::fields("", None))
                label for="organization" { "Organization" }
                input #organization name="organization" required value="default" maxlength="36";
                button.primary { "Create" }
            }
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
