//! `/git/<site>.git`: git's own protocol over HTTP, for the repositories that are kept here. Whoever clones and pushes gives their
//! token as the password, under any name; a launcher gives its own, which reads and no more.

use crate::app::Shared;
use crate::auth::client;
use crate::bodies::{Arrival, Bodies};
use crate::caller::Caller;
use crate::commands::{self, Permitted};
use crate::place::Place;
use crate::problem::Problem;
use crate::repositories::{self, Fault, Repository};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use events::SiteId;
use http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};
use secrecy::ExposeSecret;
use serde::Deserialize;
use std::process::Stdio;
use std::time::Duration;
use subtle::ConstantTimeEq;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::io::ReaderStream;
use tower_http::decompression::RequestDecompressionLayer;

/// Longest push in bytes.
const PUSH_MAX: usize = 256 << 20;
/// How long a clone or a push may take.
const VISIT_DEADLINE: Duration = Duration::from_secs(600);
/// Longest question of somebody who fetches.
const QUESTION_MAX: usize = 2 << 20;
/// What git says about a push.
const ANSWER_MAX: u64 = 1 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Service {
    #[serde(rename = "git-upload-pack")]
    Fetch,
    #[serde(rename = "git-receive-pack")]
    Push,
}

#[derive(Deserialize)]
struct Asked {
    service: Service,
}

impl Service {
    const fn name(self) -> &'static str {
        match self {
            Self::Fetch => "git-upload-pack",
            Self::Push => "git-receive-pack",
        }
    }

    /// Git's own command for it.
    const fn command(self) -> &'static str {
        match self {
            Self::Fetch => "upload-pack",
            Self::Push => "receive-pack",
        }
    }
}

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/git/{repository}/info/refs", get(advertise))
        .route("/git/{repository}/git-upload-pack", post(fetch))
        .route("/git/{repository}/git-receive-pack", post(push))
        .layer(RequestDecompressionLayer::new())
}

/// Whoever may.
enum Visitor {
    Person(Caller),
    Launcher,
}

/// Git asks for a password only when it is told so.
fn ask_for_password() -> Response {
    let mut response = Problem::Unauthorized.into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"Pagefold\""));
    response
}

async fn visitor(app: &Shared, headers: &HeaderMap, extensions: &Extensions) -> Result<Option<Visitor>, Problem> {
    let Some(password) = password(headers) else { return Ok(None) };
    if let Some(own) = &app.repositories_token
        && bool::from(own.expose_secret().as_bytes().ct_eq(password.as_bytes()))
    {
        return Ok(Some(Visitor::Launcher));
    }
    let Some(who) = app.holder(&password, client(extensions)).await? else { return Ok(None) };
    Ok(app.caller(who).await?.map(Visitor::Person))
}

/// What stands after the name in a basic login.
fn password(headers: &HeaderMap) -> Option<String> {
    let (scheme, login) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let login = String::from_utf8(STANDARD.decode(login.trim()).ok()?).ok()?;
    let (_, password) = login.split_once(':')?;
    (scheme.eq_ignore_ascii_case("basic") && !password.is_empty()).then(|| password.to_owned())
}

/// The site, if whoever asks may do that with its repository; an answer that says why not.
async fn admitted(
    app: &Shared,
    repository: &str,
    service: Service,
    visitor: Option<Visitor>,
) -> Result<(SiteId, Option<Caller>), Response> {
    let problem = |problem: Problem| problem.into_response();
    let Some(visitor) = visitor else { return Err(ask_for_password()) };
    let name = repository.strip_suffix(".git").unwrap_or(repository);
    let place: Place = name.parse().map_err(|_| problem(Problem::NotFound))?;
    let site = app.site_id(&place).await.map_err(problem)?;
    match (visitor, service) {
        (Visitor::Launcher, Service::Fetch) => Ok((site, None)),
        (Visitor::Launcher, Service::Push) => Err(ask_for_password()),
        (Visitor::Person(caller), service) => {
            let wanted = if service == Service::Push { Permitted::Push } else { Permitted::Read };
            commands::may_use_repository(app, site, &caller, wanted).await.map_err(problem)?;
            Ok((site, Some(caller)))
        }
    }
}

async fn advertise(
    State(app): State<Shared>,
    Path(repository): Path<String>,
    Query(Asked { service }): Query<Asked>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let visitor = visitor(&app, &headers, &extensions).await.map_err(IntoResponse::into_response)?;
    let (site, _) = admitted(&app, &repository, service, visitor).await?;
    let told = advertised(&app, site, service, &headers).await;
    told.map_err(IntoResponse::into_response)
}

async fn advertised(app: &Shared, site: SiteId, service: Service, headers: &HeaderMap) -> Result<Response, Problem> {
    let repository = app.own.visit(site).await?.ok_or(Problem::RepositoryElsewhere)?;
    let command = speaking(&repository, &[service.command(), "--stateless-rpc", "--advertise-refs", "."], headers);
    let told = repositories::run(command, &[]).await.map_err(Fault::into_problem)?;
    let first = format!("# service={}\n", service.name());
    let body = [format!("{:04x}{first}0000", first.len() + 4).as_bytes(), &told].concat();
    Ok(answer(service, "advertisement", Body::from(body)))
}

