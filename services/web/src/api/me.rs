//! Who asks, and how somebody comes in.

use super::extract::Body;
use crate::app::Shared;
use crate::caller::{Caller, Who};
use crate::commands;
use crate::people;
use crate::problem::Problem;
use crate::view::View;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use events::authority::{PlatformRole, Role, Scope};
use events::{OrganizationId, OrganizationName, UserId};
use http::StatusCode;
use projections::Sight;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Me {
    /// Their identity: a person's or a token's UUID, or the name of a token of the configuration.
    id: String,
    /// What they are called; null once they are forgotten.
    #[schema(required)]
    name: Option<String>,
    /// Where mail reaches them; null for a token.
    #[schema(required)]
    email: Option<String>,
    /// What they are for the whole installation: `admin`, `support` or nothing.
    #[schema(value_type = Vec<String>)]
    roles: Vec<PlatformRole>,
    /// What they may do at most with what they came with: `read`, `deploy` or `manage`.
    #[schema(value_type = String)]
    scope: Scope,
    /// What they belong to, or what their token is good for.
    organizations: Vec<Membership>,
}

/// What somebody is in an organization.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Membership {
    /// The organization.
    #[schema(value_type = String, format = Uuid)]
    id: OrganizationId,
    /// What it is called.
    #[schema(value_type = String)]
    name: OrganizationName,
    /// `manager` or `user`.
    #[schema(value_type = String)]
    role: Role,
}

/// Who asks
#[utoipa::path(get, path = "/me", tag = "me", responses((status = 200, description = "Who asks", body = Me)))]
pub(crate) async fn show(view: View) -> Result<Json<Me>, Problem> {
    let Caller { who, holder, .. } = &view.caller;
    let (id, name, email) = match who {
        Who::Operator(name) => (name.clone(), Some(name.clone()), None),
        Who::Token(id) => (id.to_string(), view.grant(*id).await?.map(|grant| grant.name.to_string()), None),
        Who::User(id) => {
            let known = people::named(&view, *id).await?;
            (id.to_string(), known.name, known.email)
        }
    };
    let is_bounded = holder.bounds.organization.is_some() || holder.bounds.site.is_some();
    let roles = holder.platform.filter(|_| !is_bounded).into_iter().collect();
    Ok(Json(Me { id, name, email, roles, scope: holder.bounds.scope, organizations: organizations(&view).await? }))
}

async fn organizations(view: &View) -> Result<Vec<Membership>, Problem> {
    let Caller { holder, .. } = &view.caller;
    let mut organizations = Vec::new();
    if let Some(user) = holder.user {
        for member in view.model.memberships(user).await? {
            let seen = view.sight.sees_organization(member.organization);
            organizations.extend(member.organization_name.filter(|_| seen).map(|name| Membership {
                id: member.organization,
                name,
                role: member.role,
            }));
        }
    } else if let (Some(id), Sight::Organizations { .. }) = (holder.bounds.organization, &view.sight) {
        let role = if holder.bounds.scope == Scope::Manage { Role::Manager } else { Role::User };
        let known = view.model.organization(id).await?;
        organizations.extend(known.map(|known| Membership { id, name: known.name, role }));
    }
    Ok(organizations)
}

/// For whom a link is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct For {
    /// A person, by their id; whoever asks if absent.
    #[schema(value_type = Option<String>, format = Uuid)]
    user: Option<UserId>,
}

/// A link that signs somebody in once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignInLink {
    /// To be opened in a browser, once.
    url: String,
    /// When it ends by itself.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

/// Make a link that signs somebody in once
///
/// For oneself, or for a person as an admin.
#[utoipa::path(post, path = "/sign-in-links", tag = "me", request_body = For, responses(
    (status = 201, description = "It was made, and is shown this once", body = SignInLink),
))]
pub(crate) async fn link(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Body(For { user }): Body<For>,
) -> Result<Response, Problem> {
    let commands::SignInLink { url, expires_at } = commands::create_link(&app, user, caller).await?;
    Ok((StatusCode::CREATED, Json(SignInLink { url, expires_at })).into_response())
}
