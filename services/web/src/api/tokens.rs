//! API tokens: made, listed, revoked.

use super::extract::{Asked, Body, Named};
use super::page::{Items, Page};
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::place::{Owner, Place};
use crate::problem::Problem;
use crate::urls::API;
use crate::view::View;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use events::authority::Scope;
use events::{OrganizationId, SiteId, TokenId, TokenName};
use http::{StatusCode, header};
use projections::tokens::{Bound, TokenRow};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A token. It cannot be read again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub(crate) struct Shown {
    /// Its identity.
    #[schema(value_type = String, format = Uuid)]
    id: TokenId,
    /// What its maker calls it.
    #[schema(value_type = String)]
    name: TokenName,
    /// What it may be used for: `read`, `deploy`, `manage`; the greatest includes the others.
    scopes: Vec<String>,
    /// The only organization it is good for.
    #[schema(value_type = Option<String>, format = Uuid, required)]
    organization_id: Option<OrganizationId>,
    /// The only site it is good for.
    #[schema(value_type = Option<String>, format = Uuid, required)]
    site_id: Option<SiteId>,
    /// When it ends by itself.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    expires_at: Option<OffsetDateTime>,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// Who made it.
    created_by: String,
    /// When it was last used, to about five minutes; null if it never was.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    last_used_at: Option<OffsetDateTime>,
}

impl Shown {
    fn of(row: TokenRow, last_used_at: Option<OffsetDateTime>) -> Self {
        Self {
            id: row.id,
            name: row.name,
            scopes: row.scopes.split(' ').map(str::to_owned).collect(),
            organization_id: row.organization,
            site_id: row.site,
            expires_at: row.expires_at,
            created_at: row.created_at,
            created_by: row.created_by.0,
            last_used_at,
        }
    }
}

/// What a token shall be good for.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewToken)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// 1 to 60 letters, digits, `-` and `_`.
    #[schema(value_type = String)]
    name: TokenName,
    /// One or more of `read`, `deploy` and `manage`.
    #[schema(value_type = Vec<String>)]
    scopes: BTreeSet<Scope>,
    /// The only organization, by its name or its id.
    #[schema(value_type = Option<String>)]
    organization: Option<Owner>,
    /// The only site, by its name or its id.
    #[schema(value_type = Option<String>)]
    site: Option<Place>,
    /// When it ends by itself; never if absent.
    #[serde(default, with = "time::serde::rfc3339::option")]
    expires_at: Option<OffsetDateTime>,
}

/// A token that was made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MadeToken)]
pub(crate) struct Made {
    /// Its identity.
    #[schema(value_type = String, format = Uuid)]
    id: TokenId,
    /// The token itself, shown this once.
    token: String,
}

/// Make a token
///
/// It has a part of its maker's authority, at the moment of its use.
#[utoipa::path(post, path = "/tokens", tag = "tokens", params(("Idempotency-Key" = Option<String>, Header, description = "Makes one token, however often it is sent; a repeat is told that it was made")), request_body = Wanted, responses(
    (status = 201, description = "It was made", body = Made, headers(("Location" = String))),
))]
pub(crate) async fn create(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Body(wanted): Body<Wanted>,
) -> Result<Response, Problem> {
    let organization = match &wanted.organization {
        Some(owner) => Some(app.organization_id(owner).await?),
        None => None,
    };
    let site = match &wanted.site {
        Some(place) => Some(app.site_id(place).await?),
        None => None,
    };
    let Wanted { name, scopes, expires_at, .. } = wanted;
    let new = commands::NewToken { name, scopes, organization, site, expires_at };
    let commands::Made { id, token } = commands::create_token(&app, new, caller).await?;
    let location = [(header::LOCATION, format!("{API}/tokens/{id}"))];
    Ok((StatusCode::CREATED, location, Json(Made { id, token })).into_response())
}

/// List one's tokens; an admin's list has everybody's
#[utoipa::path(get, path = "/tokens", tag = "tokens", params(Page), responses(
    (status = 200, description = "Tokens that were not revoked, by id", body = Items<Shown>),
))]
pub(crate) async fn list(view: View, Asked(page): Asked<Page>) -> Result<Json<Items<Shown>>, Problem> {
    let tokens = view.model.tokens(&bound(&view.caller), page.reads()?, page.after_as()?).await?;
    let page = page.cut(tokens, |token| token.id.to_string(), |token| token)?;
    let shown = async |tokens: Vec<TokenRow>| {
        let used = view.uses.last(tokens.iter().map(|token| token.id)).await?;
        let shown = |token: TokenRow| {
            let last = used.get(&token.id).copied();
            Shown::of(token, last)
        };
        Ok::<_, Problem>(tokens.into_iter().map(shown).collect())
    };
    page.try_map(shown).await.map(Json)
}

/// Which tokens somebody may know of.
pub(crate) fn bound(caller: &Caller) -> Bound {
    let holder = &caller.holder;
    let everybody = holder.platform.is_some();
    Bound {
        maker: holder.user.filter(|_| !everybody),
        organization: holder.bounds.organization,
        site: holder.bounds.site,
    }
}

/// Revoke a token, and all that were made with it
#[utoipa::path(delete, path = "/tokens/{id}", tag = "tokens", params(("id" = String, Path)), responses(
    (status = 204, description = "It is worth nothing any more"),
))]
pub(crate) async fn revoke(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<TokenId>,
) -> Result<StatusCode, Problem> {
    commands::revoke_token(&app, id, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}
