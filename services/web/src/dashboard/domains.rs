//! The domains of a site: what their people have to set, and how far each has come.

use super::failed::Failed;
use super::form::form;
use super::layout::{Page, moment, sentence, spoken};
use super::typed::{Typed, Wrong};
use crate::app::{App, Shared};
use crate::commands::{self, NewDomain};
use crate::domains::Record;
use crate::place::Place;
use crate::problem::Problem;
use crate::view::View;
use axum::extract::Path;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use events::Refusal;
use events::routing::{HOST_MAX, HostName};
use maud::{Markup, html};
use projections::PAGE_MAX;
use projections::domains::{DomainRow, State};
use projections::sites::SiteRow;

type Site = Result<Path<String>, PathRejection>;
type Domain = Result<Path<(String, String)>, PathRejection>;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/sites/{site}/domains", get(show).post(add))
        .route("/sites/{site}/domains/{name}/check", post(check))
        .route("/sites/{site}/domains/{name}/remove", post(remove))
}

async fn show(view: View, site: Site) -> Result<Markup, Failed> {
    let site = view.site(&site?.0.parse()?).await?;
    let rows = view.model.domains(site.id, PAGE_MAX, None).await?;
    Ok(page(&view.app, &site, &rows, &Typed::default()))
}

fn page(app: &App, site: &SiteRow, rows: &[DomainRow], typed: &Typed) -> Markup {
    let content = html! {
        p.crumbs { a href={ "/sites/" (site.name) } { (site.name) } }
        h1 { "Domains of " (site.name) }
        @if rows.is_empty() { p.empty { "It has none yet. It is read at its own address, and at each domain as soon as that is verified." } }
        @for row in rows { (domain(app, site, row)) }
        section.card {
            h2 { "Add a domain" }
            (typed.refusal())
            (form("fields", &format!("/sites/{}/domains", site.id), &fields(rows, typed)))
        }
    };
    Page { title: "Domains", signed_in: true, refreshes: Some(site.id.to_string()) }.render(&content)
}

fn fields(rows: &[DomainRow], typed: &Typed) -> Markup {
    let whole: Vec<&DomainRow> = rows.iter().filter(|row| row.redirect_to.is_none()).collect();
    html! {
        label for="name" { "Name" }
        input #name name="name" required maxlength=(HOST_MAX) placeholder="www.example.org" autocomplete="off" spellcheck="false"
            value=(typed.text("name")) aria-invalid=[typed.invalid("name")] aria-describedby=[typed.described("name", None)];
        (typed.said("name"))
        label for="redirect_to" { "It shows" }
        select #redirect_to name="redirect_to" aria-describedby=[typed.described("redirect_to", Some("redirect-help"))] {
            option value="" { "the site itself" }
            @for row in whole {
                option value=(row.name) selected[typed.text("redirect_to") == row.name.as_str()] { "nothing of its own: it leads to " (row.name) }
            }
        }
        (typed.said("redirect_to"))
        small #redirect-help { "Of a name with www and the one without, one shows the site and the other leads to it." }
        button.primary { "Add" }
    }
}

fn domain(app: &App, site: &SiteRow, row: &DomainRow) -> Markup {
    let action = format!("/sites/{}/domains/{}", site.id, row.name);
    html! {
        section.card {
            h2 { (row.name) " " span.pill data-state=(row.state.as_str()) { (row.state.as_str()) } }
            @if let Some(to) = &row.redirect_to { p { "It leads to " code { (to) } "." } }
            @if let Some(error) = &row.error {
                p.notice { (spoken(&sentence(error))) @if let Some(at) = row.checked_at { " Looked at " (moment(at)) "." } }
            }
            @match row.state {
                State::Pending => p { "Set these records where those of the name are kept. They are looked at again and again for three days." },
                State::Failed if row.proven => p { "It shows " (shows(row)) ". Nobody asks for a certificate any more, before you do." },
                State::Failed => p { "Nobody looks any more. Set these records, and have them looked at again." },
                State::Verified => p { "It is verified, and shows " (shows(row)) "." },
                State::Issuing => p { "It is verified and shows " (shows(row)) ". A certificate is asked for." },
                State::Active => p { "It shows " (shows(row)) ", over TLS too" @if let Some(at) = row.expires_at { ": its certificate is good until " (moment(at)) ", and renewed before" } "." },
            }
            (records(&app.edges().records(&row.name, row.proof, &site.name), &row.name))
            div.actions {
                @if matches!(row.state, State::Pending | State::Issuing | State::Failed) {
                    (form("", &format!("{action}/check"), &html! { button aria-label={ "Check " (row.name) " now" } { "Check now" } }))
                }
                (form("", &format!("{action}/remove"), &html! { button.danger aria-label={ "Remove " (row.name) } { "Remove" } }))
            }
        }
    }
}

fn shows(row: &DomainRow) -> &'static str {
    if row.redirect_to.is_some() { "the way" } else { "the site" }
}

fn records(records: &[Record], of: &HostName) -> Markup {
    html! {
        div.scroll { table aria-label={ "Records of " (of) } {
            thead { tr { th scope="col" { "Type" } th scope="col" { "Name" } th scope="col" { "Value" } } }
            tbody { @for Record { kind, name, value } in records {
                tr { td { (kind) } td { code { (name) } } td { code { (value) } } }
            } }
        } }
    }
}

async fn add(view: View, site: Site, form: Result<Form<Typed>, FormRejection>) -> Result<Response, Failed> {
    let (place, Form(typed)) = (site?.0.parse::<Place>()?, form?);
    let wrong = match wanted(&view, &place, &typed).await {
        Ok(()) => return Ok(Redirect::to(&format!("/sites/{place}/domains")).into_response()),
        Err(wrong) => wrong,
    };
    let Ok(site) = view.site(&place).await else { return Err(wrong.problem.into()) };
    let Ok(rows) = view.model.domains(site.id, PAGE_MAX, None).await else { return Err(wrong.problem.into()) };
    Ok(typed.again(&wrong, |typed| page(&view.app, &site, &rows, typed)))
}

async fn wanted(view: &View, place: &Place, typed: &Typed) -> Result<(), Wrong> {
    let missing = || Problem::InvalidInput("`name` is missing".to_owned());
    let name = typed.read::<HostName>("name")?.ok_or_else(missing)?;
    let new = NewDomain { name, redirect_to: typed.read("redirect_to")? };
    commands::add_domain(&view.app, place, new, view.caller.clone()).await?;
    Ok(())
}

async fn check(view: View, path: Domain) -> Result<Redirect, Failed> {
    let (place, name) = read(path)?;
    commands::check_domain(&view.app, &place, name, view.caller.clone()).await?;
    Ok(Redirect::to(&format!("/sites/{place}/domains")))
}

async fn remove(view: View, path: Domain) -> Result<Redirect, Failed> {
    let (place, name) = read(path)?;
    commands::remove_domain(&view.app, &place, name, view.caller.clone()).await?;
    Ok(Redirect::to(&format!("/sites/{place}/domains")))
}

fn read(path: Domain) -> Result<(Place, HostName), Failed> {
    let Path((site, name)) = path?;
    Ok((site.parse()?, name.parse().map_err(|_| Problem::from(Refusal::DomainNotFound))?))
}
