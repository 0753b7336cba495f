//! `POST /webhooks/github`: a signed delivery becomes one durable fact, and only then an answer.

use crate::commands;
use crate::github::{self, DELIVERY_MAX};
use crate::problem::Problem;
use crate::server::Shared;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use events::repository::Command;
use events::{Actor, Cause, Repository, RepositoryEvent, ids};
use http::{HeaderMap, StatusCode};
use secrecy::ExposeSecret;
use serde_json::json;

/// Longest delivery in bytes. GitHub sends up to 25 MB, but a push of that size is a mass of commit texts we do not read.
pub(crate) const BODY_MAX: usize = 2 << 20;
const SOURCE: &str = "github";
/// Where deliveries come in.
pub(crate) const PATH: &str = "/webhooks/github";

pub(crate) fn routes() -> Router<Shared> {
    let refuse = || async { Problem::MethodNotAllowed };
    let github = post(receive).fallback(refuse).layer(DefaultBodyLimit::max(BODY_MAX));
    Router::new().route(PATH, github)
}

async fn receive(
    State(app): State<Shared>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(|rejection| unread(&rejection))?;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let secret = app.github_webhook_secret.expose_secret().as_bytes();
    if !github::is_signed(secret, &body, header("x-hub-signature-256")) {
        return Err(Problem::BadSignature);
    }
    let event = header("x-github-event").ok_or(Problem::BadHeader("X-GitHub-Event"))?;
    let delivery = header("x-github-delivery").filter(|id| !id.is_empty() && id.len() <= DELIVERY_MAX);
    let delivery = delivery.ok_or(Problem::BadHeader("X-GitHub-Delivery"))?;
    if event == "ping" {
        return Ok(Json(json!({ "pong": true })).into_response());
    }
    let fact = github::translate(event, delivery, &body)?;
    let id = match fact {
        Some(fact) => record(&app, fact, delivery).await?,
        None => None,
    };
    Ok((StatusCode::ACCEPTED, Json(json!({ "event": id }))).into_response())
}

/// Answers the id of the new fact; none if the delivery was recorded before.
async fn record(app: &Shared, fact: RepositoryEvent, delivery: &str) -> Result<Option<events::EventId>, Problem> {
    let (RepositoryEvent::PushReceived { repository, .. } | RepositoryEvent::BranchDeleted { repository, .. }) = &fact;
    let name = repository.canonical();
    let id = ids::of_delivery(SOURCE, delivery);
    let cause = Cause { id: Some(id), ..Cause::new(Actor(format!("webhook:{SOURCE}"))) };
    let recorded = commands::execute::<Repository>(app, &name, (&Command::Record(fact), &cause)).await?;
    Ok(recorded.first().map(|recorded| recorded.envelope.id))
}

fn unread(rejection: &BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Problem::BodyTooLarge(BODY_MAX)
    } else {
        Problem::MalformedPayload("it ended early".to_owned())
    }
}
