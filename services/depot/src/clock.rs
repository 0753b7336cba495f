//! The time of a stored record, in whole milliseconds since 1970 as every record keeps it.

use s3s::dto::Timestamp;
use time::OffsetDateTime;

#[expect(
    clippy::disallowed_methods,
    reason = "`Last-Modified` belongs to this store alone: it is no fact of the platform and no envelope carries it"
)]
pub(crate) fn now_ms() -> i64 {
    let nanos = OffsetDateTime::now_utc().unix_timestamp_nanos();
    i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX)
}

pub(crate) fn timestamp(ms: i64) -> Timestamp {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH).into()
}

/// HTTP dates have whole seconds, so conditions on them compare whole seconds.
pub(crate) fn seconds(timestamp: &Timestamp) -> i64 {
    OffsetDateTime::from(timestamp.clone()).unix_timestamp()
}
