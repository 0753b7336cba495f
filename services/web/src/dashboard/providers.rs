//! Signing in with a provider: the way there, the way back, and what of it is one's own.

use super::failed::Failed;
use super::form::form;
use super::layout::{Page, moment};
use super::login::local;
use super::welcome::enter;
use crate::app::Shared;
use crate::auth;
use crate::caller::{Caller, Who};
use crate::commands;
use crate::people;
use crate::problem::Problem;
use crate::sign_in::{Flow, Purpose, Way};
use crate::view::View;
use axum::Extension;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use events::{InvitationId, UserId};
use http::{Extensions, HeaderMap, header};
use maud::{Markup, html};
use serde::Deserialize;

/// Longest address that is gone back to.
const NEXT_MAX: usize = 500;
/// Identities on the page.
const ROWS: u32 = 100;

type One = Result<Path<String>, PathRejection>;

#[derive(Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

/// What a browser brings back from a provider.
#[derive(Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    state: String,
    #[serde(default)]
    code: String,
}

/// Sends somebody to a provider who wants to come in.
pub(super) async fn depart(
    State(app): State<Shared>,
    way: One,
    next: Result<Query<Next>, QueryRejection>,
) -> Result<Response, Failed> {
    let (way, Query(Next { next })) = (way?.0.parse()?, next?);
    let next = if next.len() <= NEXT_MAX { local(&next).to_owned() } else { "/".to_owned() };
    leave(&app, way, Purpose::Enter { next }).await
}

/// Sends somebody to a provider who has an invitation.
pub(super) async fn join(
    State(app): State<Shared>,
    path: Result<Path<(String, String, String)>, PathRejection>,
) -> Result<Response, Failed> {
    let Path((id, secret, way)) = path?;
    let invitation: InvitationId = id.parse()?;
    commands::invitation(&app, invitation, &secret).await?;
    leave(&app, way.parse()?, Purpose::Join { invitation, secret }).await
}

async fn leave(app: &Shared, way: Way, purpose: Purpose) -> Result<Response, Failed> {
    let departure = app.providers.depart(way, purpose).await?;
    let cookie = departure.flow.cookie(&app.key)?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&departure.url)).into_response())
}

/// Takes in whoever comes back from a provider. Whoever makes codes up has to wait as if they guessed tokens.
pub(super) async fn arrive(
    State(app): State<Shared>,
    extensions: Extensions,
    headers: HeaderMap,
    way: One,
    back: Result<Query<Back>, QueryRejection>,
) -> Result<Response, Failed> {
    let (way, Query(Back { state, code })) = (way?.0.parse::<Way>()?, back?);
    let client = auth::client(&extensions);
    if let Some(wait) = app.auth.guesses.wait(client) {
        return Err(Problem::TooManyGuesses(wait).into());
    }
    let flow = Flow::of(&headers, &app.key, way, &state)?;
    let wrong = |problem: Problem| {
        app.auth.guesses.wrong(client);
        problem
    };
    if let Purpose::Repositories { user } = flow.purpose {
        let signed_in = app.asks(&extensions, &headers).await?.and_then(|caller| caller.holder.user);
        if signed_in != Some(user) {
            return Err(Problem::SignInFailed.into());
        }
        let granted = app.providers.granted(&flow, code).await.map_err(wrong)?;
        commands::connect_github(&app, user, &granted).await?;
        return Ok(([(header::SET_COOKIE, Flow::over()?)], Redirect::to("/account#github")).into_response());
    }
    let vouched = app.providers.arrive(&flow, code).await.map_err(wrong)?;
    let signed_in = app.asks(&extensions, &headers).await?.and_then(|caller| caller.holder.user);
    let next = match &flow.purpose {
        Purpose::Connect { user } if signed_in != Some(*user) => return Err(Problem::SignInFailed.into()),
        Purpose::Connect { .. } | Purpose::Repositories { .. } => "/account#identities",
        Purpose::Join { .. } => "/",
        Purpose::Enter { next } => next,
    };
    let user = commands::welcome(&app, &vouched, &flow.purpose).await?;
    let mut response = match flow.purpose {
        Purpose::Connect { .. } | Purpose::Repositories { .. } => Redirect::to(next).into_response(),
        Purpose::Enter { .. } | Purpose::Join { .. } => enter(&app, &headers, &Who::User(user), next).await?,
    };
    response.headers_mut().append(header::SET_COOKIE, Flow::over()?);
    Ok(response)
}

/// What one signs in with: a part of the page of an account.
pub(super) async fn section(view: &View, user: UserId) -> Result<Markup, Problem> {
    let mut identities = Vec::new();
    for row in view.model.identities(user, ROWS, None).await? {
        let account = people::sealed(view, user, &row.account).await?;
        identities.push((account.unwrap_or_else(|| people::ERASED.to_owned()), row));
    }
    let offered = view.providers.offered();
    Ok(html! {
        @if !(identities.is_empty() && offered.is_empty()) {
            h2 #identities { "Signing in" }
            p.lead { "Whoever proves to be one of these is signed in as you." }
        }
        @if !identities.is_empty() {
            div.scroll { table {
                thead { tr { th scope="col" { "Provider" } th scope="col" { "Account" } th scope="col" { "Since" } th scope="col" { span.hidden { "Disconnect" } } } }
                tbody { @for (account, row) in &identities {
                    tr {
                        th scope="row" { (view.providers.name_of(&row.issuer)) }
                        td { (account) }
                        td { (moment(row.since)) }
                        td { (form("", &format!("/account/identities/{}/disconnect", row.id), &html! { button.danger aria-label={ "Disconnect " (account) } { "Disconnect" } })) }
                    }
                } }
            } }
        }
        @for (way, name) in &offered {
            (form("inline", &format!("/account/identities/{}", way.slug()), &html! { button { "Connect " (name) } }))
        }
    })
}

/// Shows the way to a provider that shall sign one in too. Browsers do not let a form lead to another site, so a link does.
pub(super) async fn connect(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    way: One,
) -> Result<Response, Failed> {
    let way: Way = way?.0.parse()?;
    let user = commands::connect(&app, &caller).await?;
    let departure = app.providers.depart(way, Purpose::Connect { user }).await?;
    let cookie = departure.flow.cookie(&app.key)?;
    let content = html! {
        p.crumbs { a href="/account" { "Account" } }
        section.card.narrow {
            h1 { "Connect an account" }
            p { "Sign in there with the account that shall be yours here too. Nobody else’s will do: whoever has it can come in as you." }
            p.actions { a.button href=(departure.url) rel="noreferrer" { "Go on" } }
        }
    };
    let page = Page { title: "Connect an account", signed_in: true, refreshes: None }.render(&content);
    Ok(([(header::SET_COOKIE, cookie)], page).into_response())
}

pub(super) async fn disconnect(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    id: One,
) -> Result<Redirect, Failed> {
    commands::disconnect(&app, id?.0.parse()?, &caller).await?;
    Ok(Redirect::to("/account#identities"))
}
