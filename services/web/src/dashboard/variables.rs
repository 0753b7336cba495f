//! The variables of a site's builds, on the page of its settings.

use super::failed::Failed;
use super::form::form;
use super::layout::moment;
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::people;
use crate::place::Place;
use crate::problem::Problem;
use crate::view::View;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Path, State};
use axum::response::Redirect;
use axum::{Extension, Form};
use events::{Context, VariableName, variable};
use maud::{Markup, html};
use projections::PAGE_MAX;
use projections::sites::SiteRow;
use serde::Deserialize;

/// A variable as a browser sends it: a context that is not chosen is left out.
#[derive(Deserialize)]
pub(super) struct Fields {
    name: String,
    value: String,
    #[serde(default)]
    live: Option<String>,
    #[serde(default)]
    demo: Option<String>,
    #[serde(default)]
    preview: Option<String>,
}

impl Fields {
    fn wanted(self) -> Result<commands::NewVariable, Problem> {
        let chosen = |context: &Context| match context {
            Context::Live => self.live.is_some(),
            Context::Demo => self.demo.is_some(),
            Context::Preview => self.preview.is_some(),
        };
        let contexts = Context::ALL.into_iter().filter(chosen).collect();
        // A browser sends every line end as two characters.
        let value = self.value.replace("\r\n", "\n");
        Ok(commands::NewVariable { name: self.name.trim().parse()?, value: value.into(), contexts })
    }
}

/// A part of the page of a site's settings.
pub(super) async fn section(view: &View, site: &SiteRow) -> Result<Markup, Problem> {
    let variables = view.model.variables(site.id, PAGE_MAX, None).await?;
    let names = people::actors(view, variables.iter().map(|row| &row.updated_by)).await;
    let action = format!("/sites/{}/variables", site.id);
    Ok(html! {
        section.card #variables {
            h2 { "Variables" }
            p { "Builds have them in their environment, except while packages are installed. A value cannot be read here again, and is masked in logs." }
            @if !variables.is_empty() {
                div.scroll { table {
                    thead { tr { th scope="col" { "Name" } th scope="col" { "Builds for" } th scope="col" { "Set" } th scope="col" { span.hidden { "Remove" } } } }
                    tbody { @for row in &variables {
                        tr {
                            th scope="row" { code { (row.name) } }
                            td { (row.contexts.replace(' ', ", ")) }
                            td { (moment(row.updated_at)) " by " (names.of(&row.updated_by)) }
                            td { (form("", &format!("{action}/{}/remove", row.name), &html! {
                                button.danger aria-label={ "Remove " (row.name) } { "Remove" }
                            })) }
                        }
                    } }
                } }
            }
            (form("fields", &action, &fields()))
        }
    })
}

fn fields() -> Markup {
    html! {
        label for="variable-name" { "Name of the variable" }
        input #variable-name name="name" required maxlength=(variable::NAME_MAX) pattern="[A-Za-z_][A-Za-z0-9_]*" placeholder="API_KEY" autocomplete="off";
        label for="variable-value" { "Value" }
        textarea #variable-value name="value" required rows="2" minlength=(variable::VALUE_MIN) maxlength=(variable::VALUE_MAX) spellcheck="false" autocomplete="off" {}
        fieldset {
            legend { "Builds for" }
            @for context in Context::ALL {
                label { input type="checkbox" name=(context) checked; " " (context) }
            }
        }
        button { "Set" }
    }
}

pub(super) async fn set(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    site: Result<Path<String>, PathRejection>,
    form: Result<Form<Fields>, FormRejection>,
) -> Result<Redirect, Failed> {
    let (place, Form(form)) = (site?.0.parse::<Place>()?, form?);
    commands::set_variable(&app, &place, form.wanted()?, caller).await?;
    Ok(Redirect::to(&format!("/sites/{place}/settings#variables")))
}

pub(super) async fn remove(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Redirect, Failed> {
    let Path((site, name)) = path?;
    let (place, name): (Place, VariableName) = (site.parse()?, name.parse()?);
    commands::remove_variable(&app, &place, name, caller).await?;
    Ok(Redirect::to(&format!("/sites/{place}/settings#variables")))
}
