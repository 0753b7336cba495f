//! The platform's HTTP API, as a program uses it.

use crate::{Answer, Messages, Ready};
use reqwest::{Client, Method, RequestBuilder};
use crate::fact::FIRST;
use serde::{Deserialize, Deserializer};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The API of one platform.
#[derive(Debug, Clone)]
pub struct Api {
    client: Client,
    base: String,
    token: String,
}

/// A build.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Build {
    /// Its identity.
    pub id: String,
    /// Its number in the story.
    #[serde(deserialize_with = "in_story")]
    pub number: u64,
    /// The branch it builds.
    pub branch: String,
    /// The commit it builds.
    pub commit: Option<String>,
    /// How far it is, or how it ended.
    pub state: String,
    /// The newest attempt.
    pub attempt: u32,
    /// Why it ended as it did.
    pub reason: Option<String>,
    /// The newer build that took its place.
    pub superseded_by: Option<String>,
}

/// A deploy.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Deploy {
    /// Its identity.
    pub id: String,
    /// The number of the build that made it, in the story.
    #[serde(deserialize_with = "in_story")]
    pub number: u64,
    /// Digest of its file list.
    pub content: String,
    /// Files in it.
    pub files: u64,
    /// Files whose content was new.
    pub uploaded_files: u64,
    /// Bytes sent for them.
    pub uploaded_bytes: u64,
}

/// An alias.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Alias {
    /// Its name.
    pub alias: String,
    /// What it shows.
    pub deploy: String,
    /// The number of the build that made that, in the story.
    #[serde(deserialize_with = "in_story")]
    pub number: u64,
    /// `built` or `chosen`.
    pub reason: String,
}

fn in_story<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(u64::deserialize(deserializer)?.saturating_sub(FIRST))
}

impl Api {
    pub(crate) fn new(client: Client, ready: &Ready) -> Self {
        Self { client, base: ready.web.clone(), token: ready.token.clone() }
    }

    /// A request with the token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}/api/v1{path}", self.base)).bearer_auth(&self.token)
    }

    /// Whatever is answered, if anything is.
    ///
    /// # Errors
    /// If nothing is answered.
    pub async fn try_get(&self, path: &str) -> reqwest::Result<Answer> {
        Answer::to(self.request(Method::GET, path)).await
    }

    /// What there is at `path`.
    ///
    /// # Panics
    /// If there is nothing.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        self.try_get(path).await.unwrap().expect(200).json()
    }

    /// Asks for something.
    ///
    /// # Panics
    /// If nothing is answered.
    pub async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        Answer::to(self.request(method, path).json(body)).await.unwrap()
    }

    /// A build.
    pub async fn build(&self, id: &str) -> Build {
        self.get(&format!("/builds/{id}")).await
    }

    /// Asks for the end of a build.
    pub async fn cancel(&self, id: &str) -> Answer {
        self.send(Method::POST, &format!("/builds/{id}/cancel"), &json!({})).await
    }

    /// The log of a build so far.
    pub async fn log(&self, id: &str) -> String {
        self.try_get(&format!("/builds/{id}/log")).await.unwrap().expect(200).text()
    }

    /// The log of a build as it is written, from after the event `last` on.
    pub async fn follow_log(&self, id: &str, last: Option<&str>) -> Messages {
        self.follow(&format!("/builds/{id}/log?follow=1"), last).await.unwrap()
    }

    /// A stream of events, if it can be had.
    ///
    /// # Errors
    /// If it cannot.
    pub async fn follow(&self, path: &str, last: Option<&str>) -> reqwest::Result<Messages> {
        let request = self.request(Method::GET, path).header("accept", "text/event-stream");
        let request = match last {
            Some(last) => request.header("last-event-id", last),
            None => request,
        };
        Ok(Messages::of(request.send().await?.error_for_status()?))
    }
}
