//! Where time and fresh identity enter: at the birth of a fact, and nowhere else.

use time::OffsetDateTime;
use uuid::Uuid;

/// The present, in UTC, cut to milliseconds so that it survives every store unchanged.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system clock")]
pub fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_millisecond(now.millisecond()).unwrap_or(now)
}

/// A new identity, ordered by time (UUIDv7, RFC 9562).
#[must_use]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}
