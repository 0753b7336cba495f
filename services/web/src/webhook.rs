//! `POST /webhooks/github`: a signed delivery becomes one durable fact, and only then an answer.

use crate::bodies;
use crate::commands;
use crate::github::{self, DELIVERY_MAX};
use crate::problem::Problem;
use crate::server::Shared;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
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
const SIGNATURE: &str = "x-hub-signature-256";
const EVENT: &str = "x-github-event";
const DELIVERY: &str = "x-github-delivery";

pub(crate) fn routes(app: &Shared) -> Router<Shared> {
    let refuse = || async { Problem::MethodNotAllowed };
    let read = middleware::from_fn_with_state(app.deliveries.bodies(BODY_MAX), bodies::read);
    let github = post(receive).layer(DefaultBodyLimit::disable()).layer(read).layer(middleware::from_fn(look));
    Router::new().route(PATH, github.fallback(refuse))
}

/// Refuses what cannot be a delivery by its head, before anything is read or kept for it.
async fn look(request: Request, next: Next) -> Result<Response, Problem> {
    check(request.headers())?;
    Ok(next.run(request).await)
}

fn check(headers: &HeaderMap) -> Result<(), Problem> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if !header(SIGNATURE).is_some_and(github::is_signature) {
        return Err(Problem::BadSignature);
    }
    header(EVENT).ok_or(Problem::BadHeader("X-GitHub-Event"))?;
    let delivery = header(DELIVERY).filter(|id| !id.is_empty() && id.len() <= DELIVERY_MAX);
    delivery.map(drop).ok_or(Problem::BadHeader("X-GitHub-Delivery"))
}

async fn receive(State(app): State<Shared>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let secret = app.github_webhook_secret.expose_secret().as_bytes();
    if !github::is_signed(secret, &body, header(SIGNATURE)) {
        return Err(Problem::BadSignature);
    }
    let (event, delivery) = (header(EVENT).unwrap_or_default(), header(DELIVERY).unwrap_or_default());
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
