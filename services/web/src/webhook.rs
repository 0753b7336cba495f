//! `POST /webhooks/github`: a signed delivery becomes one durable fact, and only then an answer.

use crate::app::Shared;
use crate::auth::client;
use crate::bodies::{Arrival, Bodies};
use crate::commands;
use crate::github::{self, DELIVERY_MAX, Signed};
use crate::problem::Problem;
use crate::spool::Spool;
use crate::urls::WEBHOOK_PATH;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use events::repository::{Command, Delivery};
use events::{Actor, Cause, Repository, Site, SiteId, ids};
use http::{HeaderMap, StatusCode};
use secrecy::ExposeSecret;
use serde_json::json;
use std::net::IpAddr;

/// Longest delivery in bytes. GitHub sends up to 25 MB, but a push of that size is a mass of commit texts we do not read.
pub(crate) const BODY_MAX: usize = 2 << 20;
/// Sites of one repository whose secrets are tried; whoever has more gives each of them its own address.
const CLAIMANTS_MAX: u32 = 100;
const SOURCE: &str = "github";
const SIGNATURE: &str = "x-hub-signature-256";
const EVENT: &str = "x-github-event";
const DELIVERY: &str = "x-github-delivery";

pub(crate) fn routes() -> Router<Shared> {
    let refuse = || async { Problem::MethodNotAllowed };
    Router::new()
        .route(WEBHOOK_PATH, post(receive).fallback(refuse))
        .route(&format!("{WEBHOOK_PATH}/{{site}}"), post(receive_for).fallback(refuse))
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

/// A delivery that was signed for all sites of its repository, or for one of them.
async fn receive(State(app): State<Shared>, request: Request) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    check(&head.headers)?;
    let mut arrival = Bodies { budget: app.deliveries.clone(), max: BODY_MAX }.receive(&head, body)?;
    let signature = text(&head.headers, SIGNATURE);
    let installation = app.github_webhook_secret.expose_secret();
    let (body, genuine) = signed(&app, &[installation], signature, &mut arrival).await?;
    let site = if genuine { None } else { Some(claimant(&app, signature, &body, client(&head.extensions)).await?) };
    answer(&app, &head.headers, &body, site).await
}

/// A delivery that was signed for one site.
async fn receive_for(
    State(app): State<Shared>,
    Path(site): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    check(&head.headers)?;
    let site: SiteId = site.parse().map_err(|_| Problem::BadSignature)?;
    let mut arrival = Bodies { budget: app.deliveries.clone(), max: BODY_MAX }.receive(&head, body)?;
    let secrets = secrets(&app, site).await?;
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let (body, genuine) = signed(&app, &secrets, text(&head.headers, SIGNATURE), &mut arrival).await?;
    if genuine { answer(&app, &head.headers, &body, Some(site)).await } else { Err(Problem::BadSignature) }
}

async fn answer(app: &Shared, headers: &HeaderMap, body: &[u8], site: Option<SiteId>) -> Result<Response, Problem> {
    let (event, delivery) = (text(headers, EVENT), text(headers, DELIVERY));
    if event == "ping" {
        return Ok(Json(json!({ "pong": true })).into_response());
    }
    let id = match github::translate(event, delivery, body)? {
        Some(delivery) => record(app, Delivery { site, ..delivery }).await?,
        None => None,
    };
    Ok((StatusCode::ACCEPTED, Json(json!({ "event": id }))).into_response())
}

/// The body, and whether it has the signature that one of the secrets makes: that is found out while it arrives.
async fn signed(
    app: &Shared,
    secrets: &[&str],
    signature: &str,
    arrival: &mut Arrival,
) -> Result<(Vec<u8>, bool), Problem> {
    let mut spool = Spool::new(&app.spool);
    let mut made: Vec<Signed> = secrets.iter().map(|secret| Signed::with(secret.as_bytes())).collect();
    while let Some(chunk) = arrival.next().await? {
        made.iter_mut().for_each(|signed| signed.update(&chunk));
        spool.push(&chunk).await.map_err(Problem::SpoolUnavailable)?;
    }
    // All are compared, so that the time taken tells nothing about any.
    let genuine = made.into_iter().fold(false, |genuine, signed| signed.is(signature) | genuine);
    Ok((spool.whole().await.map_err(Problem::SpoolUnavailable)?, genuine))
}

/// The site whose own secret signed a delivery: one that is built from the repository that it claims to be about. Whoever
/// guesses has to wait; what was signed for the installation never gets here.
async fn claimant(app: &Shared, signature: &str, body: &[u8], client: IpAddr) -> Result<SiteId, Problem> {
    if let Some(wait) = app.guessed_signatures.wait(client) {
        return Err(Problem::TooManyGuesses(wait));
    }
    let repository = github::claimed(body).ok_or(Problem::BadSignature)?;
    for site in app.model.sites_from(&repository, CLAIMANTS_MAX).await? {
        for secret in secrets(app, site.id).await? {
            let mut made = Signed::with(secret.as_bytes());
            made.update(body);
            if made.is(signature) {
                return Ok(site.id);
            }
        }
    }
    app.guessed_signatures.wrong(client);
    Err(Problem::BadSignature)
}

/// The secrets of a site's own, as many as are good now.
async fn secrets(app: &Shared, site: SiteId) -> Result<Vec<String>, Problem> {
    Ok(match app.log.load::<Site>(&site.to_string()).await?.state {
        Site::Active(active) => active.webhook_salts.iter().map(|salt| app.key.webhook_secret(*salt)).collect(),
        Site::Unknown | Site::Deleted(_) => Vec::new(),
    })
}

/// The text of a header that [`check`] has seen.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Answers the id of the new fact; none if the delivery was recorded before.
async fn record(app: &Shared, delivery: Delivery) -> Result<Option<events::EventId>, Problem> {
    let name = delivery.aggregate_id();
    let source = delivery.site.map_or_else(|| SOURCE.to_owned(), |site| format!("{SOURCE}/{site}"));
    let id = ids::of_delivery(&source, &delivery.id);
    let cause = Cause { id: Some(id), ..Cause::new(Actor::webhook(SOURCE)) };
    let recorded = commands::execute::<Repository>(app, &name, &Command::Receive(delivery), &cause).await?;
    Ok(recorded.first().map(|recorded| recorded.envelope.id))
}
