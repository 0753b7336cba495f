//! The secret that webhooks of one site are signed with.

use super::extract::Named;
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::place::Place;
use crate::problem::Problem;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// A secret that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookSecret {
    /// What deliveries are signed with (HMAC-SHA-256, `X-Hub-Signature-256`), shown this once.
    secret: String,
    /// Where they are sent.
    url: String,
}

/// Make another secret for a site's webhooks
///
/// The one before it stays good until the next is made, so that the repository's host can be told in between.
#[utoipa::path(post, path = "/sites/{site}/webhook-secret", tag = "sites",
    params(("site" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Makes one secret, however often it is sent")), responses(
    (status = 201, description = "It was made", body = WebhookSecret),
))]
pub(crate) async fn rotate(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(place): Named<Place>,
) -> Result<Response, Problem> {
    let commands::WebhookSecret { url, secret } = commands::rotate_webhook_secret(&app, &place, caller).await?;
    Ok((StatusCode::CREATED, Json(WebhookSecret { secret, url })).into_response())
}
