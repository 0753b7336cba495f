//! Deleted sites, as long as they can be restored.

use super::failed::Failed;
use super::form::form;
use super::layout::{Page, moment};
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::problem::Problem;
use crate::view::View;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Path, State};
use axum::response::Redirect;
use axum::{Extension, Form};
use events::SiteId;
use events::site::DELETED_KEPT;
use maud::{Markup, html};
use projections::sites::SiteRow;
use serde::Deserialize;

/// Rows on the page; the API has all.
const ROWS: u32 = 100;

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    name: String,
}

pub(super) async fn list(view: View) -> Result<Markup, Failed> {
    let sites = view.model.deleted_sites(&view.sight, ROWS, None).await.map_err(Problem::from)?;
    let content = html! {
        h1 { "Deleted sites" }
        p.lead { "A deleted site comes back with all that it had, within 30 days. Its name stays with its organization." }
        @if sites.is_empty() { p.empty { "None can be restored." } } @else {
            div.scroll { table {
                thead { tr { th scope="col" { "Site" } th scope="col" { "Organization" } th scope="col" { "Deleted" } th scope="col" { "Restore until" } th scope="col" { "Restore" } } }
                tbody { @for site in &sites { (row(site)) } }
            } }
        }
    };
    Ok(Page { title: "Deleted sites", signed_in: true, refreshes: None }.render(&content))
}

fn row(site: &SiteRow) -> Markup {
    let deleted_at = site.deleted_at.unwrap_or(site.created_at);
    html! {
        tr {
            th scope="row" { (site.name) }
            td { @if let Some(name) = &site.organization_name { (name) } }
            td { (moment(deleted_at)) }
            td { (moment(deleted_at + DELETED_KEPT)) }
            td {
                (form("inline", &format!("/sites/{}/restore", site.id), &html! {
                    input name="name" value=(site.name) required maxlength="30" aria-label={ "Name of the restored site " (site.name) };
                    button { "Restore" }
                }))
            }
        }
    }
}

pub(super) async fn restore(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    site: Result<Path<String>, PathRejection>,
    form: Result<Form<Wanted>, FormRejection>,
) -> Result<Redirect, Failed> {
    let (id, Form(form)) = (site?.0.parse::<SiteId>()?, form?);
    let name = Some(form.name.trim()).filter(|name| !name.is_empty()).map(str::parse).transpose()?;
    let restored = commands::restore_site(&app, id, name.as_ref(), caller).await?;
    Ok(Redirect::to(&format!("/sites/{}", restored.name)))
}
