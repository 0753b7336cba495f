//! A server that speaks the part of GitHub's OAuth and API that signing in needs.

use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{delete, get, patch, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Codes that were given out, with whom each is for and the challenge that its holder has to meet; tokens in the same way.
#[derive(Default)]
struct Given {
    codes: HashMap<String, (String, String)>,
    tokens: HashMap<String, String>,
    /// What was asked for, with each.
    scopes: HashMap<String, String>,
    /// The webhooks of `octocat/pages`.
    hooks: Vec<Value>,
}

type Shared = Arc<Mutex<Given>>;

pub(super) struct GitHub {
    url: String,
    given: Shared,
}

#[derive(Deserialize)]
struct Exchange {
    client_id: String,
    client_secret: String,
    code: String,
    code_verifier: String,
}

impl GitHub {
    pub(super) async fn start() -> Self {
        let given = Shared::default();
        let router = Router::new()
            .route("/login/oauth/access_token", post(exchange))
            .route("/api/user", get(user))
            .route("/api/user/emails", get(emails))
            .route("/api/user/repos", get(repositories))
            .route("/api/repos/{owner}/{name}", get(repository))
            .route("/api/repos/{owner}/{name}/hooks", get(hooks).post(add_hook))
            .route("/api/repos/{owner}/{name}/hooks/{id}", patch(change_hook))
            .route("/api/applications/pagefold/token", delete(revoke))
            .with_state(Arc::clone(&given));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, given }
    }

    /// GitHub as the server is told of it.
    pub(super) fn known(&self) -> web::SignIn {
        let github = web::GitHub {
            url: self.url.clone(),
            api_url: format!("{}/api", self.url),
            client_id: "pagefold".into(),
            client_secret: "a-client-secret".into(),
        };
        web::SignIn { github: Some(github), ..web::SignIn::default() }
    }

    /// Signs in as `name` and consents, as a person would at the address; answers where the browser is sent back to.
    pub(super) async fn sign_in(&self, start: &str, name: &str) -> String {
        let query = start.strip_prefix(&format!("{}/login/oauth/authorize?", self.url)).expect(start);
        let asked: HashMap<&str, &str> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        assert_eq!((asked["client_id"], asked["code_challenge_method"]), ("pagefold", "S256"));
        let mut given = self.given.lock().unwrap();
        let code = format!("code-{}", given.scopes.len());
        given.scopes.insert(code.clone(), asked["scope"].to_owned());
        given.codes.insert(code.clone(), (name.to_owned(), asked["code_challenge"].to_owned()));
        format!("https://pagefold.test/login/with/github/back?code={code}&state={}", asked["state"])
    }

    /// What was asked for when somebody was sent here for the last time.
    pub(super) fn scopes(&self) -> String {
        let given = self.given.lock().unwrap();
        given.scopes[&format!("code-{}", given.scopes.len() - 1)].clone()
    }

    /// Those who have granted something that is still good.
    pub(super) fn granted(&self) -> Vec<String> {
        self.given.lock().unwrap().tokens.values().cloned().collect()
    }

    /// The webhooks of `octocat/pages`.
    pub(super) fn hooks(&self) -> Vec<Value> {
        self.given.lock().unwrap().hooks.clone()
    }

    /// Takes no token any more, as when somebody has withdrawn what they granted.
    pub(super) fn forget(&self) {
        self.given.lock().unwrap().tokens.clear();
    }
}

async fn exchange(State(given): State<Shared>, Form(asked): Form<Exchange>) -> Json<Value> {
    let mut given = given.lock().unwrap();
    let met = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&asked.code_verifier));
    let is_client = (asked.client_id.as_str(), asked.client_secret.as_str()) == ("pagefold", "a-client-secret");
    match given.codes.remove(&asked.code) {
        Some((name, challenge)) if challenge == met && is_client => {
            let token = asked.code.replace("code", "token");
            given.tokens.insert(token.clone(), name);
            Json(json!({ "access_token": token, "token_type": "bearer", "scope": "read:user,user:email" }))
        }
        // GitHub says so with the status 200.
        _ => Json(json!({ "error": "bad_verification_code" })),
    }
}

