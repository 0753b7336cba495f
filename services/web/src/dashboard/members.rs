//! Who belongs to an organization and who is invited: a part of its page, and its forms.

use super::failed::Failed;
use super::form::form;
use super::layout::{Page, moment};
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands::{self, Sent};
use crate::people;
use crate::place::Owner;
use crate::problem::Problem;
use crate::view::View;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Path, State};
use axum::response::Redirect;
use axum::{Extension, Form};
use events::OrganizationId;
use events::authority::Role;
use maud::{Markup, html};
use projections::members::MemberRow;
use projections::sites::SiteRow;
use serde::Deserialize;

/// Members and invitations on the page.
const ROWS: u32 = 100;

type Two = Result<Path<(String, String)>, PathRejection>;

#[derive(Deserialize)]
pub(super) struct Invite {
    email: String,
    role: Role,
}

#[derive(Deserialize)]
pub(super) struct Change {
    role: Role,
}

/// The members and the invitations of an organization.
pub(super) async fn section(view: &View, id: OrganizationId) -> Result<Markup, Problem> {
    let members = view.model.members(id, ROWS, None).await?;
    let known = people::all(view, &members.iter().map(|member| member.user_id).collect()).await?;
    let mut invited = Vec::new();
    for row in view.model.invitations(id, ROWS, None).await? {
        let email = people::sealed(view, row.user_id, &row.email).await?;
        invited.push((email.unwrap_or_else(|| people::ERASED.to_owned()), row));
    }
    let name = |member: &MemberRow| known.get(&member.user_id).cloned().unwrap_or_default();
    let manages = view.manages(id);
    Ok(html! {
        section #members {
            h2 { "Members" }
            @if members.is_empty() { p.empty { "Nobody belongs to it yet. Invite somebody below." } }
            @else {
                div.scroll { table {
                    thead { tr { th scope="col" { "Name" } th scope="col" { "Mail" } th scope="col" { "Role" } th scope="col" { "Since" } @if manages { th scope="col" { span.hidden { "Change the role" } } th scope="col" { span.hidden { "Remove" } } } } }
                    tbody { @for member in &members { tr { (about(member, &name(member))) @if manages { (switches(id, member, &name(member))) } } } }
                } }
            }
            @if !invited.is_empty() {
                h3 { "Invited" }
                div.scroll { table {
                    thead { tr { th scope="col" { "Mail" } th scope="col" { "Role" } th scope="col" { "Until" } @if manages { th scope="col" { span.hidden { "Withdraw" } } } } }
                    tbody { @for (email, invitation) in &invited {
                        tr {
                            th scope="row" { (email) }
                            td { (invitation.role) }
                            td { (moment(invitation.expires_at)) }
                            @if manages { td { (form("", &format!("/organizations/{id}/invitations/{}/withdraw", invitation.id), &html! { button.danger aria-label={ "Withdraw the invitation of " (email) } { "Withdraw" } })) } }
                        }
                    } }
                } }
            }
            @if manages { details.card {
                summary { "Invite somebody" }
                (form("fields", &format!("/organizations/{id}/invitations"), &html! {
                    label for="email" { "Mail" }
                    input #email type="email" name="email" required maxlength="254" autocomplete="off";
                    label for="role" { "Role" }
                    select #role name="role" { option value="user" { "user: everything for its sites" } option value="manager" { "manager: its people too" } }
                    button.primary { "Invite" }
                }))
            } }
        }
    })
}

/// Members on the page of a site.
const SHORT: u32 = 20;

