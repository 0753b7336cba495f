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
use super::typed::{Typed, Wrong, wrong};
use super::variables;
use crate::commands;
use crate::place::Place;
use crate::problem::Problem;
use crate::repositories::Template;
use crate::settings::Wanted;
use crate::view::View;
use axum::Form;
use axum::extract::Path;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::response::{IntoResponse, Redirect, Response};
use events::ids::Invalid;
use events::site::Active;
use events::{Refusal, SiteEngine, SiteSettings};
use maud::{Markup, html};
use projections::sites::SiteRow;

/// What the fields of a site ask for.
pub(super) fn wanted(typed: &Typed) -> Result<Wanted, Wrong> {
    let name = typed.read("name")?;
    let organization = typed.given("organization").map(str::parse).transpose();
    let organization = organization.map_err(|invalid: Invalid| wrong("organization", invalid))?;
    if let Some(word) = typed.given("template") {
        let template = Template::ALL.into_iter().find(|known| known.word() == word);
        let template = template.ok_or_else(|| wrong("template", "there is no such template"))?;
        return Ok(Wanted { name, organization, template: Some(template), ..Wanted::default() });
    }
    let wanted = Wanted {
        name,
        organization,
        repository: typed.read("repository")?,
        branch: Some(typed.read("branch")?),
        demo_branch: Some(typed.read("demo_branch")?),
        engine: typed.choice("engine")?.map(Some),
        ..building::wanted(typed)?
    };
    serving::onto(typed, wanted)
}

/// The fields of a site as it is.
fn shown(site: &SiteRow) -> Typed {
    let SiteSettings { repository, branch, demo_branch, engine, building, serving } = &site.settings;
    let demo = demo_branch.as_ref().map(ToString::to_string).unwrap_or_default();
    let engine = ENGINES.into_iter().find(|(_, known, _)| known == engine).map_or("", |(word, ..)| word);
    let typed = Typed::default().with("name", &site.name).with("repository", repository).with("branch", branch);
    let typed = typed.with("demo_branch", demo).with("engine", engine).with("version", site.version);
    serving::shown(building::shown(typed, building), serving)
}

/// The fields that a new site has as well as one that is changed.
pub(super) fn fields(typed: &Typed, is_new: bool) -> Markup {
    html! {
        label for="name" { "Name" }
        input #name name="name" required maxlength="30" pattern="[a-z](-?[a-z0-9])*" placeholder="docs" value=(typed.text("name"))
            aria-invalid=[typed.invalid("name")] aria-describedby=[typed.described("name", Some("name-help"))];
        (typed.said("name"))
        small #name-help { "Lower-case letters, digits and single hyphens. It becomes the host name; former ones lead to it." }
        label for="repository" { "Repository" }
        input #repository name="repository" required[!is_new] maxlength="500" placeholder="https://github.com/acme/docs.git"
            value=(typed.text("repository")) aria-invalid=[typed.invalid("repository")] aria-describedby=[typed.described("repository", None)];
        (typed.said("repository"))
        label for="branch" { "Live branch" }
        input #branch name="branch" required value=(typed.text("branch"))
            aria-invalid=[typed.invalid("branch")] aria-describedby=[typed.described("branch", None)];
        (typed.said("branch"))
        label for="demo-branch" { "Demo branch (if any)" }
        input #demo-branch name="demo_branch" value=(typed.text("demo_branch"))
            aria-invalid=[typed.invalid("demo_branch")] aria-describedby=[typed.described("demo_branch", None)];
        (typed.said("demo_branch"))
        label for="engine" { "Engine" }
        select #engine name="engine" aria-describedby=[typed.described("engine", None)] {
            @for (value, _, what) in ENGINES { option value=(value) selected[typed.text("engine") == value] { (what) } }
        }
        (typed.said("engine"))
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
    Ok(Sections::of(&view, &site).await?.page(&view, &site, &shown(&site)))
}

/// What else may be set, beside the form.
struct Sections {
    credentials: Markup,
    variables: Markup,
}

impl Sections {
    async fn of(view: &View, site: &SiteRow) -> Result<Self, Problem> {
        let (credentials, variables) = (credentials::section(view, site).await?, variables::section(view, site).await?);
        Ok(Self { credentials, variables })
    }

    fn page(&self, view: &View, site: &SiteRow, typed: &Typed) -> Markup {
        let content = html! {
            p.crumbs { a href={ "/sites/" (site.name) } { (site.name) } }
            section.card {
                h1 { "Settings of " (site.name) }
                (typed.refusal())
                p { "Builds that are queued already keep the settings they were queued with." }
                (form("fields", &format!("/sites/{}/settings", site.id), &html! {
                    (fields(typed, false))
                    (building::fields(typed))
                    (serving::fields(typed))
                    input type="hidden" name="version" value=(typed.text("version"));
                    button.primary { "Save" }
                }))
            }
            (self.credentials)
            (self.variables)
            (secret::section(view, site))
            (hub::webhook(view, site))
            (lock::section(site))
        };
        Page { title: "Settings", signed_in: true, refreshes: None }.render(&content)
    }
}

pub(super) async fn save(
    view: View,
    site: Result<Path<String>, PathRejection>,
    form: Result<Form<Typed>, FormRejection>,
) -> Result<Response, Failed> {
    let (place, Form(typed)) = (site?.0.parse::<Place>()?, form?);
    let wrong = match change(&view, &place, &typed).await {
        Ok(changed) => return Ok(Redirect::to(&format!("/sites/{}", changed.name)).into_response()),
        Err(wrong) => wrong,
    };
    // Without a site, and without a model of it, there is no form to show.
    let Ok(site) = view.site(&place).await else { return Err(wrong.problem.into()) };
    let Ok(sections) = Sections::of(&view, &site).await else { return Err(wrong.problem.into()) };
    // A field that the form did not have stays as it is.
    let typed = typed.beside(&shown(&site));
    // Whoever saves again has seen what is said at the fields that others changed.
    let typed = if matches!(wrong.problem, Problem::Refused(Refusal::SiteChanged { .. })) {
        typed.noting(&shown(&site)).with("version", site.version)
    } else {
        typed
    };
    Ok(typed.again(&wrong, |typed| sections.page(&view, &site, typed)))
}

async fn change(view: &View, place: &Place, typed: &Typed) -> Result<Active, Wrong> {
    let id = view.app.site_id(place).await?;
    let seen: Option<u64> = typed.given("version").map(str::parse).transpose().map_err(Problem::invalid)?;
    let edit = commands::Edit { wanted: wanted(typed)?, seen: seen.into() };
    Ok(commands::change_site(&view.app, id, &edit, view.caller.clone()).await?)
}
