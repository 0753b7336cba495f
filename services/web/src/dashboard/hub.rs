//! One's account at GitHub: connected on the page of one's account, and a page of its repositories that a site is created from.

use super::failed::Failed;
use super::form::form;
use super::layout::Page;
use super::link::link;
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands::{self, NewSite};
use crate::place::Place;
use crate::problem::Problem;
use crate::settings::Wanted;
use crate::sign_in::{Purpose, Way};
use crate::view::View;
use ::github::Found;
use axum::extract::rejection::{FormRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Form, Router};
use events::SiteEngine;
use http::header;
use maud::{Markup, html};
use projections::sites::SiteRow;
use serde::Deserialize;

/// Which repositories are shown.
#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    search: String,
    #[serde(default)]
    page: u32,
}

/// What the form of a new site sends.
#[derive(Deserialize)]
struct New {
    repository: String,
    name: String,
    #[serde(default)]
    organization: String,
    engine: SiteEngine,
}

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/github", get(list).post(create))
        .route("/account/github", post(connect))
        .route("/account/github/disconnect", post(disconnect))
        .route("/sites/{site}/webhook", post(install))
}

/// A part of the page of an account; nothing where the operator has not said which GitHub.
pub(super) async fn section(view: &View) -> Result<Markup, Problem> {
    if view.hub.is_none() {
        return Ok(html! {});
    }
    let account = commands::github_account(&view.app, &view.caller).await?;
    Ok(html! {
        h2 #github { "GitHub" }
        @match account {
            Some(account) => {
                p.lead { "Your account " strong { (account) } " is used for you: to list your public repositories and to install webhooks." }
                p { a.button href="/github" { "Create a site from a repository" } }
                (form("", "/account/github/disconnect", &html! { button.danger { "Use them no longer" } }))
            }
            None => {
                p.lead { "Connect your account to choose a site’s repository from a list and to have its webhook installed." }
                (form("inline", "/account/github", &html! { button { "Use my repositories at GitHub" } }))
            }
        }
    })
}

/// Shows the way to GitHub. Browsers do not let a form lead to another site, so a link does.
async fn connect(State(app): State<Shared>, Extension(caller): Extension<Caller>) -> Result<Response, Failed> {
    let user = commands::connect(&app, &caller).await?;
    let departure = app.providers.depart(Way::GitHub, Purpose::Repositories { user }).await?;
    let cookie = departure.flow.cookie(&app.key)?;
    let content = html! {
        p.crumbs { a href="/account" { "Account" } }
        section.card.narrow {
            h1 { "Connect GitHub" }
            p { "GitHub asks you whether your public repositories and their webhooks may be used for you here. You can end that at any time, here or there." }
            p.actions { a.button href=(departure.url) rel="noreferrer" { "Go on" } }
        }
    };
    let page = Page { title: "Connect GitHub", signed_in: true, refreshes: None }.render(&content);
    Ok(([(header::SET_COOKIE, cookie)], page).into_response())
}

async fn disconnect(State(app): State<Shared>, Extension(caller): Extension<Caller>) -> Result<Redirect, Failed> {
    commands::disconnect_github(&app, &caller).await?;
    Ok(Redirect::to("/account#github"))
}

async fn list(view: View, asked: Result<Query<Asked>, QueryRejection>) -> Result<Markup, Failed> {
    let Query(Asked { search, page }) = asked?;
    let found = commands::github_repositories(&view.app, &view.caller, &search, page.max(1)).await?;
    let content = html! {
        p.crumbs { a href="/" { "Sites" } }
        h1 { "Create a site from GitHub" }
        form.inline method="get" action="/github" role="search" {
            label for="search" { "Name" }
            input #search type="search" name="search" value=(search) maxlength="100";
            button { "Search" }
        }
        @if found.repositories.is_empty() {
            p.empty { "No public repository that you may push to has such a name." }
        } @else { (new(&found)) }
        @if let Some(next) = found.next {
            p { a href=(link("/github", &[("page", &next.to_string())])) rel="next" { "More repositories" } }
        }
    };
    Ok(Page { title: "GitHub", signed_in: true, refreshes: None }.render(&content))
}

fn new(found: &Found) -> Markup {
    form(
        "fields card",
        "/github",
        &html! {
            fieldset.choices {
                legend { "Repository" }
                @for repository in &found.repositories {
                    label { input type="radio" name="repository" required value=(repository.name); " " (repository.name) }
                }
            }
            label for="name" { "Name" }
            input #name name="name" required maxlength="30" pattern="[a-z](-?[a-z0-9])*" placeholder="docs";
            label for="organization" { "Organization, if you have several" }
            input #organization name="organization" maxlength="36";
            label for="engine" { "Engine" }
            select #engine name="engine" {
                option value="static" { "Static: the files as they are" }
                option value="node.js" { "Node.js: the npm script “pages”, else “federalist”" }
                option value="hugo" { "Hugo" }
            }
            p { small { "Its webhook is installed too, if you may do that there." } }
            button.primary { "Create" }
        },
    )
}

async fn create(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    form: Result<Form<New>, FormRejection>,
) -> Result<Redirect, Failed> {
    let Form(New { repository, name, organization, engine }) = form?;
    let repository = commands::github_repository(&app, &caller, &repository).await?;
    let organization = Some(organization.trim()).filter(|name| !name.is_empty()).map(str::parse).transpose()?;
    let wanted = Wanted {
        name: Some(name.trim().parse()?),
        organization,
        repository: Some(repository.url.parse()?),
        branch: Some(Some(repository.branch.parse()?)),
        engine: Some(Some(engine)),
        ..Wanted::default()
    };
    let created = commands::create_site(&app, &NewSite::of(&wanted)?, caller.clone()).await?;
    let place = Place::Id(created.site);
    // The site is there in any case: its settings say how a webhook is made by hand.
    if let Err(problem) = commands::install_webhook(&app, &place, &caller).await {
        tracing::info!("the webhook of a new site was not installed: {problem}");
        return Ok(Redirect::to(&format!("/sites/{place}/settings#webhook")));
    }
    Ok(Redirect::to(&format!("/sites/{place}")))
}

/// What installs the webhook of a site; nothing where its repository is elsewhere.
pub(super) fn webhook(view: &View, site: &SiteRow) -> Markup {
    let is_there = view.hub.as_ref().is_some_and(|hub| hub.place(&site.settings.repository).is_some());
    html! {
        @if is_there && view.caller.holder.user.is_some() {
            section.card {
                h2 { "Webhook by GitHub" }
                p { "If your account at GitHub is connected, the webhook is made or mended there for you." }
                (form("", &format!("/sites/{}/webhook", site.id), &html! { button { "Install at GitHub" } }))
            }
        }
    }
}

async fn install(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    site: Result<Path<String>, PathRejection>,
) -> Result<Redirect, Failed> {
    let place: Place = site?.0.parse()?;
    commands::install_webhook(&app, &place, &caller).await?;
    Ok(Redirect::to(&format!("/sites/{place}/settings#webhook")))
}
