//! What a request asks on condition: entity tags and byte ranges (RFC 9110, sections 13 and 14). Pure.

use http::HeaderMap;
use http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH, IF_RANGE, RANGE};
use std::ops::Range;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Whole,
    Part(Range<u64>),
    /// The range starts past the end.
    Unsatisfiable,
}

/// Whether the caller has what `etag` (quoted) names, so that nothing need be sent.
pub(crate) fn has_it(headers: &HeaderMap, etag: &str) -> bool {
    listed(headers, IF_NONE_MATCH, |tag| tag.strip_prefix("W/").unwrap_or(tag) == etag).unwrap_or(false)
}

/// Whether the caller wants something else than what `etag` names, or nothing.
pub(crate) fn wants_another(headers: &HeaderMap, etag: &str) -> bool {
    listed(headers, IF_MATCH, |tag| tag == etag).is_some_and(|is_listed| !is_listed)
}

/// Whether a list of entity tags has one that `matches`; `None` without the list. Our own tags have no commas, so one
/// that is torn apart at a comma is not ours.
fn listed(headers: &HeaderMap, name: HeaderName, matches: impl Fn(&str) -> bool) -> Option<bool> {
    let mut lines = headers.get_all(name).iter().peekable();
    lines.peek()?;
    let mut tags = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')).map(str::trim);
    Some(tags.any(|tag| tag == "*" || matches(tag)))
}

/// What a GET wants of `size` bytes. Several ranges, and what is no range, are answered with the whole.
pub(crate) fn wanted(headers: &HeaderMap, etag: &str, size: u64) -> Wanted {
    let range = headers.get(RANGE).and_then(|range| range.to_str().ok());
    // A date can match nothing here: there is no `Last-Modified`.
    let is_unchanged = headers.get(IF_RANGE).is_none_or(|tag| tag.as_bytes() == etag.as_bytes());
    match range.and_then(bounds) {
        Some(bounds) if is_unchanged && size > 0 => bounds.within(size),
        Some(_) | None => Wanted::Whole,
    }
}

enum Bounds {
    From(u64, Option<u64>),
    Last(u64),
}

impl Bounds {
    fn within(self, size: u64) -> Wanted {
        match self {
            Self::Last(0) => Wanted::Unsatisfiable,
            Self::Last(count) => Wanted::Part(size.saturating_sub(count)..size),
            Self::From(first, _) if first >= size => Wanted::Unsatisfiable,
            Self::From(first, last) => Wanted::Part(first..last.map_or(size, |last| last.saturating_add(1).min(size))),
        }
    }
}

/// The bounds of one `bytes` range; `None` for anything else.
fn bounds(range: &str) -> Option<Bounds> {
    let (unit, range) = range.split_once('=')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = range.trim().split_once('-')?;
    match (first, last) {
        ("", last) => number(last).map(Bounds::Last),
        (first, "") => number(first).map(|first| Bounds::From(first, None)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Bounds::From(first, Some(last)))
        }
    }
}

/// A number too large for us is past every end.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TAG: &str = "\"abc\"";

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn any_listed_tag_says_that_the_caller_has_it() {
        for (value, expected) in [
            ("\"abc\"", true),
            ("W/\"abc\"", true),
            ("*", true),
            ("\"x\", W/\"y\" ,\"abc\"", true),
            ("\"x\"", false),
            ("abc", false),
            ("\"abc", false),
            ("", false),
        ] {
            assert_eq!(has_it(&headers(&[(IF_NONE_MATCH, value)]), TAG), expected, "{value}");
        }
        assert!(!has_it(&HeaderMap::new(), TAG));
        let mut two = headers(&[(IF_NONE_MATCH, "\"x\"")]);
        two.append(IF_NONE_MATCH, "\"abc\"".parse().unwrap());
        assert!(has_it(&two, TAG));
    }

    #[test]
    fn a_precondition_compares_strongly() {
        for (value, expected) in [("\"abc\"", false), ("*", false), ("W/\"abc\"", true), ("\"x\"", true)] {
            assert_eq!(wants_another(&headers(&[(IF_MATCH, value)]), TAG), expected, "{value}");
        }
        assert!(!wants_another(&HeaderMap::new(), TAG));
    }

    #[test]
    fn one_range_is_cut_to_the_size() {
        for (value, expected) in [
            ("bytes=0-3", Wanted::Part(0..4)),
            ("Bytes=2-", Wanted::Part(2..10)),
            ("bytes=-3", Wanted::Part(7..10)),
            ("bytes=-30", Wanted::Part(0..10)),
            ("bytes=9-99999999999999999999999", Wanted::Part(9..10)),
            ("bytes=9-9", Wanted::Part(9..10)),
            ("bytes=10-", Wanted::Unsatisfiable),
            ("bytes=99999999999999999999999-", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=0-1,3-4", Wanted::Whole),
            ("bytes=3-1", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("lines=0-3", Wanted::Whole),
            ("bytes", Wanted::Whole),
        ] {
            assert_eq!(wanted(&headers(&[(RANGE, value)]), TAG, 10), expected, "{value}");
        }
        assert_eq!(wanted(&headers(&[(RANGE, "bytes=0-3")]), TAG, 0), Wanted::Whole);
    }

    #[test]
    fn a_range_of_what_has_changed_is_the_whole() {
        let of = |tag: &str| wanted(&headers(&[(RANGE, "bytes=0-0"), (IF_RANGE, tag)]), TAG, 10);
        assert_eq!(of(TAG), Wanted::Part(0..1));
        for other in ["\"x\"", "W/\"abc\"", "Mon, 01 Jan 2024 00:00:00 GMT"] {
            assert_eq!(of(other), Wanted::Whole, "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_range_is_empty_or_past_the_end(text in "(bytes=)?[0-9,-]{0,9}", size in 0..1000_u64) {
            if let Wanted::Part(range) = wanted(&headers(&[(RANGE, &text)]), TAG, size) {
                prop_assert!(range.start < range.end && range.end <= size, "{:?}", range);
            }
        }
    }
}
