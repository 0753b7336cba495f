//! How a command reaches the API of a platform, as whoever has its token.

use crate::access::Access;
use anyhow::{Context, Result, bail};
use reqwest::{Client, Method, Response};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::io::Write;
use std::time::Duration;

/// How long an answer may take; a command of the API is given up after eight seconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a log is followed.
const FOLLOWED: Duration = Duration::from_secs(24 * 60 * 60);

/// The API of a platform.
pub(crate) struct Api {
    client: Client,
    url: String,
    token: SecretString,
}

impl Api {
    /// The platform that `access` names.
    pub(crate) fn of(access: &Access) -> Result<Self> {
        let (url, token) = access.web()?;
        Self::new(url, token)
    }

    pub(crate) fn new(url: String, token: SecretString) -> Result<Self> {
        // Somebody may have chosen one before: then that is the one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(PATIENCE).build()?;
        Ok(Self { client, url: url.trim_end_matches('/').to_owned(), token })
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        self.ask(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Result<Value> {
        self.ask(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Result<Value> {
        self.ask(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<()> {
        self.ask(Method::DELETE, path, None).await.map(drop)
    }

    /// All of a list, page after page.
    pub(crate) async fn all(&self, path: &str) -> Result<Vec<Value>> {
        let (mut items, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}?limit=1000{after}")).await?;
            items.extend(page["items"].as_array().cloned().unwrap_or_default());
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return Ok(items),
            }
        }
    }

    /// Copies a text to `out` as it comes.
    pub(crate) async fn copy(&self, path: &str, out: &mut impl Write) -> Result<()> {
        let url = format!("{}/api/v1{path}", self.url);
        let request = self.client.get(&url).bearer_auth(self.token.expose_secret()).header("accept", "text/plain");
        // A log goes on for as long as its build.
        let mut response = request.timeout(FOLLOWED).send().await?;
        if !response.status().is_success() {
            return answer(response).await.map(drop);
        }
        while let Some(chunk) = response.chunk().await? {
            out.write_all(&chunk)?;
            out.flush()?;
        }
        Ok(())
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let url = format!("{}/api/v1{path}", self.url);
        let request = self.client.request(method, &url).bearer_auth(self.token.expose_secret());
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let response = request.send().await.with_context(|| format!("`{}` does not answer", self.url))?;
        answer(response).await
    }
}

/// What was answered; a problem is told in its own words, with its code.
async fn answer(response: Response) -> Result<Value> {
    let status = response.status();
    let text = response.text().await?;
    let body: Value = if text.is_empty() { json!(null) } else { serde_json::from_str(&text).unwrap_or(json!(text)) };
    if status.is_success() {
        return Ok(body);
    }
    match (body["detail"].as_str(), body["code"].as_str()) {
        (Some(detail), Some(code)) => bail!("{detail} ({code})"),
        _ => bail!("the platform answered {status}"),
    }
}
