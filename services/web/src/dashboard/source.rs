//! The files of a site's own repository, and an editor for each: a text area, and what is saved goes to a branch with a preview of
//! its own until it is published.

mod editor;
mod saved;

use super::failed::Failed;
use super::form::form;
use super::layout::{Page, size};
use super::link::link;
use super::typed::{Typed, Wrong, wrong};
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands::{self, At, Change, Saved, Tip, Written};
use crate::place::Place;
use crate::problem::Problem;
use crate::repositories::{Listed, is_path};
use crate::view::View;
use axum::extract::rejection::{FormRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Form, Router};
use editor::{After, Editor};
use events::ids::Invalid;
use events::{Branch, CommitId};
use maud::{Markup, html};
use projections::sites::SiteRow;
use serde::Deserialize;

/// What a branch is called that an edit begins.
const EDIT: &str = "edit";

type Name = Result<Path<String>, PathRejection>;
type Asked = Result<Query<Of>, QueryRejection>;

/// Which file of which branch.
#[derive(Deserialize)]
struct Of {
    #[serde(default)]
    branch: String,
    #[serde(default)]
    path: String,
    /// The commit that was saved just now, if it was one.
    #[serde(default)]
    saved: String,
}

#[derive(Deserialize)]
struct Published {
    branch: String,
    commit: String,
}

impl Of {
    fn branch(&self) -> Result<Option<Branch>, Problem> {
        Ok(Some(self.branch.trim()).filter(|branch| !branch.is_empty()).map(str::parse).transpose()?)
    }
}

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/sites/{site}/source", get(list))
        .route("/sites/{site}/source/edit", get(edit).post(save))
        .route("/sites/{site}/source/preview", post(preview))
        .route("/sites/{site}/source/publish", post(publish))
}

/// The files of a branch.
async fn list(view: View, name: Name, of: Asked) -> Result<Markup, Failed> {
    let (site, Query(of)) = (view.site(&name?.0.parse()?).await?, of?);
    let (tip, files) = commands::list_files(&view.app, &Place::Id(site.id), of.branch()?, &view.caller).await?;
    let content = html! {
        p.crumbs { a href={ "/sites/" (site.name) } { (site.name) } }
        h1 { "Files of " (tip.branch) }
        @if !of.saved.is_empty() { (saved::section(&view, &site, &tip).await?) }
        p { "Clone them from " code { (view.web_url) "/git/" (site.name) ".git" } ", with a token as the password." }
        @if tip.branch != site.settings.branch { (publish_form(&site, &tip)) }
        (branch_form(&site, &tip.branch))
        (table(&site, &tip, &files))
        form.inline method="get" action={ "/sites/" (site.name) "/source/edit" } {
            input type="hidden" name="branch" value=(tip.branch);
            label for="new-path" { "New file" }
            input #new-path name="path" required maxlength="500" placeholder="content/news.md";
            button { "Write it" }
        }
    };
    let refreshes = (!of.saved.is_empty()).then(|| site.id.to_string());
    Ok(Page { title: &format!("Files of {}", site.name), signed_in: true, refreshes }.render(&content))
}

fn table(site: &SiteRow, tip: &Tip, files: &[Listed]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th scope="col" { "File" } th scope="col" { "Size" } } }
            tbody { @for file in files {
                tr {
                    td.wide { a href=(editor(site, &tip.branch, &file.path)) { (file.path) } }
                    td.number { (size(file.bytes)) }
                }
            } }
        } }
    }
}

fn branch_form(site: &SiteRow, branch: &Branch) -> Markup {
    html! {
        form.inline method="get" action={ "/sites/" (site.name) "/source" } {
            label for="of-branch" { "Branch" }
            input #of-branch name="branch" value=(branch) required;
            button { "Show" }
        }
    }
}

fn publish_form(site: &SiteRow, tip: &Tip) -> Markup {
    html! {
        section.card {
            h2 { "Publish" }
            p { "What is on " code { (tip.branch) } " goes live with the next build of " code { (site.settings.branch) } "." }
            (form("", &format!("/sites/{}/source/publish", site.id), &html! {
                input type="hidden" name="branch" value=(tip.branch);
                input type="hidden" name="commit" value=(tip.commit);
                button.primary { "Publish " (tip.branch) }
            }))
        }
    }
}

