//! The form of a site's settings: the same fields for a new site and for one that is changed.

use super::building;
use super::credentials;
use super::failed::Failed;
use super::form::form;
use super::hub;
use super::layout::Page;
use super::lock;
use super::secret;
use super::serving;
use super::variables;
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::place::Place;
use crate::problem::Problem;
use crate::repositories::Template;
use crate::settings::Wanted;
use crate::view::View;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Path, State};
use axum::response::Redirect;
use axum::{Extension, Form};
use events::{SiteEngine, SiteSettings};
use maud::{Markup, html};
use serde::Deserialize;

/// The fields as a browser sends them: an empty one is left out.
#[derive(Deserialize)]
pub(super) struct Fields {
    name: String,
    #[serde(default)]
    organization: String,
    #[serde(default)]
    template: String,
    #[serde(default)]
    repository: String,
    branch: String,
    #[serde(default)]
    demo_branch: String,
    engine: SiteEngine,
    /// Whether a new site shall be created though its repository does not look right.
    #[serde(default)]
    anyway: Option<String>,
    /// The version of the site that the form showed; none for a new site.
    #[serde(default)]
    version: Option<u64>,
    #[serde(flatten)]
    building: building::Fields,
    #[serde(flatten)]
    serving: serving::Fields,
}

impl Fields {
    pub(super) fn insists(&self) -> bool {
        self.anyway.is_some()
    }

    pub(super) fn wanted(&self) -> Result<Wanted, Problem> {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let (name, organization) = (given(&self.name), given(&self.organization));
        let name = name.map(|name| name.parse()).transpose()?;
        let organization = organization.map(|name| name.parse()).transpose()?;
        if let Some(template) = given(&self.template) {
            let template = Template::ALL.into_iter().find(|known| known.word() == template);
            let template = template.ok_or_else(|| Problem::InvalidInput("there is no such template".to_owned()))?;
            return Ok(Wanted { name, organization, template: Some(template), ..Wanted::default() });
        }
        Ok(Wanted {
            name,
            organization,
            template: None,
            repository: given(&self.repository).map(|url| url.parse()).transpose()?,
            branch: Some(given(&self.branch).map(|branch| branch.parse()).transpose()?),
            demo_branch: Some(given(&self.demo_branch).map(|branch| branch.parse()).transpose()?),
            engine: Some(Some(self.engine)),
            ..self.serving.onto(self.building.wanted()?)
        })
    }
}

/// The fields of a site called `name`; both are empty for a new one.
pub(super) fn fields(name: &str, settings: Option<&SiteSettings>) -> Markup {
    let text = |read: fn(&SiteSettings) -> String| settings.map(read).unwrap_or_default();
    let branch = settings.map_or("main", |settings| settings.branch.as_str());
    let demo = text(|settings| settings.demo_branch.as_ref().map(ToString::to_string).unwrap_or_default());
    html! {
        label for="name" { "Name" }
        input #name name="name" required maxlength="30" pattern="[a-z](-?[a-z0-9])*" placeholder="docs" value=(name)
            aria-describedby="name-help";
        small #name-help { "Lower-case letters, digits and single hyphens. It becomes the host name; former ones lead to it." }
        label for="repository" { "Repository" }
        input #repository name="repository" required[settings.is_some()] maxlength="500" placeholder="https://github.com/acme/docs.git"
            value=(text(|settings| settings.repository.to_string()));
        label for="branch" { "Live branch" }
        input #branch name="branch" required value=(branch);
        label for="demo-branch" { "Demo branch (if any)" }
        input #demo-branch name="demo_branch" value=(demo);
        label for="engine" { "Engine" }
        select #engine name="engine" {
            @for (value, engine, what) in ENGINES {
                option value=(value) selected[settings.is_some_and(|settings| settings.engine == engine)] { (what) }
            }
        }
    }
}

const ENGINES: [(&str, SiteEngine, &str); 5] = [
    ("static", SiteEngine::Static, "Static: the files as they are"),
    ("node.js", SiteEngine::NodeJs, "Node.js: the npm script “pages”, else “federalist”, else “build”"),
    ("hugo", SiteEngine::Hugo, "Hugo"),
    ("jekyll", SiteEngine::Jekyll, "Jekyll"),
    ("auto", SiteEngine::Auto, "Found out by each build"),
];

pub(super) async fn edit(view: View, site: Result<Path<String>, PathRejection>) -> Result<Markup, Failed> {
    let site = view.site(&site?.0.parse()?).await?;
    let variables = variables::section(&view, &site).await?;
    let credentials = credentials::section(&view, &site).await?;
    let content = html! {
        p.crumbs { a href={ "/sites/" (site.name) } { (site.name) } }
        section.card {
            h1 { "Settings of " (site.name) }
            p { "Builds that are queued already keep the settings they were queued with." }
            (form("fields", &format!("/sites/{}/settings", site.id), &html! {
                (fields(site.name.as_str(), Some(&site.settings)))
                (building::fields(&site.settings.building))
                (serving::fields(&site.settings.serving))
                input type="hidden" name="version" value=(site.version);
                button.primary { "Save" }
            }))
        }
        (credentials)
        (variables)
        (secret::section(&view, &site))
        (hub::webhook(&view, &site))
        (lock::section(&site))
    };
    Ok(Page { title: "Settings", signed_in: true, refreshes: None }.render(&content))
}

pub(super) async fn save(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    site: Result<Path<String>, PathRejection>,
    form: Result<Form<Fields>, FormRejection>,
) -> Result<Redirect, Failed> {
    let (place, Form(form)) = (site?.0.parse::<Place>()?, form?);
    let id = app.site_id(&place).await?;
    let edit = commands::Edit { wanted: form.wanted()?, seen: form.version };
    let changed = commands::change_site(&app, id, &edit, caller).await?;
    Ok(Redirect::to(&format!("/sites/{}", changed.name)))
}
