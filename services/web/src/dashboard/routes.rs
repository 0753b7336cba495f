//! Where paths of hosts lead: the list, a form for the next route, and one for many.

mod forms;

use super::failed::Failed;
use super::form::form;
use super::layout::{Page, moment};
use super::link::link;
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands::{self, Imported};
use crate::people::{self, Names};
use crate::place::Place;
use crate::problem::Problem;
use crate::routing::{self, Goes, Written};
use crate::view::View;
use axum::extract::rejection::{FormRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Form, Router};
use events::SiteId;
use events::routing::Leads;
use maud::{Markup, html};
use projections::routes::{RouteRow, Routes};
use projections::sites::SiteRow;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Routes on a page.
const ROWS: u32 = 100;

/// Which routes a page is about.
#[derive(Deserialize)]
pub(super) struct Part {
    #[serde(default)]
    host: String,
    #[serde(default)]
    site: String,
    #[serde(default)]
    after: String,
}

/// A route as a browser sends it: what is not filled in is empty.
#[derive(Deserialize)]
pub(super) struct Fields {
    host: String,
    path: String,
    kind: String,
    action: String,
    #[serde(default)]
    site: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    segments: String,
    #[serde(default)]
    page: String,
    #[serde(default)]
    backend: String,
}

/// What is left where a route was.
#[derive(Deserialize)]
pub(super) struct Leaving {
    #[serde(default)]
    leave: String,
    #[serde(default)]
    to: String,
}

/// A table, and whether it is only tried.
#[derive(Deserialize)]
pub(super) struct Import {
    table: String,
    #[serde(default)]
    try_only: Option<String>,
}

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/routes", get(list).post(add))
        .route("/routes/import", post(import))
        .route("/routes/{id}", get(show))
        .route("/routes/{id}/remove", post(remove))
}

async fn list(view: View, part: Result<Query<Part>, QueryRejection>) -> Result<Markup, Failed> {
    let Query(part) = part?;
    let site = match part.site.as_str() {
        "" => None,
        name => Some(view.site(&name.parse::<Place>()?).await?),
    };
    let host = Some(part.host.trim()).filter(|host| !host.is_empty()).map(str::parse).transpose()?;
    let after = part.after.split_once('/').map(|(host, path)| (host.to_owned(), format!("/{path}")));
    let asked = Routes { host, owner: site.as_ref().map(|site| site.id), after, limit: ROWS + 1 };
    let mut rows = view.model.routes(&asked, &view.sight).await?;
    let more = rows.len() > ROWS as usize;
    rows.truncate(ROWS as usize);
    let next = rows.last().filter(|_| more).map(|last| {
        let after = format!("{}{}", last.host, last.path);
        link("/routes", &[("site", &part.site), ("host", part.host.trim()), ("after", &after)])
    });
    let names = people::actors(&view, rows.iter().map(|row| &row.created_by)).await;
    let shown = shown_sites(&view, &rows).await?;
    let host = site.as_ref().map(|site| host_of(&view, site)).unwrap_or_default();
    let content = html! {
        @if let Some(site) = &site { p.crumbs { a href={ "/sites/" (site.name) } { (site.name) } } }
        h1 { "Routes" }
        p.lead { "Where paths of hosts lead, before a site is asked: of a site’s own hosts, and of hosts that have no site any more." }
        (forms::filter(&part.site, &part.host))
        @if rows.is_empty() { p.empty { "There are no routes here." } }
        @else { (table(&rows, &names, &shown)) }
        @if let Some(next) = next { p { a href=(next) rel="next" { "More routes" } } }
        (forms::adding(&host))
        (forms::importing(""))
    };
    Ok(Page { title: "Routes", signed_in: true, refreshes: Some(String::new()) }.render(&content))
}

/// The host of a site's live pages.
fn host_of(view: &View, site: &SiteRow) -> String {
    format!("{}.{}", site.name, view.app.sites_url.base_domain)
}

/// What the sites are called that routes show.
async fn shown_sites(view: &View, rows: &[RouteRow]) -> Result<BTreeMap<SiteId, String>, Problem> {
    let mut names = BTreeMap::new();
    for row in rows {
        if let Leads::Site { site } = &row.leads
            && !names.contains_key(site)
            && let Some(found) =
                view.model.site(*site).await?.filter(|found| view.sight.sees_site(found.id, found.organization))
        {
            names.insert(*site, found.name.to_string());
        }
    }
    Ok(names)
}

