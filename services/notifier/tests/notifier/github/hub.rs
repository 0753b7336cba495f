//! The needed part of GitHub's API, over HTTP: one repository with one pull request that is open.

use crate::world::COMMIT;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use events::SiteId;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use ring::rsa::KeyPair;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use runtime::clock;
use rustls_pki_types::PrivatePkcs1KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::TcpListener;

/// The token of a person, whom GitHub knows as 7.
pub(super) const TOKEN: &str = "ghp_a-token-of-somebody";
/// The token that the app is given where it is installed.
const INSTALLED: &str = "ghs_a-token-of-an-installation";
/// The key of the app 42: made for these tests, it opens nothing.
pub(super) const KEY: &str = include_str!("app.pem");

/// A server that listens as long as its story goes on.
pub(super) struct Hub {
    address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
}

/// What it has been told, and been asked for.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) asked: usize,
    pub(super) statuses: Vec<Value>,
    /// Those on pull request 7, as they were written last.
    pub(super) comments: Vec<Value>,
    /// The runs of checks, as they were told of last.
    pub(super) checks: Vec<Value>,
    /// Whether the app may write them.
    pub(super) forbids_checks: bool,
    /// The repositories that tokens of the app were made for.
    pub(super) tokens_for: Vec<Value>,
}

impl Hub {
    pub(super) async fn start(site: SiteId) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let comments = vec![
            json!({ "body": "Looks good to me", "user": { "id": 7 } }),
            json!({ "body": format!("<!-- pagefold {site} --> go to evil.test"), "user": { "id": 666 } }),
        ];
        let kept = Arc::new(Mutex::new(Kept { comments, ..Kept::default() }));
        let hub = Self { address: listener.local_addr().unwrap(), kept: Arc::clone(&kept) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                let service = service_fn(move |request| answer(request, Arc::clone(&kept)));
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        hub
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The page of a repository.
    pub(super) fn page(&self, name: &str) -> String {
        format!("{}/{name}", self.url())
    }

    pub(super) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap()
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    Nobody,
    Person,
    App,
    Installation,
}

async fn answer(request: Request<Incoming>, kept: Arc<Mutex<Kept>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let told: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (status, answer) = knows(&head, told, &mut kept.lock().unwrap());
    let mut response = Response::new(Full::from(answer.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    Ok(response)
}

fn knows(head: &Parts, told: Value, kept: &mut Kept) -> (u16, Value) {
    kept.asked += 1;
    let caller = caller(head);
    let path: Vec<&str> = head.uri.path().split('/').skip(1).collect();
    let ["api", "v3", path @ ..] = path.as_slice() else { return (404, json!({})) };
    match (caller, &head.method, path) {
        (Caller::Nobody, ..) => (401, json!({ "message": "Bad credentials" })),
        (Caller::App, &Method::GET, ["repos", "acme", "docs", "installation"]) => (200, json!({ "id": 9 })),
        (Caller::App, &Method::POST, ["app", "installations", "9", "access_tokens"]) => {
            kept.tokens_for.push(told["repositories"].clone());
            (201, json!({ "token": INSTALLED, "expires_at": "2030-01-01T00:00:00Z" }))
        }
        (Caller::Person, &Method::GET, ["user"]) => (200, json!({ "id": 7 })),
        (Caller::Person | Caller::Installation, method, ["repos", "acme", "docs", path @ ..]) => {
            repository(caller, method, path, told, kept)
        }
        _ => (403, json!({ "message": "Resource not accessible" })),
    }
}

fn repository(caller: Caller, method: &Method, path: &[&str], told: Value, kept: &mut Kept) -> (u16, Value) {
    let signed = |told: Value| match caller {
        Caller::Installation => json!({
            "body": told["body"], "user": { "id": 99 }, "performed_via_github_app": { "id": 42 },
        }),
        Caller::Nobody | Caller::Person | Caller::App => json!({ "body": told["body"], "user": { "id": 7 } }),
    };
    match (method, path) {
        (&Method::GET, []) => (200, json!({ "full_name": "acme/docs" })),
        (&Method::POST, ["statuses", COMMIT]) => {
            kept.statuses.push(told);
            (201, json!({}))
        }
        (_, [.., "check-runs"] | ["check-runs", ..]) if caller != Caller::Installation || kept.forbids_checks => {
            (403, json!({ "message": "Resource not accessible by integration" }))
        }
        (&Method::GET, ["commits", COMMIT, "check-runs"]) => (200, json!({ "check_runs": kept.checks })),
        (&Method::POST, ["check-runs"]) => {
            let mut run = told;
            run["id"] = json!(kept.checks.len());
            run["app"] = json!({ "id": 42 });
            kept.checks.push(run);
            (201, json!({}))
        }
        (&Method::PATCH, ["check-runs", id]) => {
            let run = kept.checks[id.parse::<usize>().unwrap()].as_object_mut().unwrap();
            run.extend(told.as_object().unwrap().clone());
            (200, json!({}))
        }
        (&Method::GET, ["commits", COMMIT, "pulls"]) => {
            let pull = |number, state, sha: &str| json!({ "number": number, "state": state, "head": { "sha": sha } });
            (200, json!([pull(7, "open", COMMIT), pull(8, "closed", COMMIT), pull(9, "open", &"2".repeat(40))]))
        }
        (&Method::GET, ["issues", "7", "comments"]) => {
            let with_id = |(id, comment): (usize, &Value)| {
                let mut comment = comment.clone();
                comment["id"] = json!(id);
                comment
            };
            (200, kept.comments.iter().enumerate().map(with_id).collect())
        }
        (&Method::POST, ["issues", "7", "comments"]) => {
            kept.comments.push(signed(told));
            (201, json!({}))
        }
        (&Method::PATCH, ["issues", "comments", id]) => {
            kept.comments[id.parse::<usize>().unwrap()] = signed(told);
            (200, json!({}))
        }
        _ => (404, json!({})),
    }
}

fn caller(head: &Parts) -> Caller {
    let token = head.headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap_or_default();
    match token {
        TOKEN => Caller::Person,
        INSTALLED => Caller::Installation,
        proof if is_proof(proof) => Caller::App,
        _ => Caller::Nobody,
    }
}

/// Whether it is a JSON Web Token of the app, as GitHub checks it.
fn is_proof(token: &str) -> bool {
    let Some((signed, signature)) = token.rsplit_once('.') else { return false };
    let parts: Vec<Value> =
        signed.split('.').map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()).collect();
    let [header, claims] = &parts[..] else { return false };
    let key = KeyPair::from_der(PrivatePkcs1KeyDer::from_pem_slice(KEY.as_bytes()).unwrap().secret_pkcs1_der());
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.unwrap().public().as_ref().to_vec());
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let (now, at) = (clock::now().unix_timestamp(), |name: &str| claims[name].as_i64().unwrap());
    header["alg"] == "RS256"
        && claims["iss"] == "42"
        && at("iat") <= now
        && now < at("exp")
        && at("exp") - now <= 600
        && public.verify(signed.as_bytes(), &signature).is_ok()
}
