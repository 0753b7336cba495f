//! `POST /webhooks/github`: a signed delivery becomes one durable fact, and only then an answer.

use crate::app::Shared;
use crate::auth::client;
use crate::bodies::{Arrival, Bodies};
use crate::commands;
use crate::github::{self, DELIVERY_MAX, Signed, Told};
use crate::problem::Problem;
use crate::spool::Spool;
use crate::strays;
use crate::urls::WEBHOOK_PATH;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use events::repository::{Command, Delivery};
use events::{Actor, Cause, Refusal, Repository, Site, SiteId, ids, site};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use secrecy::ExposeSecret;
use serde_json::json;
use std::net::IpAddr;
use std::sync::Arc;
use uuid::Uuid;

/// Longest delivery in bytes. GitHub sends up to 25 MB, but a push of that size is a mass of commit texts we do not read.
pub(crate) const BODY_MAX: usize = 2 << 20;
/// Sites of one repository whose secrets are tried; whoever has more gives each of them its own address.
const CLAIMANTS_MAX: u32 = 100;
const SOURCE: &str = "github";
const SIGNATURE: &str = "x-hub-signature-256";
const EVENT: &str = "x-github-event";
const DELIVERY: &str = "x-github-delivery";

pub(crate) fn routes(app: &Shared) -> Router<Shared> {
    let refuse = || async { Problem::MethodNotAllowed };
    Router::new()
        .route(WEBHOOK_PATH, post(receive).fallback(refuse))
        .route(&format!("{WEBHOOK_PATH}/{{site}}"), post(receive_for).fallback(refuse))
        .route_layer(middleware::from_fn_with_state(Arc::clone(app), tell_guesses))
}

/// Tells whoever delivers how many wrong signatures are taken.
async fn tell_guesses(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let client = client(request.extensions());
    let mut response = next.run(request).await;
    app.guessed_signatures.tell("webhook", client, response.headers_mut());
    response
}

/// A delivery while it is looked at.
struct Arriving<'a> {
    app: &'a Shared,
    headers: HeaderMap,
    client: IpAddr,
    told: Told,
}

impl<'a> Arriving<'a> {
    fn of(app: &'a Shared, head: &Parts, site: Option<SiteId>) -> Self {
        let bounded = |name| text(&head.headers, name).chars().take(DELIVERY_MAX).collect();
        let told = Told { delivery: bounded(DELIVERY), event: bounded(EVENT), repository: None, site };
        Self { app, headers: head.headers.clone(), client: client(&head.extensions), told }
    }

    /// The answer; what is refused is noted for whom it was meant.
    async fn answered(self, answer: Result<Response, Problem>) -> Result<Response, Problem> {
        if let Err(problem) = &answer {
            strays::refused(self.app, self.client, &self.told, problem).await;
        }
        answer
    }

    fn signature(&self) -> &str {
        text(&self.headers, SIGNATURE)
    }
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
    let mut arriving = Arriving::of(&app, &head, None);
    let answer = take(&mut arriving, &head, body).await;
    arriving.answered(answer).await
}

async fn take(arriving: &mut Arriving<'_>, head: &Parts, body: Body) -> Result<Response, Problem> {
    check(&head.headers)?;
    let app = arriving.app;
    let mut arrival = Bodies { budget: app.deliveries.clone(), max: BODY_MAX }.receive(head, body)?;
    let installation = app.github_webhook_secret.expose_secret();
    let (body, genuine) = signed(app, &[installation], arriving.signature(), &mut arrival).await?;
    arriving.told.repository = github::claimed(&body);
    let signer = if genuine { Signer::Installation } else { claimant(arriving, &body).await? };
    answer(arriving, &body, signer).await
}

/// A delivery that was signed for one site.
async fn receive_for(
    State(app): State<Shared>,
    Path(site): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let site: Option<SiteId> = site.parse().ok();
    let mut arriving = Arriving::of(&app, &head, site);
    let answer = take_for(&mut arriving, &head, body).await;
    arriving.answered(answer).await
}

async fn take_for(arriving: &mut Arriving<'_>, head: &Parts, body: Body) -> Result<Response, Problem> {
    check(&head.headers)?;
    let (app, site) = (arriving.app, arriving.told.site.ok_or(Problem::BadSignature)?);
    let mut arrival = Bodies { budget: app.deliveries.clone(), max: BODY_MAX }.receive(head, body)?;
    let salts = salts(app, site).await?;
    let made: Vec<String> = salts.iter().map(|salt| app.key.webhook_secret(*salt)).collect();
    let secrets: Vec<&str> = made.iter().map(String::as_str).collect();
    let (body, genuine) = signed(app, &secrets, arriving.signature(), &mut arrival).await?;
    arriving.told.repository = github::claimed(&body);
    if !genuine {
        return Err(guessed(arriving));
    }
    let by = |salt: &&Uuid| is_signed(&app.key.webhook_secret(**salt), &body, arriving.signature());
    let salt = salts.iter().find(by).copied().ok_or(Problem::BadSignature)?;
    answer(arriving, &body, Signer::Site { site, salt }).await
}