fn table(rows: &[RouteRow], names: &Names, shown: &BTreeMap<SiteId, String>) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th scope="col" { "Host" } th scope="col" { "Path" } th scope="col" { "Leads" } th scope="col" { "Added" } th scope="col" { span.hidden { "Change" } } } }
            tbody { @for row in rows {
                tr {
                    td { (row.host) }
                    th scope="row" { code { (row.path) } " " (row.kind.as_str()) }
                    td.wide { (leads(row, shown)) }
                    td { (moment(row.created_at)) " by " (names.of(&row.created_by)) }
                    td { a href={ "/routes/" (row.id) } aria-label={ "Take away " (row.host) (row.path) "…" } { "Take away…" } }
                }
            } }
        } }
    }
}

fn leads(row: &RouteRow, shown: &BTreeMap<SiteId, String>) -> Markup {
    html! {
        @match &row.leads {
            Leads::Site { site } => @match shown.get(site) {
                Some(name) => { "shows " a href={ "/sites/" (name) } { (name) } },
                None => { "shows a site" },
            },
            Leads::Redirect { to, status, segments } => { (status.code()) " to " code { (to) } ", " (segments.as_str()) " the rest" },
            Leads::Gone { page } => { "gone (410)" @if let Some(page) = page { ", told by " code { (page) } } },
            Leads::Backend { backend } => { "answered by " code { (backend) } },
        }
    }
}

async fn show(view: View, id: Result<Path<String>, PathRejection>) -> Result<Markup, Failed> {
    let row = view.route(&id?.0).await?;
    let shown = shown_sites(&view, std::slice::from_ref(&row)).await?;
    let content = html! {
        p.crumbs { a href="/routes" { "Routes" } }
        h1 { "Take away " (row.host) (row.path) }
        p { "It is of " (row.kind.as_str()) " paths: " (leads(&row, &shown)) "." }
        (form("fields", &format!("/routes/{}/remove", row.id), &forms::leaving()))
    };
    Ok(Page { title: "Take away a route", signed_in: true, refreshes: None }.render(&content))
}

async fn add(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    form: Result<Form<Fields>, FormRejection>,
) -> Result<Redirect, Failed> {
    let routed = commands::add_route(&app, form?.0.written()?.read()?, caller).await?;
    Ok(Redirect::to(&link("/routes", &[("host", routed.host.as_str())])))
}

async fn remove(
    view: View,
    id: Result<Path<String>, PathRejection>,
    form: Result<Form<Leaving>, FormRejection>,
) -> Result<Redirect, Failed> {
    let (row, Form(Leaving { leave, to })) = (view.route(&id?.0).await?, form?);
    let leave = match leave.as_str() {
        "redirect" => Some(Goes::left(Some(to.trim()), row.kind)?),
        "gone" => Some(Goes::left(None, row.kind)?),
        _ => None,
    };
    let host = row.host.clone();
    commands::remove_route(&view.app, row, leave, view.caller.clone()).await?;
    Ok(Redirect::to(&link("/routes", &[("host", host.as_str())])))
}

async fn import(view: View, form: Result<Form<Import>, FormRejection>) -> Result<Response, Failed> {
    let Form(Import { table, try_only }) = form?;
    let does = try_only.is_none();
    let imported = commands::import_routes(&view.app, routing::table(&table)?, does, view.caller.clone()).await?;
    if does && imported.errors.is_empty() {
        return Ok(Redirect::to("/routes").into_response());
    }
    let content = html! {
        p.crumbs { a href="/routes" { "Routes" } }
        h1 { "Import routes" }
        (told(&imported))
        (forms::importing(&table))
    };
    Ok(Page { title: "Import routes", signed_in: true, refreshes: None }.render(&content).into_response())
}

fn told(Imported { added, unchanged, errors }: &Imported) -> Markup {
    html! {
        @if errors.is_empty() {
            p.notice role="status" { "Nothing was added yet. It would add " (added.len()) " routes; " (unchanged) " are so already." }
        } @else {
            p.notice role="status" { "Nothing was added: some lines cannot be routes." }
            ul { @for (line, why) in errors { li { "Line " (line) ": " (why) } } }
        }
    }
}

impl Fields {
    fn written(self) -> Result<Written, Problem> {
        let given = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let Self { host, path, kind, action, site, to, status, segments, page, backend } = self;
        let status = given(status).map(|status| status.parse()).transpose().map_err(Problem::invalid)?;
        let [site, to, segments, page, backend] = [site, to, segments, page, backend].map(given);
        // A form has fields for every action: those of the others are passed over.
        let of = |name: &str, text: Option<String>| text.filter(|_| action == name);
        Ok(Written {
            site: of("site", site),
            to: of("redirect", to),
            status: status.filter(|_| action == "redirect"),
            segments: of("redirect", segments),
            page: of("gone", page),
            backend: of("backend", backend),
            host: host.trim().to_owned(),
            path: path.trim().to_owned(),
            kind,
            action,
        })
    }
}
