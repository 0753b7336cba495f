//! The path of a route: whole segments, spelled in one way.

use crate::ids::{Invalid, text};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Longest path of a route, in bytes as it is spelled.
pub const ROUTE_PATH_MAX: usize = 512;
/// What stays as it is in a path: `pchar` and `/` of RFC 3986.
const SPELLED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// The path of a route, percent-encoded where it must be. Slashes at the end or in a row mean nothing, so there are none;
/// an encoded slash is one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^/", "maxLength" = 512))]
pub struct RoutePath(String);

text!(RoutePath);

impl RoutePath {
    /// The path as it is spelled.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The characters that it means.
    #[must_use]
    pub fn decoded(&self) -> Cow<'_, str> {
        percent_decode_str(&self.0).decode_utf8_lossy()
    }

    /// Whether it is `other`, or has whole segments more.
    #[must_use]
    pub fn is_at_or_below(&self, other: &Self) -> bool {
        let rest = self.0.strip_prefix(other.0.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl TryFrom<String> for RoutePath {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let refuse = |why: &str| Invalid(format!("`{}` is no path of a route: {why}", text.escape_debug()));
        if !text.starts_with('/') {
            return Err(refuse("it must begin with a slash"));
        }
        if text.contains(['?', '#']) {
            return Err(refuse("it has no query and no fragment"));
        }
        let mut escapes = text.split('%').skip(1);
        if !escapes.all(|rest| rest.as_bytes().get(..2).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))) {
            return Err(refuse("a `%` must be followed by two hexadecimal digits"));
        }
        let Ok(meant) = percent_decode_str(&text).decode_utf8() else {
            return Err(refuse("it is not UTF-8"));
        };
        if meant.contains(|character: char| character == '\\' || character.is_control()) {
            return Err(refuse("it has a backslash or a control character"));
        }
        let segments: Vec<&str> = meant.split('/').filter(|segment| !segment.is_empty()).collect();
        if segments.iter().any(|segment| matches!(*segment, "." | "..")) {
            return Err(refuse("`.` and `..` are no segments"));
        }
        let spelled = utf8_percent_encode(&format!("/{}", segments.join("/")), SPELLED).to_string();
        if spelled.len() > ROUTE_PATH_MAX {
            return Err(refuse("it is longer than 512 bytes"));
        }
        Ok(Self(spelled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_path_has_one_spelling() {
        for (text, expected) in [
            ("/", "/"),
            ("//", "/"),
            ("/a", "/a"),
            ("/a/", "/a"),
            ("//a///b/", "/a/b"),
            ("/%61", "/a"),
            ("/a%2Fb", "/a/b"),
            ("/caf%C3%A9", "/caf%C3%A9"),
            ("/café au lait", "/caf%C3%A9%20au%20lait"),
            ("/100%25", "/100%25"),
            ("/a.b/c;d=1", "/a.b/c;d=1"),
        ] {
            assert_eq!(text.parse::<RoutePath>().unwrap().as_str(), expected, "{text}");
        }
    }

    #[test]
    fn what_no_file_could_be_at_is_no_path() {
        for text in
            ["", "a", "nopath", "/a?b", "/a#b", "/%", "/%4", "/%zz", "/%ff", "/..", "/a/../b", "/%2e%2e", "/./a"]
        {
            assert!(text.parse::<RoutePath>().is_err(), "{text}");
        }
        assert!("/a\\b".parse::<RoutePath>().is_err() && "/a%0a".parse::<RoutePath>().is_err());
        assert!(format!("/{}", "a".repeat(ROUTE_PATH_MAX)).parse::<RoutePath>().is_err());
    }

    #[test]
    fn below_is_by_whole_segments() {
        let below =
            |text: &str, other: &str| text.parse::<RoutePath>().unwrap().is_at_or_below(&other.parse().unwrap());
        assert!(below("/a", "/a") && below("/a/b", "/a") && below("/a", "/") && below("/", "/"));
        assert!(!below("/ab", "/a") && !below("/a.json", "/a") && !below("/", "/a"));
    }

    proptest! {
        #[test]
        fn a_path_that_was_read_reads_back_as_it_is(text in "/(\\PC|[a-z%/ .]){0,30}") {
            if let Ok(path) = text.parse::<RoutePath>() {
                prop_assert_eq!(&path.as_str().parse::<RoutePath>().unwrap(), &path);
                prop_assert!(!path.decoded().contains("//"));
            }
        }
    }
}
