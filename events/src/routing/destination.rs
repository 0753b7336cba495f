//! Where redirects lead, and where backends answer.

use super::{HostName, RoutePath};
use crate::ids::{Invalid, text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest target of a redirect, in bytes.
pub const DESTINATION_MAX: usize = 2000;

/// Where a redirect leads: a path of the same host, or an address of HTTP or HTTPS. Nothing else: a browser follows some
/// schemes into programs, and two slashes to another host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^(/|https?://)", "maxLength" = 2000))]
pub struct Destination(String);

/// Where a backend answers: `http` or `https`, a host, and a port where it is not the scheme's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^https?://[^/]+$", "maxLength" = 300))]
pub struct Origin(String);

text!(Destination, Origin);

impl Destination {
    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before its query and fragment, and its query and its fragment, each with its mark.
    #[must_use]
    pub fn parts(&self) -> (&str, &str, &str) {
        let (rest, fragment) = self.0.split_at(self.0.find('#').unwrap_or(self.0.len()));
        let (base, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
        (base, query, fragment)
    }

    /// The path that it names on `host`; none if it leads to another host.
    #[must_use]
    pub fn path_on(&self, host: &HostName) -> Option<RoutePath> {
        let base = self.parts().0;
        let path = match base.split_once("://") {
            None => base,
            Some((_, rest)) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                let name = authority.split(':').next().unwrap_or_default();
                if !name.eq_ignore_ascii_case(host.as_str()) {
                    return None;
                }
                if path.is_empty() { "/" } else { path }
            }
        };
        path.parse().ok()
    }
}

impl TryFrom<String> for Destination {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let refuse = |why: &str| Invalid(format!("a redirect cannot lead to `{}`: {why}", text.escape_debug()));
        if text.len() > DESTINATION_MAX {
            return Err(refuse("it is longer than 2000 bytes"));
        }
        if !text.bytes().all(is_of_url) {
            return Err(refuse("it has characters that must be percent-encoded"));
        }
        if text.starts_with('/') {
            return if text.starts_with("//") { Err(refuse("two slashes name another host")) } else { Ok(Self(text)) };
        }
        let Some(rest) = after_scheme(&text) else {
            return Err(refuse("it must begin with `/`, `https://` or `http://`"));
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if is_authority(authority) { Ok(Self(text)) } else { Err(refuse("it names no host")) }
    }
}

impl Origin {
    /// The address as text, without a slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }

    /// The host, with its port if one is named.
    #[must_use]
    pub fn authority(&self) -> &str {
        after_scheme(&self.0).unwrap_or_default()
    }

    /// The host alone, an address of IPv6 without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let (authority, port) = (self.authority(), self.named_port());
        let host = port
            .map_or(authority, |port| authority.strip_suffix(port).map_or(authority, |host| &host[..host.len() - 1]));
        host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The port, named or the scheme's own.
    #[must_use]
    pub fn port(&self) -> u16 {
        let usual = if self.scheme() == "https" { 443 } else { 80 };
        self.named_port().and_then(|port| port.parse().ok()).unwrap_or(usual)
    }

    fn named_port(&self) -> Option<&str> {
        let (_, port) = self.authority().rsplit_once(':')?;
        (!port.contains(']')).then_some(port)
    }
}

impl TryFrom<String> for Origin {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let origin = text.strip_suffix('/').unwrap_or(&text).to_ascii_lowercase();
        if origin.len() <= 300 && after_scheme(&origin).is_some_and(is_authority) {
            return Ok(Self(origin));
        }
        let why =
            "it is `https://` or `http://`, a host, and perhaps a port; the path goes through as it was asked for";
        Err(Invalid(format!("`{}` is no backend: {why}", text.escape_debug())))
    }
}

fn after_scheme(text: &str) -> Option<&str> {
    text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))
}

/// A host, and perhaps a port; nobody's name and password.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((literal, rest)) if literal.parse::<std::net::Ipv6Addr>().is_ok() => ("literal", rest),
        Some(_) => return false,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let is_port =
        port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    is_port && !host.is_empty() && host.bytes().all(of_name) && !host.starts_with('.')
}

/// What RFC 3986 lets stand in an address.
fn is_of_url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_leads_to_a_path_or_to_the_web() {
        for ok in [
            "/",
            "/a/b?x=1#y",
            "https://example.org",
            "http://example.org:8080/a",
            "https://[::1]/x",
            "https://example.org?x",
        ] {
            assert!(ok.parse::<Destination>().is_ok(), "{ok}");
        }
        for wrong in [
            "",
            "a",
            "//evil.example",
            "/\\evil.example",
            "javascript:alert(1)",
            "ftp://example.org",
            "https://",
            "https:///x",
            "https://user:pass@example.org/",
            "https://example.org:0/",
            "https://example.org:99999/",
            "https://exa mple.org/",
            "/a b",
            "/a\r\nset-cookie: x",
            "/é",
            "/\"",
        ] {
            assert!(wrong.parse::<Destination>().is_err(), "{wrong}");
        }
        assert!(format!("/{}", "a".repeat(DESTINATION_MAX)).parse::<Destination>().is_err());
        let parts = "/a?x=1#y?z".parse::<Destination>().unwrap();
        assert_eq!(parts.parts(), ("/a", "?x=1", "#y?z"));
    }

    #[test]
    fn a_backend_is_a_place_and_nothing_on_it() {
        for (text, host, port) in [
            ("http://127.0.0.1:9000", "127.0.0.1", 9000),
            ("https://API.example.org/", "api.example.org", 443),
            ("http://api.example.org", "api.example.org", 80),
            ("http://[::1]:8080", "::1", 8080),
            ("http://[::1]", "::1", 80),
        ] {
            let origin: Origin = text.parse().unwrap();
            assert_eq!((origin.host(), origin.port()), (host, port), "{text}");
            assert_eq!(origin.as_str().parse::<Origin>().unwrap(), origin);
        }
        for wrong in [
            "",
            "api.example.org",
            "ftp://a.example",
            "http://a.example/x",
            "http://a.example?x",
            "http://u@a.example",
            "http://",
            "http://a b",
        ] {
            assert!(wrong.parse::<Origin>().is_err(), "{wrong}");
        }
    }
}
