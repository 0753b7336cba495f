//! People of the installation, as admins and support see them.

use super::extract::{Asked, Body, Named};
use super::lock::Reason;
use super::page::{Items, Page};
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::people;
use crate::problem::Problem;
use crate::view::View;
use axum::extract::State;
use axum::{Extension, Json};
use events::UserId;
use events::authority::{PlatformRole, Rank};
use http::StatusCode;
use projections::Sight;
use projections::users::UserRow;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct Shown {
    /// Who.
    #[schema(value_type = String, format = Uuid)]
    id: UserId,
    /// What they are called; null once they are forgotten.
    #[schema(required)]
    name: Option<String>,
    /// Where mail reaches them; null once they are forgotten.
    #[schema(required)]
    email: Option<String>,
    /// `admin`, `support` or null.
    #[schema(value_type = Option<String>, required)]
    role: Option<PlatformRole>,
    /// When they became known.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// When they last began a session.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    signed_in_at: Option<OffsetDateTime>,
    /// When they were forgotten.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    erased_at: Option<OffsetDateTime>,
    /// Why no session and no token of theirs is good now; null if they are.
    #[schema(required)]
    suspended: Option<String>,
}

/// What somebody shall be for the whole installation.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = PlatformRole)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// `admin`, `support`, or null for nothing.
    #[schema(value_type = Option<String>, required)]
    role: Option<PlatformRole>,
}

/// List the people of the installation
#[utoipa::path(get, path = "/users", tag = "users", params(Page), responses(
    (status = 200, description = "Everybody, by id", body = Items<Shown>),
))]
pub(crate) async fn list(view: View, Asked(page): Asked<Page>) -> Result<Json<Items<Shown>>, Problem> {
    if view.sight != Sight::All {
        return Err(Problem::Forbidden(Rank::Oversee));
    }
    let rows = view.model.users(page.reads()?, page.after_as()?).await?;
    let page = page.cut(rows, |row| row.id.to_string(), |row| row)?;
    let shown = async |rows: Vec<UserRow>| {
        let mut known = people::all(&view, &rows.iter().map(|row| row.id).collect()).await?;
        let shown = |row: UserRow| {
            let people::Known { name, email } = known.remove(&row.id).unwrap_or_default();
            let UserRow { id, role, created_at, signed_in_at, erased_at, suspended, .. } = row;
            Shown { id, name, email, role, created_at, signed_in_at, erased_at, suspended }
        };
        Ok::<_, Problem>(rows.into_iter().map(shown).collect())
    };
    page.try_map(shown).await.map(Json)
}

/// Give a person a role for the whole installation, or take it
#[utoipa::path(put, path = "/users/{id}/role", tag = "users", params(("id" = String, Path)), request_body = Wanted, responses(
    (status = 200, description = "It is so", body = Wanted),
))]
pub(crate) async fn set_role(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<UserId>,
    Body(Wanted { role }): Body<Wanted>,
) -> Result<Json<Wanted>, Problem> {
    commands::set_platform_role(&app, id, role, caller).await?;
    Ok(Json(Wanted { role }))
}

/// Suspend a person: no session and no token of theirs is good
#[utoipa::path(put, path = "/users/{id}/suspension", tag = "users", params(("id" = String, Path)), request_body = Reason,
    responses((status = 200, description = "They are suspended, for this reason", body = Reason)),
)]
pub(crate) async fn suspend(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<UserId>,
    Body(Reason { reason }): Body<Reason>,
) -> Result<Json<Reason>, Problem> {
    let reason = commands::suspend_user(&app, id, &reason, caller).await?;
    Ok(Json(Reason { reason }))
}

/// Suspend a person no more
#[utoipa::path(delete, path = "/users/{id}/suspension", tag = "users", params(("id" = String, Path)), responses(
    (status = 204, description = "They are not suspended"),
))]
pub(crate) async fn reinstate(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<UserId>,
) -> Result<StatusCode, Problem> {
    commands::reinstate_user(&app, id, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forget who a person is, for good
///
/// Their key is destroyed, so that no copy of the log tells what they were called.
#[utoipa::path(delete, path = "/users/{id}", tag = "users", params(("id" = String, Path)), responses(
    (status = 204, description = "They are forgotten"),
))]
pub(crate) async fn erase(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<UserId>,
) -> Result<StatusCode, Problem> {
    commands::erase(&app, id, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}
