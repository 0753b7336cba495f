//! The page of whoever is signed in: what they are, and the tokens they made.

use super::failed::Failed;
use super::form::form;
use super::hub;
use super::layout::{Page, moment};
use super::providers;
use crate::api::tokens::bound;
use crate::app::Shared;
use crate::caller::{Caller, Who};
use crate::commands::{self, Made, NewToken};
use crate::people::{self, Known};
use crate::problem::Problem;
use crate::sessions::{Open, Visit};
use crate::view::View;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Path, State};
use axum::response::Redirect;
use axum::{Extension, Form};
use events::TokenId;
use events::authority::{PlatformRole, Scope};
use http::HeaderMap;
use maud::{Markup, html};
use projections::members::MemberRow;
use projections::tokens::TokenRow;
use runtime::clock;
use serde::Deserialize;
use std::collections::{BTreeSet, HashMap};
use time::{Duration, OffsetDateTime};

/// Tokens on the page.
const ROWS: u32 = 100;

#[derive(Deserialize)]
pub(super) struct Fields {
    name: String,
    scope: Scope,
    #[serde(default)]
    organization: String,
    #[serde(default)]
    site: String,
    /// How long it shall be good, in days; for ever if 0.
    #[serde(default)]
    days: u16,
}

pub(super) async fn show(view: View, headers: HeaderMap) -> Result<Markup, Failed> {
    page(&view, Visit::of(&headers).as_ref(), None).await
}

pub(super) async fn create(
    view: View,
    headers: HeaderMap,
    form: Result<Form<Fields>, FormRejection>,
) -> Result<Markup, Failed> {
    let Form(form) = form?;
    let organization = match form.organization.trim() {
        "" => None,
        named => Some(view.organization_id(&named.parse()?).await?),
    };
    let site = match form.site.trim() {
        "" => None,
        named => Some(view.site(&named.parse()?).await?.id),
    };
    let expires_at = (form.days > 0).then(|| clock::now() + Duration::days(i64::from(form.days)));
    let (name, scopes) = (form.name.trim().parse()?, BTreeSet::from([form.scope]));
    let new = NewToken { name, scopes, organization, site, expires_at };
    let made = commands::create_token(&view.app, new, view.caller.clone()).await?;
    page(&view, Visit::of(&headers).as_ref(), Some(&made)).await
}

