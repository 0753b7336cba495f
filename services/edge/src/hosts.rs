//! Which host a request is for.

use http::header::HOST;
use http::request::Parts;

/// The host a request names: the target's own authority (HTTP/2, absolute form) before the `Host` header (RFC 9112,
/// section 3.2.2). Two `Host` headers name none.
pub(crate) fn of(request: &Parts) -> Option<&str> {
    if let Some(authority) = request.uri.authority() {
        return Some(authority.host());
    }
    let mut hosts = request.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok(),
        (None, _) | (Some(_), Some(_)) => None,
    }
}

/// The port that a request names, if it names one: that of its scheme it need not.
pub(crate) fn port(request: &Parts) -> Option<&str> {
    match request.uri.authority() {
        Some(authority) => authority.port().map(|_| authority.as_str()),
        None => of(request),
    }?
    .rsplit_once(':')
    .map(|(_, port)| port)
    .filter(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    #[test]
    fn the_request_target_goes_before_the_host_header_and_two_hosts_are_none() {
        let parts = |request: http::request::Builder| request.body(()).unwrap().into_parts().0;
        let absolute = parts(Request::get("http://a.example:1/x").header(HOST, "b.example"));
        assert_eq!(of(&absolute), Some("a.example"));
        assert_eq!(of(&parts(Request::get("/x").header(HOST, "b.example"))), Some("b.example"));
        assert_eq!(of(&parts(Request::get("/x").header(HOST, "a").header(HOST, "b"))), None);
        assert_eq!(of(&parts(Request::get("/x"))), None);
    }

    #[test]
    fn a_port_is_named_or_not() {
        for (target, host, expected) in [
            ("/x", "a.example", None),
            ("/x", "a.example:81", Some("81")),
            ("/x", "[::1]", None),
            ("/x", "[::1]:81", Some("81")),
            ("/x", "a.example:", None),
            ("http://a.example/x", "b.example:81", None),
            ("http://a.example:82/x", "b.example:81", Some("82")),
        ] {
            let request = Request::get(target).header(HOST, host).body(()).unwrap().into_parts().0;
            assert_eq!(port(&request), expected, "{target} {host}");
        }
    }
}
