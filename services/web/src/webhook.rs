//! `POST /webhooks/github`: a signed delivery becomes one durable fact, and only then an answer.

use crate::app::Shared;
use crate::bodies::{Arrival, Bodies};
use crate::commands;
use crate::github::{self, DELIVERY_MAX, Signed};
use crate::problem::Problem;
use crate::spool::Spool;
use crate::urls::WEBHOOK_PATH;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use events::repository::{Command, Delivery};
use events::{Actor, Cause, Repository, ids};
use http::{HeaderMap, StatusCode};
use secrecy::ExposeSecret;
use serde_json::json;

/// Longest delivery in bytes. GitHub sends up to 25 MB, but a push of that size is a mass of commit texts we do not read.
pub(crate) const BODY_MAX: usize = 2 << 20;
const SOURCE: &str = "github";
const SIGNATURE: &str = "x-hub-signature-256";
const EVENT: &str = "x-github-event";
const DELIVERY: &str = "x-github-delivery";

pub(crate) fn routes() -> Router<Shared> {
    let refuse = || async { Problem::MethodNotAllowed };
    Router::new().route(WEBHOOK_PATH, post(receive).fallback(refuse))
}

/// What cannot be a delivery by its head is refused before anything is read or kept for it.
fn check(headers: &HeaderMap) -> Result<(), Problem> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if !header(SIGNATURE).is_some_and(github::is_signature) {
        return Err(Problem::BadSignature);
    }
    header(EVENT).ok_or(Problem::BadHeader("X-GitHub-Event"))?;
    let delivery = header(DELIVERY).filter(|id| !id.is_empty() && id.len() <= DELIVERY_MAX);
    delivery.map(drop).ok_or(Problem::BadHeader("X-GitHub-Delivery"))
}

async fn receive(State(app): State<Shared>, request: Request) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    check(&head.headers)?;
    let mut arrival = Bodies { budget: app.deliveries.clone(), max: BODY_MAX }.receive(&head, body)?;
    let body = genuine(&app, text(&head.headers, SIGNATURE), &mut arrival).await?;
    let (event, delivery) = (text(&head.headers, EVENT), text(&head.headers, DELIVERY));
    if event == "ping" {
        return Ok(Json(json!({ "pong": true })).into_response());
    }
    let id = match github::translate(event, delivery, &body)? {
        Some(delivery) => record(&app, delivery).await?,
        None => None,
    };
    // Until here the body has its share of the room.
    drop(arrival);
    Ok((StatusCode::ACCEPTED, Json(json!({ "event": id }))).into_response())
}

/// The body, if it has the signature: it is checked while it arrives, and what is not genuine is never read back.
async fn genuine(app: &Shared, signature: &str, arrival: &mut Arrival) -> Result<Vec<u8>, Problem> {
    let mut spool = Spool::new(&app.spool);
    let mut signed = Signed::with(app.github_webhook_secret.expose_secret().as_bytes());
    while let Some(chunk) = arrival.next().await? {
        signed.update(&chunk);
        spool.push(&chunk).await.map_err(Problem::SpoolUnavailable)?;
    }
    if !signed.is(signature) {
        return Err(Problem::BadSignature);
    }
    spool.whole().await.map_err(Problem::SpoolUnavailable)
}

/// The text of a header that [`check`] has seen.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Answers the id of the new fact; none if the delivery was recorded before.
async fn record(app: &Shared, delivery: Delivery) -> Result<Option<events::EventId>, Problem> {
    let name = delivery.repository.canonical();
    let id = ids::of_delivery(SOURCE, &delivery.id);
    let cause = Cause { id: Some(id), ..Cause::new(Actor(format!("webhook:{SOURCE}"))) };
    let recorded = commands::execute::<Repository>(app, &name, &Command::Receive(delivery), &cause).await?;
    Ok(recorded.first().map(|recorded| recorded.envelope.id))
}
