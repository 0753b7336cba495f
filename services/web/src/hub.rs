//! GitHub, as people here let it be used for them: where its API is, and what repositories of it are.

use crate::config;
use crate::problem::Problem;
use ::github::{Api, Client, Failed, Found, Hook, Place, Repository, install, look_up, pushable};
use dialer::{Dialer, Http};
use events::RepositoryUrl;
use events::address::Allowed;
use http::{StatusCode, Uri};
use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;

/// Who asks.
const AGENT: &str = "pagefold";
/// How long GitHub may take over one question of somebody who waits.
const PATIENCE: Duration = Duration::from_secs(20);

/// GitHub, or a server of its kind, which the operator named.
pub(crate) struct Hub {
    http: Http,
    config: config::GitHub,
}

impl Hub {
    /// The operator may have one in their own network; what people here name is asked nowhere else.
    pub(crate) fn new(config: config::GitHub) -> Self {
        let allowed = Allowed { private: true, folders: Vec::new() };
        Self { http: Http::new(Dialer { allowed, own: Vec::new() }, AGENT), config }
    }

    /// Where the API knows a repository; none if it is on another server.
    pub(crate) fn place(&self, repository: &RepositoryUrl) -> Option<Place> {
        let here: Uri = self.config.url.parse().ok()?;
        let there: Uri = repository.as_str().parse().ok()?;
        let is_here = there.authority() == here.authority() && there.scheme() == here.scheme();
        Place::of(repository.as_str())
            .filter(|_| is_here)
            .map(|place| Place { api: self.config.api_url.clone(), ..place })
    }

    /// Where the API knows what is called `acme/docs`.
    pub(crate) fn named(&self, name: &str) -> Option<Place> {
        self.place(&format!("{}/{name}", self.config.url).parse().ok()?)
    }

    pub(crate) async fn pushable(&self, token: &SecretString, search: &str, page: u32) -> Result<Found, Problem> {
        within(pushable(self.api(token), &self.config.api_url, search, page)).await
    }

    pub(crate) async fn look_up(&self, token: &SecretString, place: &Place) -> Result<Repository, Problem> {
        within(look_up(self.api(token), place)).await
    }

    pub(crate) async fn install(&self, token: &SecretString, place: &Place, hook: &Hook) -> Result<(), Problem> {
        within(install(self.api(token), place, hook)).await
    }

    /// Has GitHub take a token no more.
    pub(crate) async fn revoke(&self, token: &SecretString) -> Result<(), Problem> {
        let config::GitHub { api_url, client_id, client_secret, .. } = &self.config;
        let client = Client { api: api_url, id: client_id, secret: client_secret };
        within(client.revoke(&self.http, token.expose_secret())).await
    }

    fn api<'a>(&'a self, token: &'a SecretString) -> Api<'a> {
        Api { http: &self.http, token: token.expose_secret() }
    }
}

async fn within<T>(asking: impl Future<Output = Result<T, Failed>>) -> Result<T, Problem> {
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(answered) => answered.map_err(problem),
        Err(late) => Err(Problem::GithubUnavailable(late.into())),
    }
}

fn problem(failed: Failed) -> Problem {
    match failed {
        Failed::Answered(StatusCode::UNAUTHORIZED) => Problem::GithubNotConnected,
        Failed::Answered(status) if status.is_client_error() => Problem::GithubRefused(status),
        failed @ (Failed::Silent(_) | Failed::Answered(_) | Failed::TooOften(_) | Failed::Said(_)) => {
            Problem::GithubUnavailable(failed.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_is_at_the_operators_server_is_asked_for() {
        let hub = |url: &str, api_url: &str| {
            let (url, api_url) = (url.to_owned(), api_url.to_owned());
            Hub::new(config::GitHub { url, api_url, client_id: String::new(), client_secret: "".into() })
        };
        let known = |hub: &Hub, url: &str| hub.place(&url.parse().unwrap()).map(|place| place.repository());
        let public = hub("https://github.com", "https://api.github.com");
        let expected = Some("https://api.github.com/repos/acme/docs".to_owned());
        assert_eq!(known(&public, "https://github.com/acme/docs.git"), expected);
        for elsewhere in
            ["https://github.com.evil.test/acme/docs", "http://github.com/acme/docs", "https://evil.test/acme/docs"]
        {
            assert_eq!(known(&public, elsewhere), None, "{elsewhere}");
        }
        assert_eq!(public.named("acme/../../user").map(|place| place.repository()), None);
        let own = hub("https://ghe.test:8443", "https://ghe.test:8443/api/v3");
        assert_eq!(own.named("acme/docs").unwrap().repository(), "https://ghe.test:8443/api/v3/repos/acme/docs");
    }
}
