//! Whom a site lets in: its rules, its passwords, and the links that let in whoever has one.

use super::failed::Failed;
use super::form::form;
use super::layout::{Page, moment, spoken_time};
use super::typed::{Typed, Wrong, wrong};
use crate::app::Shared;
use crate::commands;
use crate::people::{self, Names};
use crate::place::Place;
use crate::problem::Problem;
use crate::seen::Seen;
use crate::settings::Wanted;
use crate::settings::access::{Gate, Password, Wanted as WantedAccess};
use crate::view::View;
use axum::Form;
use axum::Router;
use axum::extract::Path;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use events::access::{Access, Hosts, Mode, PASSWORD_MAX, PASSWORD_MIN};
use events::{LinkId, Refusal};
use maud::{Markup, html};
use projections::PAGE_MAX;
use projections::shares::ShareLinkRow;
use projections::sites::SiteRow;
use runtime::clock;

/// Seconds of a day.
const DAY: u32 = 24 * 60 * 60;
/// Days that a link can be good for, as they are offered.
const DAYS: [u32; 5] = [1, 7, 30, 90, 365];

type Site = Result<Path<String>, PathRejection>;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/sites/{site}/access", get(show).post(save))
        .route("/sites/{site}/share-links", post(share))
        .route("/sites/{site}/share-links/{id}/revoke", post(revoke))
}

async fn show(view: View, site: Site) -> Result<Markup, Failed> {
    let site = view.site(&site?.0.parse()?).await?;
    Ok(Links::of(&view, &site).await?.page(&site, &shown(site.settings.serving.access)))
}

/// The fields of a site that lets in so. A password is not one of them: nobody reads it again.
fn shown(access: Access) -> Typed {
    Typed::default().with("live_mode", access.live).with("preview_mode", access.preview)
}

/// The links that a page shows.
struct Links {
    rows: Vec<ShareLinkRow>,
    names: Names,
}

impl Links {
    async fn of(view: &View, site: &SiteRow) -> Result<Self, Problem> {
        let rows = view.model.share_links(site.id, clock::now(), PAGE_MAX, None).await?;
        let names = people::actors(view, rows.iter().map(|row| &row.created_by)).await;
        Ok(Self { rows, names })
    }

    fn page(&self, site: &SiteRow, typed: &Typed) -> Markup {
        let content = html! {
            p.crumbs { a href={ "/sites/" (site.name) } { (site.name) } }
            section.card {
                h1 { "Access to " (site.name) }
                (typed.refusal())
                (form("fields", &format!("/sites/{}/access", site.id), &html! {
                    (gate(typed, Hosts::Live)) (gate(typed, Hosts::Preview))
                    button.primary { "Save" }
                }))
            }
            (sharing(site, &self.rows, &self.names))
        };
        Page { title: "Access", signed_in: true, refreshes: None }.render(&content)
    }
}

fn gate(typed: &Typed, hosts: Hosts) -> Markup {
    let (what, help) = match hosts {
        Hosts::Live => ("The live site is for", "It holds on the live host and wherever a route shows the site."),
        Hosts::Preview => (
            "Previews are for",
            "It holds for the demo, too. The own host of a deploy has the rule of what shows it, or the stricter of both.",
        ),
    };
    let (mode, password) = (format!("{hosts}_mode"), format!("{hosts}_password"));
    html! {
        label for={ (hosts) "-mode" } { (what) }
        select id={ (hosts) "-mode" } name=(mode) aria-describedby=[typed.described(&mode, Some(&format!("{hosts}-mode-help")))] {
            @for choice in Mode::ALL { option value=(choice) selected[choice.to_string() == typed.text(&mode)] { (choice.who()) } }
        }
        (typed.said(&mode))
        small id={ (hosts) "-mode-help" } { (help) }
        label for={ (hosts) "-password" } { "Its password, if one opens it" }
        input id={ (hosts) "-password" } name=(password) type="password" autocomplete="new-password" minlength=(PASSWORD_MIN) maxlength=(PASSWORD_MAX)
            aria-invalid=[typed.invalid(&password)] aria-describedby=[typed.described(&password, Some(&format!("{hosts}-password-help")))];
        (typed.said(&password))
        small id={ (hosts) "-password-help" } { "Left empty, the one before stays. Another ends what that opened." }
    }
}

