//! GitHub's API: where it is, and how it is asked.

use super::Failed;
use crate::http::Http;
use crate::tried::{Tried, Why};
use http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use serde_json::Value;

const VERSION: &str = "2022-11-28";

/// A repository, and the API that knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) api: String,
    pub(crate) owner: String,
    pub(crate) name: String,
}

impl Place {
    /// The repository whose page is at `address`; none if there can be none.
    pub(crate) fn of(address: &str) -> Option<Self> {
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
    pub(crate) fn repository(&self) -> String {
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

/// What the API says at a URL to whoever has the token.
pub(crate) async fn ask(
    http: &Http,
    token: &str,
    (method, url): (Method, &str),
    body: Option<Value>,
) -> Result<Value, Failed> {
    let request = Request::builder()
        .method(method)
        .uri(url)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::ACCEPT, "application/vnd.github+json")
        .header("x-github-api-version", VERSION)
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.map(|body| body.to_string()).unwrap_or_default().into());
    let request = request.map_err(|_| Failed::said("its address or its token is unusable"))?;
    let answer = http.send(request).await.map_err(Failed::Silent)?;
    if answer.status.is_success() {
        return Ok(serde_json::from_slice(&answer.body).unwrap_or_default());
    }
    if answer.status == StatusCode::FORBIDDEN && is_too_fast(&answer.headers) {
        let reason = "GitHub is asked too often".to_owned();
        return Err(Failed::Refused(Tried::Later(Why { status: Some(answer.status.as_u16()), reason })));
    }
    Err(Failed::Refused(Tried::of(Ok(answer))))
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
