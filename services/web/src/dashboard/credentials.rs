//! What a site's private repository is read by, on the page of its settings and on the one that follows its creation.

use super::failed::Failed;
use super::form::form;
use super::layout::moment;
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::people::{self, Names};
use crate::place::Place;
use crate::problem::Problem;
use crate::view::View;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Path, State};
use axum::response::Redirect;
use axum::routing::post;
use axum::{Extension, Form, Router};
use events::credential::{TOKEN_MAX, USERNAME_MAX};
use maud::{Markup, html};
use projections::credentials::{CredentialRow, Kind};
use projections::sites::SiteRow;
use serde::Deserialize;

/// What is done about them.
pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/sites/{site}/deploy-key", post(make_key))
        .route("/sites/{site}/deploy-key/remove", post(remove_key))
        .route("/sites/{site}/source-token", post(set_token))
        .route("/sites/{site}/source-token/remove", post(remove_token))
}

type Site = Result<Path<String>, PathRejection>;

/// A token as a browser sends it: an empty user is left out.
#[derive(Deserialize)]
struct Fields {
    token: String,
    #[serde(default)]
    username: String,
}

/// A part of the page of a site's settings; nothing for a repository that is kept here.
pub(super) async fn section(view: &View, site: &SiteRow) -> Result<Markup, Problem> {
    if site.settings.repository.own_site().is_some() {
        return Ok(html! {});
    }
    let rows = view.model.credentials(site.id).await?;
    let names = people::actors(view, rows.iter().map(|row| &row.updated_by)).await;
    let of = |kind: Kind| rows.iter().find(|row| row.kind == kind);
    Ok(html! {
        section.card #access {
            h2 { "Private repository" }
            p { "A private repository is read by a key or a token of this site’s own, so that no person’s credentials are needed. Neither can be read here again." }
            (key(site, of(Kind::DeployKey), &names))
            (token(site, of(Kind::SourceToken), &names))
        }
    })
}

fn key(site: &SiteRow, row: Option<&CredentialRow>, names: &Names) -> Markup {
    let action = format!("/sites/{}/deploy-key", site.id);
    html! {
        h3 { "Deploy key, for an address of SSH" }
        @if let Some(row) = row {
            @let public = row.shown.as_deref().unwrap_or_default();
            (public_half(public))
            p { "Made " (moment(row.updated_at)) " by " (names.of(&row.updated_by)) "." }
            div.actions {
                (form("", &action, &html! { button { "Make another key" } }))
                (form("", &format!("{action}/remove"), &html! { button.danger { "Remove the key" } }))
            }
        } @else {
            (form("", &action, &html! {
                p { "A key pair is made here. You add its public half to the repository; the other half only builds can use." }
                button { "Make a deploy key" }
            }))
        }
    }
}

/// What people copy into the settings of the repository.
fn public_half(public: &str) -> Markup {
    html! {
        div.fields {
            label for="public-key" { "Public key" }
            textarea #public-key rows="2" readonly spellcheck="false" aria-describedby="public-key-help" { (public) }
            small #public-key-help {
                "Add it to the repository as a deploy key that may read: at GitHub “Settings → Deploy keys → Add deploy key”, at GitLab “Settings → Repository → Deploy keys”."
            }
        }
        p { "Fingerprint: " code { (commands::fingerprint(public).unwrap_or_default()) } }
    }
}

fn token(site: &SiteRow, row: Option<&CredentialRow>, names: &Names) -> Markup {
    let action = format!("/sites/{}/source-token", site.id);
    let is_https = site.settings.repository.as_str().starts_with("http");
    html! {
        h3 { "Access token, for an address of HTTPS" }
        @if let Some(row) = row {
            p {
                "Set " (moment(row.updated_at)) " by " (names.of(&row.updated_by))
                @if let Some(user) = &row.shown { ", for the user " code { (user) } }
                ". It goes when the repository becomes another."
            }
            (form("", &format!("{action}/remove"), &html! { button.danger { "Remove the token" } }))
        }
        @if is_https {
            (form("fields", &action, &html! {
                label for="source-token" { "Token" }
                input #source-token type="password" name="token" required maxlength=(TOKEN_MAX) autocomplete="off" aria-describedby="source-token-help";
                small #source-token-help { "One that may read this repository and nothing else. It is sent to its host alone." }
                label for="source-username" { "User (if the host wants one)" }
                input #source-username name="username" maxlength=(USERNAME_MAX) autocomplete="off" placeholder="x-access-token";
                button { @if row.is_some() { "Set another token" } @else { "Set the token" } }
            }))
        } @else {
            p { "The address of the repository does not begin with " code { "https://" } ", so there is nowhere to send a token." }
        }
    }
}

async fn make_key(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    site: Site,
) -> Result<Redirect, Failed> {
    let place = site?.0.parse::<Place>()?;
    commands::make_deploy_key(&app, &place, caller).await?;
    Ok(back(&place))
}

async fn remove_key(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    site: Site,
) -> Result<Redirect, Failed> {
    let place = site?.0.parse::<Place>()?;
    commands::remove_deploy_key(&app, &place, caller).await?;
    Ok(back(&place))
}

async fn set_token(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    site: Site,
    form: Result<Form<Fields>, FormRejection>,
) -> Result<Redirect, Failed> {
    let (place, Form(Fields { token, username })) = (site?.0.parse::<Place>()?, form?);
    let username = Some(username.trim()).filter(|user| !user.is_empty()).map(str::parse).transpose()?;
    let new = commands::NewSourceToken { username, token: token.trim().into() };
    commands::set_source_token(&app, &place, new, caller).await?;
    Ok(back(&place))
}

async fn remove_token(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    site: Site,
) -> Result<Redirect, Failed> {
    let place = site?.0.parse::<Place>()?;
    commands::remove_source_token(&app, &place, caller).await?;
    Ok(back(&place))
}

fn back(place: &Place) -> Redirect {
    Redirect::to(&format!("/sites/{place}/settings#access"))
}
