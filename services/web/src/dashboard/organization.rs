//! The page of an organization: what it is, its sites, and a form for its name.

use super::failed::Failed;
use super::form::form;
use super::governance;
use super::layout::{Page, moment};
use super::link::link;
use super::members;
use super::organizations::name_field;
use super::sites::{Listed, Part, ROWS};
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::people;
use crate::place::Owner;
use crate::problem::Problem;
use crate::view::View;
use axum::extract::rejection::{FormRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::Redirect;
use axum::{Extension, Form};
use maud::{Markup, html};
use serde::Deserialize;

type Name = Result<Path<String>, PathRejection>;

/// The fields as a browser sends them.
#[derive(Deserialize)]
pub(super) struct Fields {
    name: String,
    /// The version of the organization that the form showed.
    version: u64,
}

pub(super) async fn show(view: View, name: Name, part: Result<Query<Part>, QueryRejection>) -> Result<Markup, Failed> {
    let (organization, Query(Part { after })) = (view.organization(&name?.0.parse()?).await?, part?);
    let sites = view.model.sites_of(organization.id, ROWS + 1, Some(&after)).await.map_err(Problem::from)?;
    let listed = Listed::of(&view, sites, &format!("/organizations/{}", organization.id)).await?;
    let about = format!("organization/{}", organization.id);
    let members = members::section(&view, organization.id).await?;
    let names = people::actors(&view, std::iter::once(&organization.created_by)).await;
    let content = html! {
        p.crumbs { a href="/organizations" { "Organizations" } }
        div.title { h1 { (organization.name) } }
        (governance::notices(&organization))
        dl.facts {
            div { dt { "Id" } dd { code { (organization.id) } } }
            div { dt { "Created" } dd { (moment(organization.created_at)) " by " (names.of(&organization.created_by)) } }
            @if let Some(limits) = governance::limits(&organization) { div { dt { "May have" } dd { (limits) } } }
        }
        p.actions { a href=(link("/timeline", &[("subject", &about)])) { "Timeline" } a href="/deliveries" { "Webhooks that led to nothing" } a href="/deleted-sites" { "Deleted sites" } }
        h2 { "Sites" }
        @if listed.rows.is_empty() {
            p.empty { "It has no sites now." }
        } @else {
            (listed.table(&view))
        }
        (members)
        @if view.manages(organization.id) { section.card {
            h2 { "Rename" }
            p { "Its sites stay its own, at their addresses." }
            (form("fields", &format!("/organizations/{}", organization.id), &html! {
                (name_field(organization.name.as_str()))
                input type="hidden" name="version" value=(organization.version);
                button.primary { "Save" }
            }))
        } }
        (governance::section(&view, &organization))
    };
    Ok(Page { title: organization.name.as_str(), signed_in: true, refreshes: None }.render(&content))
}

pub(super) async fn rename(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    name: Name,
    form: Result<Form<Fields>, FormRejection>,
) -> Result<Redirect, Failed> {
    let (owner, Form(form)) = (name?.0.parse::<Owner>()?, form?);
    let id = app.organization_id(&owner).await?;
    let rename = commands::Rename { name: Some(form.name.trim().parse()?), seen: Some(form.version).into() };
    let renamed = commands::rename_organization(&app, id, &rename, caller).await?;
    Ok(Redirect::to(&format!("/organizations/{}", renamed.name)))
}
