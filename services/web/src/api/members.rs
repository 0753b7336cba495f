//! The members of an organization, and who is invited to it.

use super::extract::{Asked, Body, Named};
use super::page::{Items, Page};
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::people;
use crate::place::Owner;
use crate::problem::Problem;
use crate::view::View;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use events::authority::Role;
use events::{InvitationId, UserId};
use http::StatusCode;
use projections::members::MemberRow;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A member.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Member)]
pub(crate) struct Shown {
    /// Who.
    #[schema(value_type = String, format = Uuid)]
    user: UserId,
    /// What they are called; null once they are forgotten.
    #[schema(required)]
    name: Option<String>,
    /// Where mail reaches them; null once they are forgotten.
    #[schema(required)]
    email: Option<String>,
    /// `manager` or `user`.
    #[schema(value_type = String)]
    role: Role,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    since: OffsetDateTime,
}

/// What a member shall be.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberRole {
    /// `manager` or `user`.
    #[schema(value_type = String)]
    role: Role,
}

/// List the members of an organization
#[utoipa::path(get, path = "/organizations/{organization}/members", tag = "members",
    params(("organization" = String, Path), Page), responses(
    (status = 200, description = "Its members, by id", body = Items<Shown>),
))]
pub(crate) async fn list(
    view: View,
    Named(owner): Named<Owner>,
    Asked(page): Asked<Page>,
) -> Result<Json<Items<Shown>>, Problem> {
    let organization = view.organization(&owner).await?;
    let members = view.model.members(organization.id, page.reads()?, page.after_as()?).await?;
    let page = page.cut(members, |member| member.user_id.to_string(), |member| member)?;
    page.try_map(async |members| named(&view, members).await).await.map(Json)
}

async fn named(view: &View, members: Vec<MemberRow>) -> Result<Vec<Shown>, Problem> {
    let mut known = people::all(view, &members.iter().map(|member| member.user_id).collect()).await?;
    let shown = |MemberRow { user_id: user, role, since, .. }| {
        let people::Known { name, email } = known.remove(&user).unwrap_or_default();
        Shown { user, name, email, role, since }
    };
    Ok(members.into_iter().map(shown).collect())
}

/// Make somebody a member, or give a member another role
#[utoipa::path(put, path = "/organizations/{organization}/members/{user}", tag = "members",
    params(("organization" = String, Path), ("user" = String, Path)), request_body = MemberRole, responses(
    (status = 200, description = "It is so", body = MemberRole),
))]
pub(crate) async fn set(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path((owner, user)): Path<(String, String)>,
    Body(MemberRole { role }): Body<MemberRole>,
) -> Result<Json<MemberRole>, Problem> {
    let organization = app.organization_id(&owner.parse().map_err(|_| Problem::NotFound)?).await?;
    let user = user.parse().map_err(|_| Problem::NotFound)?;
    commands::set_member(&app, organization, user, role, caller).await?;
    Ok(Json(MemberRole { role }))
}

/// Let somebody belong to an organization no more
#[utoipa::path(delete, path = "/organizations/{organization}/members/{user}", tag = "members",
    params(("organization" = String, Path), ("user" = String, Path)), responses(
    (status = 204, description = "They do not belong to it"),
))]
pub(crate) async fn remove(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path((owner, user)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let organization = app.organization_id(&owner.parse().map_err(|_| Problem::NotFound)?).await?;
    let user = user.parse().map_err(|_| Problem::NotFound)?;
    commands::remove_member(&app, organization, user, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whom to invite.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewInvitation {
    /// Where mail reaches them.
    email: String,
    /// `manager` or `user`.
    #[schema(value_type = String)]
    role: Role,
}

/// An invitation that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Sent {
    /// Its identity.
    #[schema(value_type = String, format = Uuid)]
    id: InvitationId,
    /// For the invited to open, shown this once.
    url: String,
    /// Whether the mail server has taken it for them; whoever invites sends the link otherwise.
    mailed: bool,
    /// When it ends by itself.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

/// An invitation that waits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Invitation {
    /// Its identity.
    #[schema(value_type = String, format = Uuid)]
    id: InvitationId,
    /// Whom it is for.
    #[schema(required)]
    email: Option<String>,
    /// `manager` or `user`.
    #[schema(value_type = String)]
    role: Role,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// Who made it.
    created_by: String,
    /// When it ends by itself.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

/// Invite somebody to an organization
#[utoipa::path(post, path = "/organizations/{organization}/invitations", tag = "members",
    params(("organization" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Invites once, however often it is sent; a repeat is told that it was made")),
    request_body = NewInvitation, responses((status = 201, description = "It was made", body = Sent)),
)]
pub(crate) async fn invite(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(owner): Named<Owner>,
    Body(NewInvitation { email, role }): Body<NewInvitation>,
) -> Result<Response, Problem> {
    let organization = app.organization_id(&owner).await?;
    let made = commands::invite(&app, organization, &email, role, caller).await?;
    let commands::Sent { id, url, mailed, expires_at } = made;
    Ok((StatusCode::CREATED, Json(Sent { id, url, mailed, expires_at })).into_response())
}

/// List the invitations to an organization that wait
#[utoipa::path(get, path = "/organizations/{organization}/invitations", tag = "members",
    params(("organization" = String, Path), Page), responses(
    (status = 200, description = "Invitations that nobody accepted or withdrew, by id", body = Items<Invitation>),
))]
pub(crate) async fn invitations(
    view: View,
    Named(owner): Named<Owner>,
    Asked(page): Asked<Page>,
) -> Result<Json<Items<Invitation>>, Problem> {
    let organization = view.organization(&owner).await?;
    let rows = view.model.invitations(organization.id, page.reads()?, page.after_as()?).await?;
    let page = page.cut(rows, |row| row.id.to_string(), |row| row)?;
    let shown = async |rows: Vec<projections::invitations::InvitationRow>| {
        let mut shown = Vec::new();
        for row in rows {
            shown.push(Invitation {
                id: row.id,
                email: people::sealed(&view, row.user_id, &row.email).await?,
                role: row.role,
                created_at: row.created_at,
                created_by: row.created_by.0,
                expires_at: row.expires_at,
            });
        }
        Ok::<_, Problem>(shown)
    };
    page.try_map(shown).await.map(Json)
}

/// Take an invitation back
#[utoipa::path(delete, path = "/organizations/{organization}/invitations/{id}", tag = "members",
    params(("organization" = String, Path), ("id" = String, Path)), responses(
    (status = 204, description = "It is worth nothing any more"),
))]
pub(crate) async fn withdraw(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path((owner, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let organization = app.organization_id(&owner.parse().map_err(|_| Problem::NotFound)?).await?;
    let id = id.parse().map_err(|_| Problem::NotFound)?;
    commands::withdraw(&app, organization, id, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}