/// Who looks after a site: the members of its organization.
pub(super) async fn of_site(view: &View, site: &SiteRow) -> Result<Markup, Problem> {
    let members = view.model.members(site.organization, SHORT + 1, None).await?;
    let known = people::all(view, &members.iter().map(|member| member.user_id).collect()).await?;
    let name = |member: &MemberRow| known.get(&member.user_id).and_then(|known| known.name.clone());
    let place = site.organization_name.as_ref().map_or_else(|| site.organization.to_string(), ToString::to_string);
    Ok(html! {
        section {
            h2 { "Members" }
            @if members.is_empty() { p.empty { "Nobody belongs to its organization yet." } }
            @else { ul { @for member in members.iter().take(SHORT as usize) {
                li { (name(member).as_deref().unwrap_or(people::ERASED)) ", " (member.role) }
            } } }
            p { a href={ "/organizations/" (place) "#members" } {
                @if members.len() > SHORT as usize { "All members, and invitations" } @else if view.manages(site.organization) { "Invite somebody, or change who may do what" } @else { "The whole organization" }
            } }
        }
    })
}

fn about(member: &MemberRow, known: &people::Known) -> Markup {
    html! {
        th scope="row" { (known.name.as_deref().unwrap_or(people::ERASED)) }
        td { (known.email.as_deref().unwrap_or("–")) }
        td { (member.role) }
        td { (moment(member.since)) }
    }
}

/// What a manager may do about a member.
fn switches(organization: OrganizationId, member: &MemberRow, known: &people::Known) -> Markup {
    let action = format!("/organizations/{organization}/members/{}", member.user_id);
    let name = known.name.as_deref().unwrap_or(people::ERASED);
    let (other, verb) = match member.role {
        Role::User => (Role::Manager, "Make a manager"),
        Role::Manager => (Role::User, "Make a user"),
    };
    html! {
        td { (form("", &action, &html! { input type="hidden" name="role" value=(other); button aria-label={ (verb) ": " (name) } { (verb) } })) }
        td { (form("", &format!("{action}/remove"), &html! { button.danger aria-label={ "Remove " (name) } { "Remove" } })) }
    }
}

pub(super) async fn invite(
    view: View,
    owner: Result<Path<String>, PathRejection>,
    form: Result<Form<Invite>, FormRejection>,
) -> Result<Markup, Failed> {
    let (owner, Form(Invite { email, role })) = (owner?.0.parse::<Owner>()?, form?);
    let organization = view.organization(&owner).await?;
    let invited = commands::invite(&view.app, organization.id, &email, role, view.caller.clone()).await?;
    let Sent { url, mailed, expires_at, .. } = invited;
    let content = html! {
        p.crumbs { a href={ "/organizations/" (organization.name) } { (organization.name) } }
        section.card {
            h1 { "Invitation for " (email.trim()) }
            @if mailed { p.notice role="status" { "It was sent to them by mail." } }
            @else if view.app.mailer.is_some() { p.notice role="status" { "The mail server did not take it: send them the link yourself." } }
            p { @if !mailed { "Send them this link. " } "It is good once, until " (moment(expires_at)) ", and is shown this once." }
            p { code { (url) } }
        }
    };
    Ok(Page { title: "Invitation", signed_in: true, refreshes: None }.render(&content))
}

pub(super) async fn withdraw(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    path: Two,
) -> Result<Redirect, Failed> {
    let Path((owner, id)) = path?;
    let organization = app.organization_id(&owner.parse()?).await?;
    commands::withdraw(&app, organization, id.parse()?, caller).await?;
    Ok(Redirect::to(&format!("/organizations/{owner}#members")))
}

pub(super) async fn set(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    path: Two,
    form: Result<Form<Change>, FormRejection>,
) -> Result<Redirect, Failed> {
    let (Path((owner, user)), Form(Change { role })) = (path?, form?);
    let organization = app.organization_id(&owner.parse()?).await?;
    commands::set_member(&app, organization, user.parse()?, role, caller).await?;
    Ok(Redirect::to(&format!("/organizations/{owner}#members")))
}

pub(super) async fn remove(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    path: Two,
) -> Result<Redirect, Failed> {
    let Path((owner, user)) = path?;
    let organization = app.organization_id(&owner.parse()?).await?;
    commands::remove_member(&app, organization, user.parse()?, caller).await?;
    Ok(Redirect::to("/organizations"))
}
