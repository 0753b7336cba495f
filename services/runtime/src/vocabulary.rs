//! Which facts this program knows. A log may hold others: a newer version has stated them, and this one waits for it.

use events::{DecodeError, Event};

/// Whether this program knows facts of this CloudEvents type.
#[must_use]
pub fn knows(type_name: &str) -> bool {
    !matches!(Event::decode(type_name, b""), Err(DecodeError::UnknownType(_)))
}