pub(super) async fn revoke(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Redirect, Failed> {
    commands::revoke_token(&app, id?.0.parse()?, caller).await?;
    Ok(Redirect::to("/account"))
}

pub(super) async fn end(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Redirect, Failed> {
    app.auth.end(&caller.who, &id?.0).await?;
    Ok(Redirect::to("/account"))
}

async fn page(view: &View, visit: Option<&Visit>, made: Option<&Made>) -> Result<Markup, Failed> {
    let caller = &view.caller;
    let (known, memberships) = match caller.holder.user {
        Some(user) => (people::named(view, user).await?, view.model.memberships(user).await.map_err(Problem::from)?),
        None => (Known::default(), Vec::new()),
    };
    let tokens = view.model.tokens(&bound(caller), ROWS, None).await.map_err(Problem::from)?;
    let used = view.uses.last(tokens.iter().map(|token| token.id)).await?;
    let open = view.auth.sessions(&caller.who).await?;
    let (identities, github) = match caller.holder.user {
        Some(user) => (providers::section(view, user).await?, hub::section(view).await?),
        None => (html! {}, html! {}),
    };
    let content = html! {
        h1 { "Account" }
        (facts(caller, &known, &memberships))
        (identities)
        (github)
        h2 { "Sessions" }
        @if open.is_empty() { p.empty { "Nobody is signed in so." } } @else { (sessions(&open, visit)) }
        h2 { "API tokens" }
        p.lead { "For programs. A token may do at most what its maker may do, at the moment of its use." }
        @if let Some(Made { token, .. }) = made {
            p.notice role="status" { "The token is " code { (token) } ". It is shown this once: copy it now." }
        }
        @if tokens.is_empty() { p.empty { "No tokens yet." } } @else { (table(&tokens, &used)) }
        (new_token(&memberships))
    };
    Ok(Page { title: "Account", signed_in: true, refreshes: None }.render(&content))
}

fn facts(caller: &Caller, known: &Known, memberships: &[MemberRow]) -> Markup {
    html! {
        dl.facts {
            div { dt { "Signed in as" } dd { @match &caller.who {
                Who::Operator(name) => { (name) ", by a token of the configuration" },
                Who::Token(_) => { "the holder of a token" },
                Who::User(_) => (known.name.as_deref().unwrap_or(people::ERASED)),
            } } }
            @if let Some(email) = &known.email { div { dt { "Mail" } dd { (email) } } }
            @if let Some(role) = caller.holder.platform {
                div { dt { "Platform role" } dd { @match role { PlatformRole::Admin => "admin", PlatformRole::Support => "support" } } }
            }
            @for member in memberships {
                @if let Some(name) = &member.organization_name {
                    div { dt { a href={ "/organizations/" (name) } { (name) } } dd { (member.role) } }
                }
            }
        }
    }
}

fn sessions(open: &[Open], visit: Option<&Visit>) -> Markup {
    let time = |seconds| moment(OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH));
    html! {
        div.scroll { table {
            thead { tr { th scope="col" { "Browser" } th scope="col" { "Begun" } th scope="col" { "Used" } th scope="col" { span.hidden { "End" } } } }
            tbody { @for session in open {
                tr {
                    td { (session.browser.name().unwrap_or("unknown")) @if visit == Some(&session.visit) { " " strong { "this one" } } }
                    td { (time(session.begun_s)) }
                    td { (time(session.used_s)) }
                    td { (form("", &format!("/account/sessions/{}/end", session.visit.name()), &html! { button.danger { "End" } })) }
                }
            } }
        } }
    }
}

fn table(tokens: &[TokenRow], used: &HashMap<TokenId, OffsetDateTime>) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr { th scope="col" { "Name" } th scope="col" { "Scopes" } th scope="col" { "Made" } th scope="col" { "Ends" } th scope="col" { "Last used" } th scope="col" { span.hidden { "Revoke" } } } }
                tbody { @for token in tokens {
                    tr {
                        th scope="row" { (token.name) }
                        td { (token.scopes) @if token.site.is_some() { ", one site" } @else if token.organization.is_some() { ", one organization" } }
                        td { (moment(token.created_at)) }
                        td { @match token.expires_at { Some(at) => (moment(at)), None => "never" } }
                        td { @match used.get(&token.id) { Some(at) => (moment(*at)), None => "never" } }
                        td { (form("", &format!("/account/tokens/{}/revoke", token.id), &html! { button.danger aria-label={ "Revoke " (token.name) } { "Revoke" } })) }
                    }
                } }
            }
        }
    }
}

fn new_token(memberships: &[MemberRow]) -> Markup {
    html! {
        details.card {
            summary { "Make a token" }
            (form("fields", "/account", &html! {
                label for="name" { "Name" }
                input #name name="name" required maxlength="60" pattern="[A-Za-z0-9_\\-]+" placeholder="ci";
                label for="scope" { "It may" }
                select #scope name="scope" {
                    option value="read" { "read" }
                    option value="deploy" selected { "read, build and publish" }
                    option value="manage" { "do everything that I may" }
                }
                label for="organization" { "Only in the organization" }
                input #organization name="organization" maxlength="36" list="organizations";
                datalist #organizations { @for member in memberships { @if let Some(name) = &member.organization_name { option value=(name); } } }
                label for="site" { "Only for the site" }
                input #site name="site" maxlength="36" autocapitalize="none" spellcheck="false";
                label for="days" { "Ends after days (0: never)" }
                input #days type="number" name="days" min="0" max="3650" value="90";
                button.primary { "Make" }
            }))
        }
    }
}
