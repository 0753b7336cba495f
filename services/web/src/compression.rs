//! Pages and lists are sent compressed to whoever understands that.

use http::{Extensions, HeaderMap, StatusCode, Version, header};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{Predicate, SizeAbove};

/// Shorter answers do not become shorter.
const BYTES_MIN: u16 = 512;
/// What is text and complete. A stream must not wait in a compressor for more: events and logs stay as they are.
const TYPES: [&str; 5] =
    ["text/html", "text/css", "text/javascript", "application/json", "application/cloudevents-batch+json"];

/// The layer that compresses.
pub(crate) fn layer() -> CompressionLayer<impl Predicate> {
    CompressionLayer::new().compress_when(SizeAbove::new(BYTES_MIN).and(is_text))
}

/// An entity tag names the very bytes that are sent, so what has one is sent as it is.
fn is_text(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    TYPES.contains(&kind) && !headers.contains_key(header::ETAG)
}