fn holder(given: &Shared, headers: &HeaderMap) -> Result<String, StatusCode> {
    let token = headers[header::AUTHORIZATION].to_str().unwrap().strip_prefix("Bearer ").unwrap();
    // GitHub refuses who does not say what they are.
    let is_named = headers.contains_key(header::USER_AGENT);
    given.lock().unwrap().tokens.get(token).filter(|_| is_named).cloned().ok_or(StatusCode::FORBIDDEN)
}

async fn user(State(given): State<Shared>, headers: HeaderMap) -> Result<Json<Value>, StatusCode> {
    let login = holder(&given, &headers)?;
    let id = login.bytes().map(u64::from).sum::<u64>();
    Ok(Json(json!({ "id": id, "login": login, "name": format!("The {login}"), "email": null })))
}

async fn emails(State(given): State<Shared>, headers: HeaderMap) -> Result<Json<Value>, StatusCode> {
    let login = holder(&given, &headers)?;
    Ok(Json(json!([
        { "email": format!("{login}@elsewhere.test"), "primary": false, "verified": true, "visibility": null },
        { "email": format!("{login}@mail.test"), "primary": true, "verified": login != "unproved", "visibility": "private" },
    ])))
}

/// Two hundred and one repositories, of which the last is another's.
async fn repositories(
    State(given): State<Shared>,
    headers: HeaderMap,
    Query(asked): Query<HashMap<String, String>>,
) -> Result<Json<Value>, StatusCode> {
    holder(&given, &headers)?;
    let (size, page): (usize, usize) = (asked["per_page"].parse().unwrap(), asked["page"].parse().unwrap());
    let host = headers[header::HOST].to_str().unwrap();
    let row = |index: usize| {
        let name = if index == 150 { "octocat/pages".to_owned() } else { format!("octocat/other-{index}") };
        shown(host, &name, index != 200)
    };
    Ok(Json((0..201).skip(size * (page - 1)).take(size).map(row).collect()))
}

fn shown(host: &str, name: &str, push: bool) -> Value {
    json!({
        "full_name": name, "clone_url": format!("http://{host}/{name}.git"), "default_branch": "trunk", "private": false,
        "permissions": { "push": push },
    })
}

async fn repository(
    State(given): State<Shared>,
    headers: HeaderMap,
    Path((owner, name)): Path<(String, String)>,
) -> Result<Json<Value>, StatusCode> {
    known(&given, &headers)?;
    Ok(Json(shown(headers[header::HOST].to_str().unwrap(), &format!("{owner}/{name}"), true)))
}

/// Whoever has a token that is good; GitHub says 401 to all others.
fn known(given: &Shared, headers: &HeaderMap) -> Result<String, StatusCode> {
    holder(given, headers).map_err(|_| StatusCode::UNAUTHORIZED)
}

async fn hooks(State(given): State<Shared>, headers: HeaderMap) -> Result<Json<Value>, StatusCode> {
    known(&given, &headers)?;
    Ok(Json(json!(given.lock().unwrap().hooks)))
}

async fn add_hook(
    State(given): State<Shared>,
    headers: HeaderMap,
    Path((_, name)): Path<(String, String)>,
    Json(mut hook): Json<Value>,
) -> Result<StatusCode, StatusCode> {
    known(&given, &headers)?;
    if name != "pages" {
        return Err(StatusCode::FORBIDDEN);
    }
    let hooks = &mut given.lock().unwrap().hooks;
    hook["id"] = json!(hooks.len());
    hooks.push(hook);
    Ok(StatusCode::CREATED)
}

async fn change_hook(
    State(given): State<Shared>,
    headers: HeaderMap,
    Path((_, _, id)): Path<(String, String, usize)>,
    Json(mut hook): Json<Value>,
) -> Result<StatusCode, StatusCode> {
    known(&given, &headers)?;
    hook["id"] = json!(id);
    given.lock().unwrap().hooks[id] = hook;
    Ok(StatusCode::OK)
}

async fn revoke(State(given): State<Shared>, headers: HeaderMap, Json(told): Json<Value>) -> StatusCode {
    let login = BASE64_STANDARD.encode("pagefold:a-client-secret");
    if headers[header::AUTHORIZATION] != format!("Basic {login}") {
        return StatusCode::UNAUTHORIZED;
    }
    match given.lock().unwrap().tokens.remove(told["access_token"].as_str().unwrap()) {
        Some(_) => StatusCode::NO_CONTENT,
        None => StatusCode::NOT_FOUND,
    }
}
