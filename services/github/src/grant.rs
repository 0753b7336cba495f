//! What people have granted to an OAuth app of GitHub, as the app itself speaks about it.

use crate::api::{Failed, send};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dialer::Http;
use http::{Request, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

/// An OAuth app, which proves itself by its secret.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    /// Where the API is.
    pub api: &'a str,
    /// What GitHub calls it.
    pub id: &'a str,
    /// By which it proves itself.
    pub secret: &'a SecretString,
}

impl Client<'_> {
    /// Has a token be good for nothing any more.
    ///
    /// # Errors
    /// [`Failed`] if GitHub does not say so.
    pub async fn revoke(&self, http: &Http, token: &str) -> Result<(), Failed> {
        let login = STANDARD.encode(format!("{}:{}", self.id, self.secret.expose_secret()));
        let request = Request::delete(format!("{}/applications/{}/token", self.api, self.id));
        let request = request.header(header::AUTHORIZATION, format!("Basic {login}"));
        send(http, request, Some(json!({ "access_token": token }))).await.map(drop)
    }
}