fn sharing(site: &SiteRow, links: &[ShareLinkRow], names: &Names) -> Markup {
    let action = format!("/sites/{}/share-links", site.id);
    html! {
        section.card #share-links {
            h2 { "Share links" }
            p { "Whoever opens one is let in, however closed the site is. Revoke it, and they are out." }
            @if !links.is_empty() {
                div.scroll { table {
                    thead { tr { th scope="col" { "To" } th scope="col" { "Until" } th scope="col" { "Made" } th scope="col" { span.hidden { "Revoke" } } } }
                    tbody { @for row in links { tr {
                        th scope="row" { @match &row.alias { Some(alias) => span.branch { (alias) }, None => "all that it shows" } }
                        td { (moment(row.expires_at)) }
                        td { (moment(row.created_at)) " by " (names.of(&row.created_by)) }
                        td { (form("", &format!("{action}/{}/revoke", row.id), &html! {
                            button.danger aria-label={ "Revoke the link of " (spoken_time(row.created_at)) } { "Revoke" }
                        })) }
                    } } }
                } }
            }
            (form("fields", &action, &html! {
                label for="share-branch" { "Branch" }
                input #share-branch name="branch" autocomplete="off" aria-describedby="share-branch-help";
                small #share-branch-help { "Left empty, the link leads to all that the site shows." }
                label for="share-days" { "Good for" }
                select #share-days name="days" { @for days in DAYS { option value=(days) selected[days == 7] { (super::layout::days(days.into())) } } }
                button { "Make a link" }
            }))
        }
    }
}

async fn save(view: View, site: Site, form: Result<Form<Typed>, FormRejection>) -> Result<Response, Failed> {
    let (place, Form(typed)) = (site?.0.parse::<Place>()?, form?);
    let wrong = match change(&view, &place, &typed).await {
        Ok(name) => return Ok(Redirect::to(&format!("/sites/{name}/access")).into_response()),
        Err(wrong) => wrong,
    };
    let Ok(site) = view.site(&place).await else { return Err(wrong.problem.into()) };
    let typed = typed.beside(&shown(site.settings.serving.access));
    let Ok(links) = Links::of(&view, &site).await else { return Err(wrong.problem.into()) };
    Ok(typed.again(&wrong, |typed| links.page(&site, typed)))
}

async fn change(view: &View, place: &Place, typed: &Typed) -> Result<String, Wrong> {
    let gate = |hosts: Hosts| -> Result<Option<Gate>, Wrong> {
        let mode: Option<Mode> = typed.read(&format!("{hosts}_mode"))?;
        // A browser sends the field of a password whatever the mode is.
        let given = Some(typed.text(&format!("{hosts}_password"))).filter(|text| !text.is_empty());
        let password = given.filter(|_| mode == Some(Mode::Password)).map(|text| Password(text.to_owned()));
        Ok(mode.map(|mode| Gate { mode: Some(mode), password }))
    };
    let access = WantedAccess::of(gate(Hosts::Live)?, gate(Hosts::Preview)?);
    let wanted = Wanted { access: Some(Some(access)), ..Wanted::default() };
    let edit = commands::Edit { wanted, seen: Seen::Any };
    let id = view.app.site_id(place).await?;
    let changed = commands::change_site(&view.app, id, &edit, view.caller.clone()).await;
    changed.map(|active| active.name.to_string()).map_err(|problem| {
        let Problem::InvalidInput(message) = problem else { return problem.into() };
        let hosts = if message.contains("`preview`") { Hosts::Preview } else { Hosts::Live };
        wrong(&format!("{hosts}_password"), message)
    })
}

async fn share(view: View, site: Site, form: Result<Form<Typed>, FormRejection>) -> Result<Markup, Failed> {
    let (place, Form(typed)) = (site?.0.parse::<Place>()?, form?);
    let site = view.site(&place).await?;
    let days: u32 = typed.text("days").parse().map_err(Problem::invalid)?;
    let branch = typed.given("branch").map(str::parse).transpose()?;
    let new = commands::NewShareLink { expires_in: days.saturating_mul(DAY), branch };
    let made = commands::share(&view.app, &place, new, view.caller.clone()).await?;
    let content = html! {
        p.crumbs { a href={ "/sites/" (site.name) } { (site.name) } " / " a href={ "/sites/" (site.name) "/access" } { "Access" } }
        section.card {
            h1 { "Share link" }
            div #secret data-keep {
                p { "The link is shown this once: copy it now. Whoever opens it is let in until " (moment(made.link.expires_at)) "." }
                p { code { (made.url) } }
            }
            @if made.link.alias.is_none() { p { "What stands behind its question mark opens each host of the site." } }
        }
    };
    Ok(Page { title: "Share link", signed_in: true, refreshes: None }.render(&content))
}

async fn revoke(view: View, path: Result<Path<(String, String)>, PathRejection>) -> Result<Redirect, Failed> {
    let Path((site, id)) = path?;
    let place: Place = site.parse()?;
    let id: LinkId = id.parse().map_err(|_| Problem::from(Refusal::ShareLinkNotFound))?;
    commands::revoke_share(&view.app, &place, id, view.caller.clone()).await?;
    Ok(Redirect::to(&format!("/sites/{place}/access#share-links")))
}
