//! The overview: every site with its address and its last build, and a form for the next site.

use super::Failed;
use super::layout::{Page, moment, pill};
use crate::auth::Caller;
use crate::commands;
use crate::problem::Problem;
use crate::server::Shared;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::Redirect;
use axum::{Extension, Form};
use events::site::Settings;
use events::{AliasName, SiteEngine, SiteName};
use futures::{StreamExt, TryStreamExt, stream};
use maud::{Markup, html};
use projections::builds::Build;
use projections::sites::Site;
use serde::Deserialize;

/// Questions to the read model at once.
const QUESTIONS: usize = 8;

#[derive(Deserialize)]
pub(super) struct NewSite {
    name: String,
    repository: String,
    branch: String,
    #[serde(default)]
    demo_branch: String,
    engine: SiteEngine,
    organization: String,
}

pub(super) async fn overview(State(app): State<Shared>) -> Result<Markup, Failed> {
    let sites = app.model.sites().await.map_err(Problem::from)?;
    let rows = stream::iter(sites).map(|site| with_last_build(&app, site)).buffered(QUESTIONS);
    let rows: Vec<(Site, Option<Build>)> = rows.try_collect().await?;
    let content = html! {
        h1 { "Sites" }
        @if rows.is_empty() {
            p.empty {
                "There are no sites yet. Create the first one below: name it, say where its repository is, and Pagefold \
                 builds it at the next push, or at once when you press “Build now” on its page."
            }
        } @else {
            (table(&app, &rows))
        }
        (form(rows.is_empty()))
    };
    Ok(Page { title: "Sites", signed_in: true, refreshes: Some(String::new()) }.render(&content))
}

async fn with_last_build(app: &Shared, site: Site) -> Result<(Site, Option<Build>), Problem> {
    let build = app.model.builds(&site.name, 1, None).await?.pop();
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
                                td { a href={ "/builds/" (build.id) } { "#" (build.number) } " " (pill(build.state)) }
                                td.wide { (build.summary) }
                                td { (moment(build.ended_at.or(build.started_at).unwrap_or(build.queued_at))) }
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
                label for="name" { "Name" }
                input #name name="name" required maxlength="30" pattern="[a-z](-?[a-z0-9])*" placeholder="docs"
                    aria-describedby="name-help";
                small #name-help { "Lower-case letters, digits and single hyphens. It becomes the host name, and is never given out twice." }
                label for="repository" { "Repository" }
                input #repository name="repository" required maxlength="500" placeholder="https://github.com/acme/docs.git";
                label for="branch" { "Live branch" }
                input #branch name="branch" required value="main";
                label for="demo-branch" { "Demo branch (if any)" }
                input #demo-branch name="demo_branch";
                label for="engine" { "Engine" }
                select #engine name="engine" {
                    option value="static" { "Static: the files as they are" }
                    option value="node.js" { "Node.js: the npm script “pages”, else “federalist”" }
                    option value="hugo" { "Hugo" }
                }
                label for="organization" { "Organization" }
                input #organization name="organization" required value="default" maxlength="30";
                button.primary { "Create" }
            }
        }
    }
}

pub(super) async fn create(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    form: Result<Form<NewSite>, FormRejection>,
) -> Result<Redirect, Failed> {
    let Form(form) = form.map_err(Problem::from)?;
    let name: SiteName = form.name.trim().parse()?;
    let demo_branch = Some(form.demo_branch.trim()).filter(|branch| !branch.is_empty());
    let settings = Settings {
        organization: form.organization.trim().parse()?,
        repository: form.repository.trim().parse()?,
        branch: form.branch.trim().parse()?,
        demo_branch: demo_branch.map(str::parse).transpose()?,
        engine: form.engine,
    };
    commands::create_site(&app, &name, (settings, caller)).await?;
    Ok(Redirect::to(&format!("/sites/{name}")))
}
