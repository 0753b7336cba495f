//! The files of a site's own repository, and an editor for each: a text area, and what is saved goes to a branch with a preview of
//! its own until it is published.

mod editor;

use super::failed::Failed;
use super::form::form;
use super::layout::{Page, size};
use super::link::link;
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands::{self, At, Change, Tip, Written};
use crate::place::Place;
use crate::problem::Problem;
use crate::repositories::{Listed, is_path};
use crate::view::View;
use axum::extract::rejection::{FormRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Extension, Form, Router};
use editor::Editor;
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
}

/// What an editor sends.
#[derive(Deserialize)]
struct Edited {
    path: String,
    text: String,
    #[serde(default)]
    message: String,
    commit: String,
    branch: String,
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
    Ok(Page { title: &format!("Files of {}", site.name), signed_in: true, refreshes: None }.render(&content))
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
    let (path, commit, branch) = (of.path.as_str(), tip.commit.as_str(), target.as_str());
    Ok(Editor { path, text: &text, message: "", commit, branch, shows_preview: false }.page(&site))
}

/// The editor with what was written in it, and what that will look like. Nothing is saved.
async fn preview(view: View, name: Name, form: Result<Form<Edited>, FormRejection>) -> Result<Markup, Failed> {
    let (site, Form(form)) = (view.site(&name?.0.parse()?).await?, form?);
    let Edited { path, text, message, commit, branch } = &form;
    Ok(Editor { path, text, message, commit, branch, shows_preview: true }.page(&site))
}

/// A name that nobody has for an edit of the live branch: of what it begins at, and of nothing else that could be known.
fn new_branch(commit: &CommitId) -> Result<Branch, Problem> {
    let now = runtime::clock::now().unix_timestamp();
    Ok(format!("{EDIT}-{}-{:x}", commit.short(), now & 0xff_ffff).parse()?)
}

async fn save(view: View, name: Name, form: Result<Form<Edited>, FormRejection>) -> Result<Redirect, Failed> {
    let (site, Form(form)) = (view.site(&name?.0.parse()?).await?, form?);
    let text = Written::Lines(form.text);
    let (commit, branch): (CommitId, Branch) = (form.commit.parse()?, form.branch.trim().parse()?);
    let change = Change { path: form.path, text, message: Some(form.message), seen: commit, branch };
    let tip = commands::save_file(&view.app, &Place::Id(site.id), change, &view.caller).await?;
    let list = link(&format!("/sites/{}/source", site.name), &[("branch", tip.branch.as_str())]);
    Ok(Redirect::to(&list))
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
