//! A command with an `Idempotency-Key` is done once (draft-ietf-httpapi-idempotency-key-header): what it was asked with is kept for a
//! day beside the log, and so is what it was answered with. Another body under the same key is refused.
//!
//! What makes something that has an id makes it of the key, so the log itself knows whether it is there: of those no answer is
//! kept, which might have a secret in it.

use crate::app::App;
use crate::app::Shared;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::urls::API;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use events::Digest;
use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use runtime::clock;
use runtime::records::Record;
use serde::{Deserialize, Serialize};

/// After this long whoever began is taken to be gone, in seconds.
const UNDER_WAY_S: i64 = 60;
/// Longest answer that is kept, in bytes.
const ANSWER_MAX: usize = 64 << 10;
/// What has an id that is made of the key.
const MADE: [&str; 12] = [
    "/sites",
    "/organizations",
    "/organizations/{organization}/invitations",
    "/tokens",
    "/sign-in-links",
    "/sites/{site}/webhook-secret",
    "/sites/{site}/receivers",
    "/sites/{site}/builds",
    "/sites/{site}/deploys",
    "/builds/{id}/retry",
    "/routes",
    "/sites/{site}/share-links",
];
/// The headers of an answer that are kept with it.
const HEADERS: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];

/// A request that was asked with a key.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    /// The digest of its body; empty after it was refused, when the key is free again.
    body: String,
    begun_s: i64,
    #[serde(default)]
    answer: Option<Answer>,
}

/// What it was answered with.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// Whether somebody has asked for the same before.
enum Turn {
    Ours,
    /// Somebody has, and the log knows what came of it.
    Again,
    Answered(Answer),
}

/// What is asked, and how it is remembered.
struct Asked {
    /// What it is kept under: who asks, their key, and what they ask.
    name: String,
    body: String,
    /// Whether the log knows by itself what was made.
    is_made: bool,
}

pub(crate) async fn once(State(app): State<Shared>, request: Request, next: Next) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let address = head.uri.path_and_query().map_or("/", |whole| whole.as_str());
    let name = head.extensions.get::<Caller>().filter(|_| head.method == Method::POST);
    let Some(name) = name.and_then(|caller| caller.request(address)) else {
        return Ok(next.run(Request::from_parts(head, body)).await);
    };
    let path = head.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let is_made = MADE.contains(&path.strip_prefix(API).unwrap_or(path));
    // It was read before, and is no longer than it may be.
    let body = to_bytes(body, usize::MAX).await.map_err(|error| Problem::MalformedPayload(error.to_string()))?;
    let asked = Asked { name: name.simple().to_string(), body: Digest::of(&body).to_string(), is_made };
    match asked.turn(&app).await? {
        Turn::Answered(answer) => answer.response(),
        Turn::Again => Ok(next.run(Request::from_parts(head, Body::from(body))).await),
        Turn::Ours => {
            let response = next.run(Request::from_parts(head, Body::from(body))).await;
            asked.keep(&app, response).await
        }
    }
}

impl Asked {
    async fn turn(&self, app: &App) -> Result<Turn, Problem> {
        let now_s = clock::now().unix_timestamp();
        let new = written(&Kept { body: self.body.clone(), begun_s: now_s, answer: None })?;
        if app.requests.create(&self.name, new.clone()).await? {
            return Ok(Turn::Ours);
        }
        let record = app.requests.read(&self.name).await?;
        let Some(Record { value, revision }) = record else { return Err(Problem::RequestUnderWay) };
        let kept: Kept = serde_json::from_slice(&value).unwrap_or_default();
        if !kept.body.is_empty() {
            if kept.body != self.body {
                return Err(Problem::KeyReused);
            }
            if let Some(answer) = kept.answer {
                return Ok(Turn::Answered(answer));
            }
            if self.is_made {
                return Ok(Turn::Again);
            }
            if now_s < kept.begun_s + UNDER_WAY_S {
                return Err(Problem::RequestUnderWay);
            }
        }
        // Of those who come at the same time one has it.
        let is_ours = app.requests.replace(&self.name, Record { value: new, revision }).await?;
        match (is_ours, self.is_made) {
            (true, _) => Ok(Turn::Ours),
            (false, true) => Ok(Turn::Again),
            (false, false) => Err(Problem::RequestUnderWay),
        }
    }

    /// Keeps what was answered. What was refused may be asked for again, otherwise too.
    async fn keep(self, app: &App, response: Response) -> Result<Response, Problem> {
        let status = response.status();
        if status.is_success() && self.is_made {
            return Ok(response);
        }
        let (head, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.map_err(|error| Problem::Internal(error.into()))?;
        let kept = if status.is_success() && body.len() <= ANSWER_MAX {
            let answer = Answer::of(status, &head.headers, &body);
            Kept { body: self.body, begun_s: clock::now().unix_timestamp(), answer: Some(answer) }
        } else {
            Kept::default()
        };
        if let Err(error) = app.requests.put(&self.name, written(&kept)?).await {
            // It is done in any case, and whoever asks soon is told that it is under way.
            tracing::warn!(error = &error as &dyn std::error::Error, "an answer could not be kept for its key");
        }
        Ok(Response::from_parts(head, Body::from(body)))
    }
}

impl Answer {
    fn of(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Self {
        let kept =
            HEADERS.iter().filter_map(|name| Some((name.to_string(), headers.get(name)?.to_str().ok()?.to_owned())));
        Self { status: status.as_u16(), headers: kept.collect(), body: String::from_utf8_lossy(body).into_owned() }
    }

    fn response(self) -> Result<Response, Problem> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(name, value);
        }
        response.body(Body::from(self.body)).map_err(|error| Problem::Internal(error.into()))
    }
}

fn written(kept: &Kept) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(kept).map_err(|error| Problem::Internal(error.into()))
}
