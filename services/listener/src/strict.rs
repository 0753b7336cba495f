//! Requests that two readers could understand in two ways. A proxy in front may have taken the other way.

use http::request::Parts;
use http::{HeaderMap, HeaderName, Version, header};

/// Headers that say one thing or nothing.
const SINGLE: [(&str, HeaderName); 3] =
    [("Host", header::HOST), ("Content-Length", header::CONTENT_LENGTH), ("Authorization", header::AUTHORIZATION)];

/// The header that makes it unclear what the request asks or of whom: one that is there twice, a length beside chunks, or
/// a host that is missing or contradicts the request's target. Such a request is to be refused; its connection ends with the
/// answer. What hyper does before we see it: it refuses two lengths that differ, makes one of two that are equal, and takes a
/// length beside chunks out, ending the connection after that.
#[must_use]
pub fn ambiguous(request: &Parts) -> Option<&'static str> {
    let headers = &request.headers;
    let twice = SINGLE.iter().find(|(_, header)| headers.get_all(header).iter().nth(1).is_some());
    if let Some((name, _)) = twice {
        return Some(name);
    }
    if headers.contains_key(header::CONTENT_LENGTH) && headers.contains_key(header::TRANSFER_ENCODING) {
        return Some("Content-Length");
    }
    (!names_one_host(request, headers)).then_some("Host")
}

fn names_one_host(request: &Parts, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    match (request.uri.authority(), host) {
        (Some(authority), Some(host)) => plain(authority.as_str()).eq_ignore_ascii_case(plain(host)),
        (Some(_), None) => request.version >= Version::HTTP_2,
        // An empty host is a host in HTTP/1.1, of a target that has none. Nothing of ours is there.
        (None, Some(host)) => !host.is_empty() && !host.contains(|c: char| c == ',' || c == '@' || c.is_whitespace()),
        (None, None) => request.version < Version::HTTP_11,
    }
}

/// Without the port that goes without saying.
fn plain(authority: &str) -> &str {
    authority.strip_suffix(":80").unwrap_or(authority)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    #[test]
    fn a_request_that_can_be_understood_in_two_ways_is_told_by_its_header() {
        for (version, uri, headers, found) in [
            (Version::HTTP_11, "/", &[("host", "a")][..], None),
            (Version::HTTP_11, "/", &[("host", "a"), ("host", "b")], Some("Host")),
            (Version::HTTP_11, "/", &[("host", "a"), ("host", "a")], Some("Host")),
            (Version::HTTP_11, "/", &[], Some("Host")),
            (Version::HTTP_11, "/", &[("host", "")], Some("Host")),
            (Version::HTTP_11, "/", &[("host", "a, b")], Some("Host")),
            (Version::HTTP_11, "http://a/", &[("host", "b")], Some("Host")),
            (Version::HTTP_11, "http://a/", &[], Some("Host")),
            (Version::HTTP_11, "http://A/", &[("host", "a:80")], None),
            (Version::HTTP_10, "/", &[], None),
            (Version::HTTP_2, "http://a/", &[], None),
            (Version::HTTP_2, "http://a/", &[("host", "b")], Some("Host")),
            (
                Version::HTTP_11,
                "/",
                &[("host", "a"), ("content-length", "1"), ("content-length", "1")],
                Some("Content-Length"),
            ),
            (
                Version::HTTP_11,
                "/",
                &[("host", "a"), ("content-length", "1"), ("transfer-encoding", "chunked")],
                Some("Content-Length"),
            ),
            (
                Version::HTTP_11,
                "/",
                &[("host", "a"), ("authorization", "Bearer x"), ("authorization", "Bearer y")],
                Some("Authorization"),
            ),
        ] {
            let mut request = Request::get(uri).version(version);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let parts = request.body(()).unwrap().into_parts().0;
            assert_eq!(ambiguous(&parts), found, "{version:?} {uri} {headers:?}");
        }
    }
}
