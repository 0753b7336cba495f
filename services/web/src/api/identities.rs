//! What a person signs in with: identities that a provider vouches for.

use super::extract::{Asked, Named};
use super::page::{Items, Page};
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::people;
use crate::problem::Problem;
use crate::view::View;
use axum::extract::State;
use axum::{Extension, Json};
use events::IdentityId;
use http::StatusCode;
use projections::identities::IdentityRow;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

/// An identity.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Identity)]
pub(crate) struct Shown {
    /// Its identity here.
    #[schema(value_type = String, format = Uuid)]
    id: IdentityId,
    /// The provider that vouches for it.
    issuer: String,
    /// What it is called there.
    #[schema(required)]
    account: Option<String>,
    /// Since when it signs its person in.
    #[serde(with = "time::serde::rfc3339")]
    since: OffsetDateTime,
}

/// List what one signs in with
#[utoipa::path(get, path = "/identities", tag = "identities", params(Page), responses(
    (status = 200, description = "One's identities at providers, by id", body = Items<Shown>),
))]
pub(crate) async fn list(view: View, Asked(page): Asked<Page>) -> Result<Json<Items<Shown>>, Problem> {
    let (reads, after) = (page.reads()?, page.after_as()?);
    let rows = match view.caller.holder.user {
        Some(user) => view.model.identities(user, reads, after).await?,
        None => Vec::new(),
    };
    let page = page.cut(rows, |row| row.id.to_string(), |row| row)?;
    let shown = async |rows: Vec<IdentityRow>| {
        let mut shown = Vec::new();
        for IdentityRow { id, user_id, issuer, account, since } in rows {
            shown.push(Shown { id, issuer, account: people::sealed(&view, user_id, &account).await?, since });
        }
        Ok::<_, Problem>(shown)
    };
    page.try_map(shown).await.map(Json)
}

/// Sign in with an identity no longer
#[utoipa::path(delete, path = "/identities/{id}", tag = "identities", params(("id" = String, Path)), responses(
    (status = 204, description = "It signs nobody in any more"),
))]
pub(crate) async fn disconnect(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<IdentityId>,
) -> Result<StatusCode, Problem> {
    commands::disconnect(&app, id, &caller).await?;
    Ok(StatusCode::NO_CONTENT)
}
