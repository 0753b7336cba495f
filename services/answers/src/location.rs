//! Where answers lead that are not the page itself. Pure. Whatever a reader asks for, a route leads to the host that it names: what
//! is added is whole segments, each spelled anew, and a query.

use crate::resolve::spelled;
use events::routing::{Destination, Segments};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What a query may not hold in a header. All else stays as it was sent.
const QUERY: &AsciiSet = &CONTROLS.add(b' ');

/// A path of the same host, with the query that came with the request.
#[must_use]
pub fn with_query(path: &str, query: Option<&str>) -> String {
    let query = query.map(|query| format!("?{}", utf8_percent_encode(query, QUERY)));
    format!("{path}{}", query.unwrap_or_default())
}

/// The same path of another host, on the port that was asked and by the scheme that was.
#[must_use]
pub fn elsewhere(host: &str, port: Option<&str>, path: &str, query: Option<&str>) -> String {
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    with_query(&format!("//{host}{port}{path}"), query)
}

/// The address for whoever asked for `below` under the path of the route, with a query.
#[must_use]
pub fn location(to: &Destination, segments: Segments, below: &str, query: Option<&str>) -> String {
    if segments == Segments::Ignore || (below.is_empty() && query.is_none()) {
        return to.to_string();
    }
    let (base, own, fragment) = to.parts();
    let base = if below.is_empty() { base } else { base.trim_end_matches('/') };
    let query = query.map(|query| {
        let mark = if own.is_empty() { '?' } else { '&' };
        format!("{mark}{}", utf8_percent_encode(query, QUERY))
    });
    format!("{base}{}{own}{}{fragment}", spelled(below), query.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::path_of;
    use proptest::prelude::*;

    fn led(to: &str, segments: Segments, below: &str, query: Option<&str>) -> String {
        location(&to.parse().unwrap(), segments, below, query)
    }

    #[test]
    fn what_was_asked_for_goes_on_behind_the_address_or_does_not() {
        use Segments::{Ignore, Preserve};
        for (to, segments, below, query, expected) in [
            ("https://example.org/y", Preserve, "/a/b", None, "https://example.org/y/a/b"),
            ("https://example.org/y/", Preserve, "/a/b/", None, "https://example.org/y/a/b/"),
            ("https://example.org", Preserve, "/a", Some("x=1"), "https://example.org/a?x=1"),
            ("https://example.org/y?z=2#top", Preserve, "/a", Some("x=1"), "https://example.org/y/a?z=2&x=1#top"),
            ("https://example.org/y/", Preserve, "", None, "https://example.org/y/"),
            ("https://example.org/y", Preserve, "", Some("x"), "https://example.org/y?x"),
            ("/", Preserve, "/evil.example/x", None, "/evil.example/x"),
            ("/new", Preserve, "/café/100%", None, "/new/caf%C3%A9/100%25"),
            ("/new", Preserve, "/a", Some("x=\"y z"), "/new/a?x=\"y%20z"),
            ("/new?z#t", Ignore, "/a/b", Some("token=secret"), "/new?z#t"),
        ] {
            assert_eq!(led(to, segments, below, query), expected, "{to} {below} {query:?}");
        }
    }

    proptest! {
        #[test]
        fn no_request_leads_to_another_host(raw in "(/|%2[fF]|%5[cC]|\\.|:|@|%40|a|\\PC){0,12}", query in proptest::option::of("\\PC{0,10}")) {
            let Some(path) = path_of(&format!("/x{raw}")).map(std::borrow::Cow::into_owned) else { return Ok(()) };
            let Some(below) = path.strip_prefix("/x").filter(|below| below.is_empty() || below.starts_with('/')) else { return Ok(()) };
            for (to, start) in [("/", "/"), ("https://example.org", "https://example.org"), ("/a", "/a")] {
                let there = led(to, Segments::Preserve, below, query.as_deref());
                prop_assert!(there.starts_with(start) && !there.starts_with("//"), "{}", there);
                let rest = there.strip_prefix("https://example.org").unwrap_or("/");
                prop_assert!(rest.is_empty() || rest.starts_with(['/', '?']), "{}", there);
                prop_assert!(http::HeaderValue::from_str(&there).is_ok(), "{}", there);
            }
        }
    }
}
