//! What a git host tells of a push, and how it signs it.

use crate::{Answer, Ready};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Client;
use serde_json::json;
use sha2::Sha256;
use uuid::Uuid;

/// What git writes where there is no commit.
pub(crate) const NOTHING: &str = "0000000000000000000000000000000000000000";

/// One delivery of a webhook.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Its identity: a redelivery has the same.
    pub id: String,
    /// What happened, in the host's words.
    pub event: String,
    /// The body.
    pub body: String,
    /// The signature; the right one for the body if absent.
    pub signature: Option<String>,
    /// The tip after the push.
    pub commit: String,
}

impl Delivery {
    /// A delivery of `event` with any body.
    #[must_use]
    pub fn of(event: &str, body: String) -> Self {
        let id = Uuid::new_v4().to_string();
        Self { id, event: event.to_owned(), body, signature: None, commit: NOTHING.to_owned() }
    }

    /// A delivery of a push that moved `branch` of the repository at `url` from one commit to another.
    #[must_use]
    pub fn of_push(url: &str, branch: &str, before: &str, after: &str) -> Self {
        let body = json!({
            "ref": format!("refs/heads/{branch}"), "before": before, "after": after,
            "created": before == NOTHING, "deleted": after == NOTHING,
            "head_commit": { "id": after, "message": format!("Work on {branch}") },
            "repository": { "full_name": "stories/site", "clone_url": url },
        });
        Self { commit: after.to_owned(), ..Self::of("push", body.to_string()) }
    }

    /// The headers it is sent with, signed for this platform unless it has a signature of its own.
    #[must_use]
    pub fn headers(&self, ready: &Ready) -> [(&'static str, String); 4] {
        let signature = self.signature.clone().unwrap_or_else(|| sign(&ready.github_webhook_secret, &self.body));
        [
            ("x-github-event", self.event.clone()),
            ("x-github-delivery", self.id.clone()),
            ("x-hub-signature-256", signature),
            ("content-type", "application/json".to_owned()),
        ]
    }

    pub(crate) async fn send(&self, client: &Client, ready: &Ready) -> reqwest::Result<Answer> {
        let request = client.post(format!("{}/webhooks/github", ready.web)).body(self.body.clone());
        let headers = self.headers(ready).into_iter();
        Answer::to(headers.fold(request, |request, (name, value)| request.header(name, value))).await
    }
}

fn sign(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}
