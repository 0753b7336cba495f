//! Paths as rules and requests spell them, brought to one spelling.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::borrow::Cow;

/// What stays as it is within a segment: `pchar` of RFC 3986.
pub const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
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

/// The one spelling of a path: each segment decoded once and encoded again, so that an encoded slash stays one.
pub(crate) fn canonical(path: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte);
    if path.bytes().all(is_plain) {
        return Cow::Borrowed(path);
    }
    let segments: Vec<String> = path.split('/').map(segment).collect();
    Cow::Owned(segments.join("/"))
}

/// One segment, or any text that shall be one.
pub(crate) fn segment(text: &str) -> String {
    let decoded: Vec<u8> = percent_decode_str(text).collect();
    percent_encoding::percent_encode(&decoded, SEGMENT).to_string()
}

/// A text that was decoded, as one segment.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// A canonical text as a value in a query, where less may stand for itself.
pub(crate) fn in_query(text: &str) -> String {
    let decoded: Vec<u8> = percent_decode_str(text).collect();
    percent_encoding::percent_encode(&decoded, NON_ALPHANUMERIC).to_string()
}

/// Whether a segment leads upwards, or nowhere, in the eyes of a browser.
pub(crate) fn is_dots(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    plain == "." || plain == ".."
}

/// The pairs of a query, decoded; of one name the last.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    let plain = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    query.split('&').filter(|pair| !pair.is_empty()).map(move |pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (plain(name), plain(value))
    })
}
