//! GitHub's API: where it is, and how it is asked.

use dialer::{Http, Silence};
use http::request::Builder;
use http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use serde_json::Value;

const VERSION: &str = "2022-11-28";

/// A repository, and the API that knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where the API is.
    pub api: String,
    /// Whose it is.
    pub owner: String,
    /// What it is called.
    pub name: String,
}

impl Place {
    /// The repository whose page is at `address`; none if there can be none.
    #[must_use]
    pub fn of(address: &str) -> Option<Self> {
        let uri: Uri = address.parse().ok()?;
        let mut parts = uri.path().trim_matches('/').trim_end_matches(".git").split('/');
        let (owner, name) = (parts.next()?, parts.next()?);
        let is_plain = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        if parts.next().is_some() || !is_plain(owner) || !is_plain(name) || [owner, name].contains(&"..") {
            return None;
        }
        Some(Self { api: api(&uri)?, owner: owner.to_owned(), name: name.to_owned() })
    }

    /// Where the API knows the repository.
    #[must_use]
    pub fn repository(&self) -> String {
        format!("{}/repos/{}/{}", self.api, self.owner, self.name)
    }
}

/// Where the API of a server is: at a host of its own for github.com, below the same host elsewhere.
pub(crate) fn api(server: &Uri) -> Option<String> {
    let (scheme, authority) = (server.scheme_str()?, server.authority()?);
    Some(match authority.host() {
        "github.com" | "www.github.com" => "https://api.github.com".to_owned(),
        _ => format!("{scheme}://{authority}/api/v3"),
    })
}

/// Somebody with a token, or a proof, who asks.
#[derive(Clone, Copy)]
pub struct Api<'a> {
    /// How.
    pub http: &'a Http,
    /// By what.
    pub token: &'a str,
}

/// Why GitHub did not do what it was asked for, or did not say what.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// There was no answer.
    #[error(transparent)]
    Silent(#[from] Silence),
    /// It says no, for what is behind this status.
    #[error("GitHub answered {0}")]
    Answered(StatusCode),
    /// It wants to be asked later.
    #[error("GitHub is asked too often")]
    TooOften(StatusCode),
    /// There was nothing to ask, or nothing in the answer.
    #[error("{0}")]
    Said(String),
}

impl Failed {
    /// For this reason.
    #[must_use]
    pub fn said(reason: &str) -> Self {
        Self::Said(reason.to_owned())
    }

    /// What it was answered with, if it was.
    #[must_use]
    pub const fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Answered(status) | Self::TooOften(status) => Some(*status),
            Self::Silent(_) | Self::Said(_) => None,
        }
    }
}

impl Api<'_> {
    /// What there is at a URL.
    ///
    /// # Errors
    /// [`Failed`] says why there is nothing.
    pub async fn get(&self, url: &str) -> Result<Value, Failed> {
        self.ask(Method::GET, url, None).await
    }

    /// What comes of telling that to a URL.
    ///
    /// # Errors
    /// [`Failed`] says why nothing does.
    pub async fn tell(&self, method: Method, url: &str, body: Value) -> Result<Value, Failed> {
        self.ask(method, url, Some(body)).await
    }

    async fn ask(&self, method: Method, url: &str, body: Option<Value>) -> Result<Value, Failed> {
        let asking = Request::builder().method(method).uri(url);
        send(self.http, asking.header(header::AUTHORIZATION, format!("Bearer {}", self.token)), body).await
    }
}

/// What is answered to a request that says who asks.
pub(crate) async fn send(http: &Http, request: Builder, body: Option<Value>) -> Result<Value, Failed> {
    let request = request
        .header(header::ACCEPT, "application/vnd.github+json")
        .header("x-github-api-version", VERSION)
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.map(|body| body.to_string()).unwrap_or_default().into());
    let request = request.map_err(|_| Failed::said("its address or its token is unusable"))?;
    let answer = http.send(request).await?;
    let status = answer.status;
    if status.is_success() {
        return Ok(serde_json::from_slice(&answer.body).unwrap_or_default());
    }
    let is_too_often = matches!(status, StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS);
    let failed = if is_too_often && is_too_fast(&answer.headers) { Failed::TooOften } else { Failed::Answered };
    Err(failed(status))
}

/// GitHub says so with 403 as well as with 429.
fn is_too_fast(headers: &HeaderMap) -> bool {
    headers.contains_key(header::RETRY_AFTER) || headers.get("x-ratelimit-remaining").is_some_and(|left| left == "0")
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_repository_is_known_by_the_address_of_its_page() {
        let hub = "https://api.github.com/repos/acme/docs";
        for (address, expected) in [
            ("https://github.com/acme/docs", Some(hub)),
            ("https://github.com/acme/docs.git", Some(hub)),
            ("https://github.com/acme/docs/", Some(hub)),
            ("http://github.com/acme/docs", Some(hub)),
            ("https://ghe.test:8443/acme/docs", Some("https://ghe.test:8443/api/v3/repos/acme/docs")),
            ("https://github.com/acme", None),
            ("https://github.com/acme/docs/pulls", None),
            ("https://github.com/acme/..", None),
            ("https://github.com/../docs", None),
            ("https://github.com/a%2Fb/docs", None),
        ] {
            assert_eq!(Place::of(address).map(|place| place.repository()).as_deref(), expected, "{address}");
        }
    }
}
