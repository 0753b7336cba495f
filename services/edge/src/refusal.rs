//! The built-in pages: what a reader sees when there is no file to show. Each has a stable code.

use crate::body::{self, Body};
use crate::caching::REVALIDATE;
use crate::respond::{CAREFUL, NOINDEX, X_ROBOTS_TAG};
use crate::routes::Kind;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Method, Response, StatusCode};

/// When a reader may try again what failed for now.
const RETRY_AFTER_SECONDS: u64 = 5;

/// Why there is no file to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    SiteNotFound,
    PageNotFound,
    /// A route says that there will be nothing any more.
    PageGone,
    PathMalformed,
    PathTooLong,
    /// A header is missing, there twice, or contradicts the request's target.
    HeaderMalformed,
    MethodNotAllowed,
    /// The server that a route leads to cannot be asked.
    BackendUnreachable,
    /// It does not answer in time.
    BackendTimeout,
    /// As many requests as may be are with servers behind routes.
    BackendBusy,
    /// The server that a route leads to leads back here.
    BackendLoop,
    /// The site is closed, and this edge has nothing to open it with.
    DoorUnavailable,
    /// The edge has never heard the log.
    Starting,
    /// The store does not answer now.
    StorageUnavailable,
    /// The store answers, but not with what it must have.
    StorageFailed,
}

impl Refusal {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 15] = [
        Self::SiteNotFound,
        Self::PageNotFound,
        Self::PageGone,
        Self::PathMalformed,
        Self::PathTooLong,
        Self::HeaderMalformed,
        Self::MethodNotAllowed,
        Self::BackendUnreachable,
        Self::BackendTimeout,
        Self::BackendBusy,
        Self::BackendLoop,
        Self::DoorUnavailable,
        Self::Starting,
        Self::StorageUnavailable,
        Self::StorageFailed,
    ];

    fn told(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::SiteNotFound => (StatusCode::NOT_FOUND, "site_not_found", "There is no site at this address."),
            Self::PageNotFound => (StatusCode::NOT_FOUND, "page_not_found", "There is no page at this address."),
            Self::PageGone => (StatusCode::GONE, "page_gone", "What was at this address is gone for good."),
            Self::PathMalformed => (StatusCode::BAD_REQUEST, "path_malformed", "This address is not well-formed."),
            Self::PathTooLong => (StatusCode::URI_TOO_LONG, "path_too_long", "This address is too long."),
            Self::HeaderMalformed => {
                (StatusCode::BAD_REQUEST, "bad_header", "This request does not say clearly what it asks, or of whom.")
            }
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Sites can only be read: use GET or HEAD.")
            }
            Self::BackendUnreachable => {
                (StatusCode::BAD_GATEWAY, "backend_unreachable", "The server behind this address cannot be reached.")
            }
            Self::BackendTimeout => (
                StatusCode::GATEWAY_TIMEOUT,
                "backend_timeout",
                "The server behind this address does not answer in time.",
            ),
            Self::BackendBusy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "backend_busy",
                "Too much is asked of the servers behind this one. Please try again in a moment.",
            ),
            Self::BackendLoop => (StatusCode::LOOP_DETECTED, "backend_loop", "This address leads back to itself."),
            Self::DoorUnavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "door_unavailable",
                "This site is not open to everybody, and this server cannot let you in now.",
            ),
            Self::Starting => (
                StatusCode::SERVICE_UNAVAILABLE,
                "edge_starting",
                "This server does not know its sites yet. Please try again in a moment.",
            ),
            Self::StorageUnavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "storage_unavailable",
                "This page cannot be fetched now. Please try again in a moment.",
            ),
            Self::StorageFailed => {
                (StatusCode::BAD_GATEWAY, "storage_failed", "This page is damaged where it is stored.")
            }
        }
    }

    /// The page, for a host of this kind if it is one of a site's.
    pub(crate) fn page(self, method: &Method, kind: Option<Kind>) -> Response<Body> {
        let (status, code, message) = self.told();
        let html = format!(
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{status}</title>\n\
             <h1>{status}</h1>\n<p>{message}</p>\n<p><code>{code}</code></p>\n"
        );
        let length = html.len();
        let body = if method == Method::HEAD { body::empty() } else { body::full(html.into()) };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(CONTENT_LENGTH, length.into());
        headers.extend(CAREFUL);
        headers.insert(CACHE_CONTROL, REVALIDATE);
        if kind != Some(Kind::Live) {
            headers.insert(X_ROBOTS_TAG, NOINDEX);
        }
        if self == Self::MethodNotAllowed {
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, RETRY_AFTER_SECONDS.into());
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    #[tokio::test]
    async fn every_refusal_has_a_page_with_its_code_and_length() {
        let mut codes = Vec::new();
        for refusal in Refusal::ALL {
            let (status, code, _) = refusal.told();
            let page = refusal.page(&Method::GET, Some(Kind::Live));
            let length: usize = page.headers()["content-length"].to_str().unwrap().parse().unwrap();
            assert_eq!((page.status(), page.headers().get("x-robots-tag")), (status, None));
            assert_eq!(page.headers().contains_key("retry-after"), status == StatusCode::SERVICE_UNAVAILABLE);
            for (name, value) in CAREFUL {
                assert_eq!(page.headers()[name], value);
            }
            let text = page.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(text.len(), length);
            assert!(std::str::from_utf8(&text).unwrap().contains(&format!("<code>{code}</code>")));
            let head = refusal.page(&Method::HEAD, None);
            assert_eq!(head.headers()["x-robots-tag"], "noindex");
            assert!(head.into_body().collect().await.unwrap().to_bytes().is_empty());
            codes.push(code);
        }
        codes.dedup();
        assert_eq!(codes.len(), Refusal::ALL.len());
    }

    #[test]
    fn other_methods_are_told_which_are_allowed() {
        let page = Refusal::MethodNotAllowed.page(&Method::POST, None);
        assert_eq!((page.status().as_u16(), page.headers()["allow"].to_str().unwrap()), (405, "GET, HEAD"));
    }
}