/// Whose secret signed a delivery.
#[derive(Clone, Copy)]
enum Signer {
    Installation,
    /// The site, and what that secret of it is made of.
    Site {
        site: SiteId,
        salt: Uuid,
    },
}

impl Signer {
    const fn site(self) -> Option<SiteId> {
        match self {
            Self::Installation => None,
            Self::Site { site, .. } => Some(site),
        }
    }

    const fn salt(self) -> Option<Uuid> {
        match self {
            Self::Installation => None,
            Self::Site { salt, .. } => Some(salt),
        }
    }
}

async fn answer(arriving: &mut Arriving<'_>, body: &[u8], signer: Signer) -> Result<Response, Problem> {
    let app = arriving.app;
    arriving.told.site = signer.site();
    let (event, delivery) = (text(&arriving.headers, EVENT), text(&arriving.headers, DELIVERY));
    if event == github::PING {
        hear_ping(app, &arriving.told, signer).await?;
        return Ok(Json(json!({ "pong": true })).into_response());
    }
    let id = match github::translate(event, delivery, body)? {
        Some(delivery) => record(app, Delivery { site: signer.site(), ..delivery }).await?,
        None => None,
    };
    Ok((StatusCode::ACCEPTED, Json(json!({ "event": id }))).into_response())
}

/// Says of each site that the webhook is for that it works.
async fn hear_ping(app: &Shared, told: &Told, signer: Signer) -> Result<(), Problem> {
    let sites = match (signer.site(), &told.repository) {
        (Some(site), _) => vec![site],
        (None, Some(repository)) => {
            let sites = commands::soon(app.model.sites_from(repository, CLAIMANTS_MAX)).await.unwrap_or_default();
            sites.into_iter().map(|site| site.id).collect()
        }
        (None, None) => Vec::new(),
    };
    if sites.is_empty() {
        strays::pinged_for_nobody(app, told).await;
    }
    let (command, cause) = (site::Command::HearPing { salt: signer.salt() }, Cause::new(Actor::webhook(SOURCE)));
    for site in sites {
        match commands::execute::<Site>(app, &site.to_string(), &command, &cause).await {
            // It was deleted meanwhile.
            Ok(_) | Err(Problem::Refused(Refusal::SiteNotFound)) => {}
            Err(problem) => return Err(problem),
        }
    }
    Ok(())
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
async fn claimant(arriving: &Arriving<'_>, body: &[u8]) -> Result<Signer, Problem> {
    let app = arriving.app;
    if let Some(wait) = app.guessed_signatures.wait(arriving.client) {
        return Err(Problem::TooManyGuesses(wait));
    }
    let Some(repository) = arriving.told.repository.as_ref() else { return Err(guessed(arriving)) };
    for site in app.model.sites_from(repository, CLAIMANTS_MAX).await? {
        for salt in salts(app, site.id).await? {
            if is_signed(&app.key.webhook_secret(salt), body, arriving.signature()) {
                return Ok(Signer::Site { site: site.id, salt });
            }
        }
    }
    Err(guessed(arriving))
}

/// A delivery that nobody signed whom it may come from. Whoever guesses has to wait; what is genuine never gets here.
fn guessed(arriving: &Arriving<'_>) -> Problem {
    let guesses = &arriving.app.guessed_signatures;
    if let Some(wait) = guesses.wait(arriving.client) {
        return Problem::TooManyGuesses(wait);
    }
    guesses.wrong(arriving.client);
    Problem::BadSignature
}

fn is_signed(secret: &str, body: &[u8], signature: &str) -> bool {
    let mut made = Signed::with(secret.as_bytes());
    made.update(body);
    made.is(signature)
}

/// What the secrets of a site's own are made of, as many as are good now.
async fn salts(app: &Shared, site: SiteId) -> Result<Vec<Uuid>, Problem> {
    Ok(match app.log.load::<Site>(&site.to_string()).await?.state {
        Site::Active(active) | Site::Deleted(active) => active.webhook_salts,
        Site::Unknown | Site::Erased(_) => Vec::new(),
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
    let command = Command::Receive(delivery.clone());
    let recorded = commands::execute::<Repository>(app, &name, &command, &cause).await?;
    let Some(first) = recorded.first() else { return Ok(None) };
    strays::look(app, delivery, first.sequence);
    Ok(Some(first.envelope.id))
}
