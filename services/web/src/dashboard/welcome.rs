//! How people come in by a link: one that signs them in once, and one that invites them.

use super::failed::Failed;
use super::form::form;
use super::layout::Page;
use super::ways::buttons;
use crate::app::Shared;
use crate::auth;
use crate::caller::Who;
use crate::commands::{self, Guest};
use crate::problem::Problem;
use axum::Form;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use events::{InvitationId, Organization, UserId};
use http::{Extensions, HeaderMap, StatusCode, header};
use maud::{Markup, html};
use serde::Deserialize;

type Link = Result<Path<(String, String)>, PathRejection>;

#[derive(Deserialize)]
pub(super) struct Named {
    #[serde(default)]
    name: String,
}

/// A link that is only looked at, by a program that wants to know whether it leads anywhere, is not used up.
pub(super) async fn look() -> StatusCode {
    StatusCode::OK
}

/// Signs in whoever has the link, once. Whoever guesses links has to wait as if they guessed tokens; a good one cannot be guessed,
/// and always passes.
pub(super) async fn sign_in(
    State(app): State<Shared>,
    extensions: Extensions,
    headers: HeaderMap,
    secret: Result<Path<String>, PathRejection>,
) -> Result<Response, Failed> {
    let client = auth::client(&extensions);
    let Some(who) = commands::follow_link(&app, &secret?.0).await? else {
        if let Some(wait) = app.auth.guesses.wait(client) {
            return Err(Problem::TooManyGuesses(wait).into());
        }
        app.auth.guesses.wrong(client);
        return Err(Problem::LinkOver.into());
    };
    enter(&app, &headers, &who, "/").await
}

/// Begins a session and goes on to a page of ours.
pub(super) async fn enter(app: &Shared, headers: &HeaderMap, who: &Who, next: &str) -> Result<Response, Failed> {
    let cookie = app.auth.begin(who, headers).await?;
    commands::told(app, who).await?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(next)).into_response())
}

/// Shows to what somebody is invited.
pub(super) async fn invited(
    State(app): State<Shared>,
    extensions: Extensions,
    headers: HeaderMap,
    link: Link,
) -> Result<Markup, Failed> {
    let Path((id, secret)) = link?;
    let id: InvitationId = id.parse()?;
    let invited = commands::invitation(&app, id, &secret).await?;
    let organization = app.log.load::<Organization>(&invited.organization.to_string()).await.map_err(Problem::from)?;
    let Organization::Active(organization) = organization.state else { return Err(Problem::NotFound.into()) };
    let known = person(&app, &extensions, &headers).await?;
    let content = html! {
        section.card.narrow {
            h1 { "Join " (organization.name) }
            p { "You are invited to be a " (invited.role) " of the organization " strong { (organization.name) } "." }
            @if known.is_none() { (buttons(&app, "Join with", |way| format!("/invitations/{id}/{secret}/with/{}", way.slug()))) }
            (form("fields", &format!("/invitations/{id}/{secret}"), &html! {
                @if known.is_none() {
                    label for="name" { "What are you called?" }
                    input #name name="name" required maxlength="100" autocomplete="name";
                }
                button.primary { "Join" }
            }))
        }
    };
    Ok(Page { title: "Invitation", signed_in: known.is_some(), refreshes: None }.render(&content))
}

/// Makes whoever was invited a member, and signs them in.
pub(super) async fn join(
    State(app): State<Shared>,
    extensions: Extensions,
    headers: HeaderMap,
    link: Link,
    form: Result<Form<Named>, FormRejection>,
) -> Result<Response, Failed> {
    let (Path((id, secret)), Form(Named { name })) = (link?, form?);
    let guest = person(&app, &extensions, &headers).await?.map_or(Guest::New(name), Guest::Known);
    let user = commands::accept(&app, id.parse()?, &secret, guest).await?;
    enter(&app, &headers, &Who::User(user), "/").await
}

/// The person who is signed in, if it is one.
async fn person(app: &Shared, extensions: &Extensions, headers: &HeaderMap) -> Result<Option<UserId>, Problem> {
    let caller = app.asks(extensions, headers).await?;
    Ok(caller.and_then(|caller| if let Who::User(id) = caller.who { Some(id) } else { None }))
}
