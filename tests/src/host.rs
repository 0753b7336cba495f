//! A host below the sites' domain, as its readers see it.

use crate::{Answer, Ready, eventually};
use reqwest::{Client, RequestBuilder};

/// One host.
#[derive(Debug, Clone)]
pub struct Host {
    client: Client,
    base: String,
    name: String,
}

impl Host {
    pub(crate) fn new(client: Client, ready: &Ready, label: &str) -> Self {
        Self { client, base: ready.edge.clone(), name: format!("{label}.{}", ready.sites_domain) }
    }

    /// The same host, asked of another edge.
    #[must_use]
    pub fn at(&self, edge: &str) -> Self {
        Self { base: edge.to_owned(), ..self.clone() }
    }

    /// Its address for a browser, which finds every name below `localhost` on this machine.
    #[must_use]
    pub fn address(&self) -> String {
        let port = self.base.trim_end_matches('/').rsplit(':').next().unwrap_or_default();
        format!("http://{}:{port}/", self.name)
    }

    /// A request that has the right `Host` whatever the resolver thinks of it.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.base.trim_end_matches('/'));
        self.client.request(method.parse().unwrap(), url).header("host", &self.name)
    }

    /// What is answered now.
    ///
    /// # Panics
    /// If nothing is.
    pub async fn get(&self, path: &str) -> Answer {
        let answer = Answer::to(self.request("GET", path)).await;
        answer.unwrap_or_else(|error| panic!("{} does not answer: {error}", self.name))
    }

    /// Waits until the page at `path` has `text` in it.
    pub async fn serves(&self, path: &str, text: &str) -> Answer {
        let what = format!("`{text}` at http://{}{path}", self.name);
        let is_there = |answer: &Answer| answer.status == 200 && answer.text().contains(text);
        eventually(&what, || async { Answer::to(self.request("GET", path)).await.ok().filter(is_there) }).await
    }

    /// Waits until there is no site behind this host.
    pub async fn is_gone(&self) -> Answer {
        let is_gone = |answer: &Answer| answer.status == 404 && answer.text().contains("site_not_found");
        let what = format!("the end of http://{}/", self.name);
        eventually(&what, || async { Answer::to(self.request("GET", "/")).await.ok().filter(is_gone) }).await
    }
}
