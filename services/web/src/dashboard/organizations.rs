//! The organizations, and a form for the next one.

use super::failed::Failed;
use super::form::form;
use super::layout::{Page, moment};
use super::link::link;
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::people::{self, Names};
use crate::problem::Problem;
use crate::view::View;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::response::Redirect;
use axum::{Extension, Form};
use events::OrganizationName;
use maud::{Markup, html};
use projections::organizations::OrganizationRow;
use serde::Deserialize;

/// Organizations on a page.
const ROWS: u32 = 100;

#[derive(Deserialize)]
pub(super) struct Part {
    #[serde(default)]
    after: String,
}

/// The one field of an organization, as a browser sends it.
#[derive(Deserialize)]
pub(super) struct Fields {
    name: String,
}

pub(super) async fn overview(view: View, part: Result<Query<Part>, QueryRejection>) -> Result<Markup, Failed> {
    let Query(Part { after }) = part?;
    let mut rows = view.model.organizations(&view.sight, ROWS + 1, Some(&after)).await.map_err(Problem::from)?;
    let more = rows.len() > ROWS as usize;
    rows.truncate(ROWS as usize);
    let next = rows.last().filter(|_| more).map(|last| link("/organizations", &[("after", last.name.as_str())]));
    let names = people::actors(&view, rows.iter().map(|row| &row.created_by)).await;
    let content = html! {
        h1 { "Organizations" }
        @if rows.is_empty() {
            p.empty { "There are no organizations yet. One begins with the first site that names it, or below." }
        } @else {
            (table(&rows, &names))
            @if let Some(next) = next { p { a href=(next) rel="next" { "More organizations" } } }
        }
        details.card open[rows.is_empty()] {
            summary { "Create an organization" }
            (form("fields", "/organizations", &html! {
                (name_field(""))
                button.primary { "Create" }
            }))
        }
    };
    Ok(Page { title: "Organizations", signed_in: true, refreshes: Some(String::new()) }.render(&content))
}

fn table(rows: &[OrganizationRow], names: &Names) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr { th scope="col" { "Organization" } th scope="col" { "Created" } th scope="col" { "Id" } } }
                tbody {
                    @for row in rows {
                        tr {
                            th scope="row" { a href={ "/organizations/" (row.name) } { (row.name) } }
                            td { (moment(row.created_at)) " by " (names.of(&row.created_by)) }
                            td { code { (row.id) } }
                        }
                    }
                }
            }
        }
    }
}

/// The field of an organization's name.
pub(super) fn name_field(name: &str) -> Markup {
    html! {
        label for="name" { "Name" }
        input #name name="name" required maxlength="30" pattern="[a-z](-?[a-z0-9])*" placeholder="acme" value=(name)
            aria-describedby="name-help";
        small #name-help { "Lower-case letters, digits and single hyphens. A former name is free for others at once." }
    }
}

pub(super) async fn create(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    form: Result<Form<Fields>, FormRejection>,
) -> Result<Redirect, Failed> {
    let Form(Fields { name }) = form?;
    let name: OrganizationName = name.trim().parse()?;
    commands::create_organization(&app, &name, caller).await?;
    Ok(Redirect::to(&format!("/organizations/{name}")))
}