async fn fetch(State(app): State<Shared>, Path(name): Path<String>, request: Request) -> Result<Response, Response> {
    let (head, body) = request.into_parts();
    let visitor = visitor(&app, &head.headers, &head.extensions).await.map_err(IntoResponse::into_response)?;
    let (site, _) = admitted(&app, &name, Service::Fetch, visitor).await?;
    let bodies = Bodies { budget: app.bodies.clone(), max: QUESTION_MAX };
    let arrival = bodies.receive(&head, body).map_err(IntoResponse::into_response)?;
    fetched(&app, site, &head.headers, arrival).await.map_err(IntoResponse::into_response)
}

async fn fetched(app: &Shared, site: SiteId, headers: &HeaderMap, mut arrival: Arrival) -> Result<Response, Problem> {
    let mut question = Vec::new();
    while let Some(chunk) = arrival.next().await? {
        question.extend_from_slice(&chunk);
    }
    let repository = app.own.visit(site).await?.ok_or(Problem::RepositoryElsewhere)?;
    let mut command = speaking(&repository, &["upload-pack", "--stateless-rpc", "."], headers);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| Fault::Io(error).into_problem())?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let stdout = stdout.ok_or_else(|| Problem::Internal("git has no output".into()))?;
    // It ends when it has answered, when whoever asked has gone and nobody reads, or when its time is over.
    tokio::spawn(async move {
        let _in_hand = repository;
        let talk = async {
            if let Some(mut stdin) = stdin {
                let _ = stdin.write_all(&question).await;
            }
            child.wait().await
        };
        let _ = tokio::time::timeout(VISIT_DEADLINE, talk).await;
    });
    Ok(answer(Service::Fetch, "result", Body::from_stream(ReaderStream::new(stdout))))
}

async fn push(State(app): State<Shared>, Path(name): Path<String>, request: Request) -> Result<Response, Response> {
    let (head, body) = request.into_parts();
    let visitor = visitor(&app, &head.headers, &head.extensions).await.map_err(IntoResponse::into_response)?;
    let (site, caller) = admitted(&app, &name, Service::Push, visitor).await?;
    // No form of another site can send this.
    let kind = head.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let (Some(caller), Some("application/x-git-receive-pack-request")) = (caller, kind) else {
        return Err(Problem::UnsupportedMediaType("application/json").into_response());
    };
    let said = tokio::time::timeout(VISIT_DEADLINE, pushed(&app, site, &head.headers, body)).await;
    let said = said.unwrap_or(Err(Problem::BodyTooSlow)).map_err(IntoResponse::into_response)?;
    commands::tell(&app, site, &caller.actor).await.map_err(IntoResponse::into_response)?;
    Ok(answer(Service::Push, "result", Body::from(said)))
}

/// Gives git what arrives, as it comes; answers what it says.
async fn pushed(app: &Shared, site: SiteId, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Problem> {
    let repository = app.own.visit(site).await?.ok_or(Problem::RepositoryElsewhere)?;
    repository.has_room().await.map_err(Fault::into_problem)?.then_some(()).ok_or(Problem::RepositoryFull)?;
    let mut command = speaking(&repository, &["receive-pack", "--stateless-rpc", "."], headers);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| Fault::Io(error).into_problem())?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let give = async {
        let (mut chunks, mut length) = (body.into_data_stream(), 0);
        let Some(mut stdin) = stdin else { return Ok(()) };
        while let Some(chunk) = futures::StreamExt::next(&mut chunks).await {
            let chunk = chunk.map_err(|_| Problem::MalformedPayload("it ended early".to_owned()))?;
            length += chunk.len();
            if length > PUSH_MAX {
                return Err(Problem::BodyTooLarge(PUSH_MAX));
            }
            if stdin.write_all(&chunk).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    };
    let hear = async {
        let mut said = Vec::new();
        if let Some(stdout) = stdout {
            let read = stdout.take(ANSWER_MAX).read_to_end(&mut said).await;
            read.map_err(|error| Fault::Io(error).into_problem())?;
        }
        Ok(said)
    };
    let ((), said) = tokio::try_join!(give, hear)?;
    child.wait().await.map_err(|error| Fault::Io(error).into_problem())?;
    Ok(said)
}

/// A command that speaks the version of the protocol that was asked for.
fn speaking(repository: &Repository, arguments: &[&str], headers: &HeaderMap) -> tokio::process::Command {
    let mut command = repository.command(arguments);
    let version = headers.get("git-protocol").and_then(|version| version.to_str().ok());
    let is_plain =
        |text: &&str| text.len() < 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'=');
    if let Some(version) = version.filter(is_plain) {
        command.env("GIT_PROTOCOL", version);
    }
    command
}

fn answer(service: Service, kind: &str, body: Body) -> Response {
    let content_type = format!("application/x-{}-{kind}", service.name());
    (StatusCode::OK, [(header::CONTENT_TYPE, content_type)], body).into_response()
}
