//! Signing in with a token, and out again. The token travels in a form's body once, and never in an address.

use super::failed::Failed;
use super::form::form;
use super::layout::Page;
use super::link::link;
use super::ways::{buttons, way_in};
use crate::app::Shared;
use crate::auth;
use axum::Form;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{Extensions, HeaderMap, StatusCode, header};
use maud::{Markup, html};
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(super) struct SignIn {
    token: String,
    #[serde(default)]
    next: String,
}

pub(super) async fn show(
    State(app): State<Shared>,
    back: Result<Query<Back>, QueryRejection>,
) -> Result<Markup, Failed> {
    Ok(page(&app, &back?.0.next, false))
}

pub(super) async fn enter(
    State(app): State<Shared>,
    extensions: Extensions,
    headers: HeaderMap,
    form: Result<Form<SignIn>, FormRejection>,
) -> Result<Response, Failed> {
    let Form(SignIn { token, next }) = form?;
    Ok(match app.sign_in(&token, auth::client(&extensions), &headers).await? {
        Some(cookie) => ([(header::SET_COOKIE, cookie)], Redirect::to(local(&next))).into_response(),
        None => (StatusCode::UNAUTHORIZED, page(&app, &next, true)).into_response(),
    })
}

pub(super) async fn leave(State(app): State<Shared>, headers: HeaderMap) -> Result<Response, Failed> {
    let cookie = app.auth.sign_out(&headers).await?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&link("/login", &[]))).into_response())
}

/// Only an address of ours is followed after signing in.
pub(super) fn local(next: &str) -> &str {
    let plain = !next.chars().any(|character| character.is_control() || character == '\\');
    if plain && next.starts_with('/') && !next.starts_with("//") { next } else { "/" }
}

fn page(app: &Shared, next: &str, refused: bool) -> Markup {
    let content = html! {
        section.card.narrow {
            h1 { "Sign in" }
            (buttons(app, "Sign in with", |way| way_in(way, next)))
            p { "Paste an API token. The operator of this server hands them out; they are part of its configuration." }
            @if refused { p.notice role="alert" { "This token is not known here." } }
            (form("", "/login", &html! {
                input type="hidden" name="next" value=(next);
                label for="token" { "Token" }
                input #token type="password" name="token" autocomplete="current-password" required autofocus;
                button.primary { "Sign in" }
            }))
        }
    };
    Page { title: "Sign in", signed_in: false, refreshes: None }.render(&content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_leads_to_our_own_pages_only() {
        assert_eq!(local("/sites/docs?x=1"), "/sites/docs?x=1");
        for elsewhere in ["", "//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example"] {
            assert_eq!(local(elsewhere), "/", "{elsewhere}");
        }
    }
}
