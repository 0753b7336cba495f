//! Where a door leads on: to the same address without what opened it, or to where members sign in.

use super::PRIVATE;
use crate::body::{self, Body};
use crate::hosts;
use crate::respond::{self, NOINDEX, X_ROBOTS_TAG};
use ::doors::{Place, SHARE, TICKET};
use answers::{path_of, spelled};
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, HeaderMap, HeaderValue, LOCATION, REFERRER_POLICY, SET_COOKIE};
use http::request::Parts;
use http::{Response, StatusCode};
use listener::Encrypted;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// The answer that opens: the same path and the rest of the query, with a cookie.
pub(super) fn to_itself(request: &Parts, cookie: &str) -> Response<Body> {
    let mut response = to(&own(request));
    response.headers_mut().extend(HeaderValue::from_str(cookie).ok().map(|cookie| (SET_COOKIE, cookie)));
    response
}

/// The answer that a member proves who they are.
pub(super) fn to_sign_in(web: &str, place: &Place<'_>, request: &Parts) -> Response<Body> {
    let is_encrypted = request.extensions.get::<Encrypted>().is_some_and(|Encrypted(is)| *is);
    let scheme = if is_encrypted { "https" } else { "http" };
    let port = hosts::of(request).and_then(|host| host.rsplit_once(':')).map(|(_, port)| format!(":{port}"));
    let back = format!("{scheme}://{}{}{}", place.host, port.unwrap_or_default(), own(request));
    to(&format!("{web}/open/{}?to={}", place.site, utf8_percent_encode(&back, NON_ALPHANUMERIC)))
}

/// Path and query as they were asked for, without what opens doors. It begins with exactly one slash, so it stays on the host.
fn own(request: &Parts) -> String {
    let path = path_of(request.uri.path()).map_or_else(|| "/".to_owned(), |path| spelled(&path));
    let is_token = |pair: &str| {
        let name = pair.split_once('=').map_or(pair, |(name, _)| name);
        name == SHARE || name == TICKET
    };
    let rest = request.uri.query().into_iter().flat_map(|query| query.split('&')).filter(|pair| !is_token(pair));
    let rest: Vec<&str> = rest.collect();
    if rest.is_empty() { path } else { answers::with_query(&path, Some(&rest.join("&"))) }
}

fn to(location: &str) -> Response<Body> {
    let mut response = Response::new(body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let mut headers: HeaderMap = respond::careful();
    headers.insert(CONTENT_LENGTH, 0.into());
    headers.insert(CACHE_CONTROL, PRIVATE);
    headers.insert(X_ROBOTS_TAG, NOINDEX);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(LOCATION, HeaderValue::from_str(location).unwrap_or(HeaderValue::from_static("/")));
    *response.headers_mut() = headers;
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    #[test]
    fn what_opened_goes_out_of_the_address_and_nothing_else() {
        for (asked, expected) in [
            ("/?pagefold-share=x.y", "/"),
            ("/a/b?pagefold-share=x.y&c=d", "/a/b?c=d"),
            ("/a?c=d&pagefold-ticket=1.2.3&e", "/a?c=d&e"),
            ("/a?pagefold-shared=1", "/a?pagefold-shared=1"),
            ("//evil.example/?pagefold-share=x.y", "/evil.example/"),
            ("/%2F%2Fevil.example?pagefold-share=x.y", "/evil.example"),
            ("/%5Cevil.example?pagefold-share=x.y", "/"),
            ("/caf%C3%A9?pagefold-share=x", "/caf%C3%A9"),
        ] {
            let request = Request::get(asked).body(()).unwrap().into_parts().0;
            let response = to_itself(&request, "name=value");
            assert_eq!(response.headers()["location"], expected, "{asked}");
            assert_eq!((response.status().as_u16(), &response.headers()["cache-control"]), (303, &PRIVATE));
        }
    }
}
