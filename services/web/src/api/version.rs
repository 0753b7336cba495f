//! Entity tags of what is changed in place: how many facts have shaped it.

use crate::problem::Problem;
use http::{HeaderMap, HeaderName, HeaderValue, header};

/// The entity tag of a version.
pub(super) fn tag(version: u64) -> [(HeaderName, String); 1] {
    [(header::ETAG, format!("\"{version}\""))]
}

/// The version a caller saw; none if that does not matter to them.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let anything = |value: &&HeaderValue| value.as_bytes() != b"*";
    let Some(value) = headers.get(header::IF_MATCH).filter(anything) else { return Ok(None) };
    let version = value.to_str().ok().and_then(|text| text.strip_prefix('"')?.strip_suffix('"'));
    // A tag of another form is not this one's, whatever it once was.
    Ok(Some(version.and_then(|version| version.parse().ok()).unwrap_or(0)))
}
