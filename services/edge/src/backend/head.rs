//! What of a request's head goes on to a backend, and of its answer's head back. Pure.

use events::routing::Origin;
use http::header::{
    CONNECTION, COOKIE, EXPECT, FORWARDED, HOST, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VIA,
};
use http::request::Parts;
use http::uri::{PathAndQuery, Uri};
use http::{Request, Version, response};
use listener::{Client, Encrypted};

/// By which we know a request that we have sent ourselves.
const SELF: &str = "pagefold-edge";
const SEEN: HeaderValue = HeaderValue::from_static("1.1 pagefold-edge");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
/// What is between two neighbours and no concern of those behind them (RFC 9110, section 7.6.1).
const BETWEEN_NEIGHBOURS: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Whether a request has come through here before: a backend leads back to us.
pub(super) fn has_been_here(asked: &Parts) -> bool {
    asked.headers.get_all(VIA).iter().any(|via| via.to_str().is_ok_and(|via| via.contains(SELF)))
}

/// The head of the request to the backend: the same path and query. What it says of who asked is what this edge knows, whatever
/// the request claimed.
pub(super) fn outgoing(asked: &Parts, backend: &Origin) -> Option<Parts> {
    let path = asked.uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    let uri = Uri::builder().scheme(backend.scheme()).authority(backend.authority()).path_and_query(path);
    let mut head = Request::builder().method(asked.method.clone()).uri(uri.build().ok()?).body(()).ok()?.into_parts().0;
    head.version = Version::HTTP_11;
    let mut headers = asked.headers.clone();
    drop_between_neighbours(&mut headers);
    for name in [HOST, EXPECT, FORWARDED, FORWARDED_FOR, FORWARDED_HOST, FORWARDED_PROTO, FORWARDED_PORT] {
        headers.remove(name);
    }
    // HTTP/2 may send them one by one. What opens a closed site is nobody else's.
    let cookies = headers.get_all(COOKIE).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    let cookies: Vec<&[u8]> = cookies.map(<[u8]>::trim_ascii).filter(|pair| !is_pass(pair)).collect();
    let joined = HeaderValue::from_bytes(&cookies.join(&b"; "[..])).ok()?;
    if cookies.is_empty() {
        headers.remove(COOKIE);
    } else {
        headers.insert(COOKIE, joined);
    }
    let client = asked.extensions.get::<Client>().map(|Client(address)| address.to_string());
    let host = crate::hosts::of(asked).map(ToOwned::to_owned);
    for (name, value) in [(FORWARDED_FOR, client), (FORWARDED_HOST, host)] {
        headers.extend(value.and_then(|value| HeaderValue::from_str(&value).ok()).map(|value| (name, value)));
    }
    let encrypted = asked.extensions.get::<Encrypted>().is_some_and(|Encrypted(encrypted)| *encrypted);
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static(if encrypted { "https" } else { "http" }));
    headers.append(VIA, SEEN);
    head.headers = headers;
    Some(head)
}

fn is_pass(pair: &[u8]) -> bool {
    std::str::from_utf8(pair).is_ok_and(doors::is_ours)
}

/// Makes of the head of a backend's answer what its reader gets.
pub(super) fn incoming(head: &mut response::Parts) {
    drop_between_neighbours(&mut head.headers);
    head.headers.append(VIA, SEEN);
    head.version = Version::HTTP_11;
}

fn drop_between_neighbours(headers: &mut HeaderMap) {
    let named = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<HeaderName> =
        named.flat_map(|value| value.split(',')).filter_map(|name| name.trim().parse().ok()).collect();
    for name in named.into_iter().chain(BETWEEN_NEIGHBOURS) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Response;

    fn asked(headers: &[(&'static str, &'static str)]) -> Parts {
        let request =
            headers.iter().fold(Request::put("/a//b/?c=%2F&d"), |request, (name, value)| request.header(*name, *value));
        let mut parts = request.body(()).unwrap().into_parts().0;
        parts.extensions.insert(Client([192, 0, 2, 7].into()));
        parts.extensions.insert(Encrypted(true));
        parts
    }

    fn sent(headers: &[(&'static str, &'static str)]) -> Parts {
        outgoing(&asked(headers), &"https://api.example:8443".parse().unwrap()).unwrap()
    }

    #[test]
    fn the_path_goes_through_as_it_was_asked_for() {
        let head = sent(&[("host", "docs.example")]);
        assert_eq!(head.uri, "https://api.example:8443/a//b/?c=%2F&d");
        assert_eq!(head.method, "PUT");
    }

    #[test]
    fn a_backend_is_told_who_asked_by_us_and_by_nobody_else() {
        let claims = [
            ("host", "docs.example"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-port", "1"),
            ("forwarded", "for=10.0.0.1"),
            ("cookie", "a=1"),
            ("cookie", "b=2"),
            ("authorization", "Bearer x"),
        ];
        let head = sent(&claims);
        let all =
            |name: &str| head.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect::<Vec<_>>();
        assert_eq!(all("x-forwarded-for"), ["192.0.2.7"]);
        assert_eq!(all("x-forwarded-host"), ["docs.example"]);
        assert_eq!(all("x-forwarded-proto"), ["https"]);
        assert_eq!((all("x-forwarded-port"), all("forwarded"), all("host")), (vec![], vec![], vec![]));
        assert_eq!(
            (all("cookie"), all("authorization"), all("via")),
            (vec!["a=1; b=2"], vec!["Bearer x"], vec!["1.1 pagefold-edge"])
        );
    }

    #[test]
    fn what_is_between_neighbours_stays_there_both_ways() {
        let between = [
            ("connection", "close, X-Own"),
            ("x-own", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("upgrade", "websocket"),
            ("proxy-authorization", "Basic x"),
            ("transfer-encoding", "chunked"),
            ("expect", "100-continue"),
            ("x-kept", "1"),
        ];
        let head = sent(&between);
        let names: Vec<&str> = head.headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(
            names.iter().filter(|name| !name.starts_with("x-forwarded")).collect::<Vec<_>>(),
            [&"x-kept", &"via"]
        );
        let answer = between.iter().fold(Response::builder(), |answer, (name, value)| answer.header(*name, *value));
        let mut head = answer.body(()).unwrap().into_parts().0;
        incoming(&mut head);
        assert!(
            !head.headers.contains_key("x-own")
                && !head.headers.contains_key("keep-alive")
                && head.headers.contains_key("x-kept")
        );
    }

    #[test]
    fn a_request_that_we_sent_ourselves_is_known() {
        assert!(!has_been_here(&asked(&[("via", "1.1 other")])));
        assert!(has_been_here(&asked(&[("via", "1.1 pagefold-edge, 1.1 other")])));
    }
}
