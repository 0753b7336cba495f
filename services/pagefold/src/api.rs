//! How a command reaches the API of a platform, as whoever has its token.

use crate::exit::Why;
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::request::Builder;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::io::Write;
use std::time::Duration;
use uuid::Uuid;

/// How long an answer may take; a command of the API is given up after eight seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// The API of a platform.
pub(crate) struct Api {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: String,
    token: SecretString,
}

impl Api {
    /// The API at `url`, whose certificate is vouched for by whom the system trusts, or Mozilla where it trusts nobody.
    pub(crate) fn new(url: &str, token: SecretString) -> Self {
        let tls = HttpsConnectorBuilder::new();
        let connector = tls.with_native_roots().unwrap_or_else(|_| HttpsConnectorBuilder::new().with_webpki_roots());
        let client = Client::builder(TokioExecutor::new()).build(connector.https_or_http().enable_http1().build());
        Self { client, url: url.trim_end_matches('/').to_owned(), token }
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        self.ask(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Result<Value> {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// Changes what `body` names.
    pub(crate) async fn patch(&self, path: &str, body: Value) -> Result<Value> {
        self.ask(Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Result<Value> {
        self.ask(Method::PUT, path, Some(body)).await
    }

    /// Sends bytes as they are, for as long as that takes.
    pub(crate) async fn put_bytes(&self, path: &str, bytes: Bytes) -> Result<()> {
        let request = self.request(Method::PUT, path).header(header::CONTENT_TYPE, "application/octet-stream");
        let sent = self.client.request(request.body(bytes.into())?).await;
        answer(sent.with_context(|| self.silent())?).await.map(drop)
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<()> {
        self.ask(Method::DELETE, path, None).await.map(drop)
    }

    /// The same with something to be said about it.
    pub(crate) async fn delete_with(&self, path: &str, body: Value) -> Result<()> {
        self.ask(Method::DELETE, path, Some(body)).await.map(drop)
    }

    /// Sends a table in CSV.
    pub(crate) async fn post_csv(&self, path: &str, table: String) -> Result<Value> {
        let request = self.request(Method::POST, path).header(header::CONTENT_TYPE, "text/csv");
        let answered = async {
            let sent = self.client.request(request.body(table.into())?).await;
            answer(sent.with_context(|| self.silent())?).await
        };
        tokio::time::timeout(PATIENCE, answered).await.map_err(|_| self.silent())?
    }

    /// A link that signs in a person, or whoever has the token, once.
    pub(crate) async fn sign_in_link(&self, user: Option<Uuid>) -> Result<String> {
        let body = user.map_or_else(|| json!({}), |user| json!({ "user": user }));
        let made = self.post("/sign-in-links", body).await?;
        Ok(made["url"].as_str().unwrap_or_default().to_owned())
    }

    /// All of a list, page after page.
    pub(crate) async fn all(&self, path: &str) -> Result<Vec<Value>> {
        let (mut items, mut after) = (Vec::new(), String::new());
        let mark = if path.contains('?') { '&' } else { '?' };
        loop {
            let page = self.get(&format!("{path}{mark}limit=1000{after}")).await?;
            items.extend(page["items"].as_array().cloned().unwrap_or_default());
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return Ok(items),
            }
        }
    }

    /// Copies a text to `out` as it comes, for as long as it does.
    pub(crate) async fn copy(&self, path: &str, out: &mut impl Write) -> Result<()> {
        let response = self.send(Method::GET, path, None).await?;
        if !response.status().is_success() {
            return answer(response).await.map(drop);
        }
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            if let Ok(chunk) = frame?.into_data() {
                out.write_all(&chunk)?;
                out.flush()?;
            }
        }
        Ok(())
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let answered = async { answer(self.send(method, path, body).await?).await };
        tokio::time::timeout(PATIENCE, answered).await.map_err(|_| self.silent())?
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Result<Response<Incoming>> {
        let request = self.request(method, path).header(header::ACCEPT, "application/json, text/plain");
        let request = match body {
            Some(body) => request.header(header::CONTENT_TYPE, "application/json").body(body.to_string().into()),
            None => request.body(Full::default()),
        };
        self.client.request(request?).await.with_context(|| self.silent())
    }

    fn request(&self, method: Method, path: &str) -> Builder {
        let uri = format!("{}/api/v1{path}", self.url);
        let token = format!("Bearer {}", self.token.expose_secret());
        Request::builder().method(method).uri(uri).header(header::AUTHORIZATION, token)
    }

    fn silent(&self) -> Why {
        Why::Unavailable(format!("`{}` does not answer", self.url))
    }
}

/// What was answered; a problem is told in its own words, with its code.
async fn answer(response: Response<Incoming>) -> Result<Value> {
    let status = response.status();
    let text = response.into_body().collect().await?.to_bytes();
    let body: Value = serde_json::from_slice(&text).unwrap_or_else(|_| json!(String::from_utf8_lossy(&text)));
    if status.is_success() {
        return Ok(body);
    }
    let why = match (body["detail"].as_str(), body["code"].as_str()) {
        (Some(detail), Some(code)) => format!("{detail} ({code})"),
        _ => format!("the platform answered {status}"),
    };
    if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
        return Err(Why::Unavailable(why).into());
    }
    bail!(why)
}

/// Text in an address, where few characters stand for themselves.
pub(crate) fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'/');
    let encode = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(encode).collect()
}

/// `path` with what is asked of it, but for what is empty.
pub(crate) fn query(path: &str, asked: &[(&str, &str)]) -> String {
    let asked = asked.iter().filter(|(_, value)| !value.is_empty());
    let pairs: Vec<String> = asked.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}