fn editor(site: &SiteRow, branch: &Branch, path: &str) -> String {
    link(&format!("/sites/{}/source/edit", site.name), &[("branch", branch.as_str()), ("path", path)])
}

/// The editor of a file, empty if there is none yet.
async fn edit(view: View, name: Name, of: Asked) -> Result<Markup, Failed> {
    let (site, Query(of)) = (view.site(&name?.0.parse()?).await?, of?);
    let (place, branch) = (Place::Id(site.id), of.branch()?);
    if !is_path(&of.path) {
        return Err(Problem::InvalidInput("this is no path of a file".to_owned()).into());
    }
    let read =
        commands::read_file(&view.app, &place, At { branch: branch.clone(), path: &of.path }, &view.caller).await;
    let (tip, text) = match read {
        Err(Problem::FileNotFound) => {
            (commands::list_files(&view.app, &place, branch, &view.caller).await?.0, String::new())
        }
        read => read?,
    };
    let target = if tip.branch == site.settings.branch { new_branch(&tip.commit)? } else { tip.branch.clone() };
    let typed = Typed::default().with("path", &of.path).with("text", text).with("message", "");
    let typed = typed.with("commit", &tip.commit).with("branch", target);
    Ok(Editor { typed: &typed, after: After::Opened }.page(&site))
}

/// The editor with what was written in it, and what that will look like. Nothing is saved.
async fn preview(view: View, name: Name, form: Result<Form<Typed>, FormRejection>) -> Result<Markup, Failed> {
    let (site, Form(typed)) = (view.site(&name?.0.parse()?).await?, form?);
    Ok(Editor { typed: &typed, after: After::Preview }.page(&site))
}

/// A name that nobody has for an edit of the live branch: of what it begins at, and of nothing else that could be known.
fn new_branch(commit: &CommitId) -> Result<Branch, Problem> {
    let now = runtime::clock::now().unix_timestamp();
    Ok(format!("{EDIT}-{}-{:x}", commit.short(), now & 0xff_ffff).parse()?)
}

async fn save(view: View, name: Name, form: Result<Form<Typed>, FormRejection>) -> Result<Response, Failed> {
    let (site, Form(typed)) = (view.site(&name?.0.parse()?).await?, form?);
    match write(&view, &site, &typed).await {
        Ok(Saved { tip, is_new: true }) => {
            let of = [("branch", tip.branch.as_str()), ("saved", tip.commit.as_str())];
            Ok(Redirect::to(&link(&format!("/sites/{}/source", site.name), &of)).into_response())
        }
        Ok(Saved { is_new: false, .. }) => {
            Ok(Editor { typed: &typed, after: After::NoChange }.page(&site).into_response())
        }
        Err(wrong) => {
            let is_moved = matches!(wrong.problem, Problem::BranchMoved(_));
            let after = if is_moved { After::Moved } else { After::Refused };
            Ok(typed.again(&wrong, |typed| Editor { typed, after }.page(&site)))
        }
    }
}

/// Saves what an editor sends.
async fn write(view: &View, site: &SiteRow, typed: &Typed) -> Result<Saved, Wrong> {
    let commit = typed.text("commit").parse().map_err(|invalid: Invalid| wrong("commit", invalid))?;
    let branch = typed.text("branch").trim().parse().map_err(|invalid: Invalid| wrong("branch", invalid))?;
    let (path, message) = (typed.text("path").to_owned(), Some(typed.text("message").to_owned()));
    let change = Change { path, text: Written::Lines(typed.text("text").to_owned()), message, seen: commit, branch };
    Ok(commands::save_file(&view.app, &Place::Id(site.id), change, &view.caller).await?)
}

async fn publish(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    name: Name,
    form: Result<Form<Published>, FormRejection>,
) -> Result<Redirect, Failed> {
    let (place, Form(form)) = (name?.0.parse::<Place>()?, form?);
    let tip = Tip { branch: form.branch.parse()?, commit: form.commit.parse()? };
    commands::publish(&app, &place, tip, &caller).await?;
    Ok(Redirect::to(&format!("/sites/{place}")))
}
