//! Which facts this program knows. A log may hold others: a newer version has stated them, and this one waits for it.

use events::{DecodeError, Event};

/// Whether this program knows facts of this CloudEvents type.
#[must_use]
pub fn knows(type_name: &str) -> bool {
    !matches!(decode(type_name, b""), Err(DecodeError::UnknownType(_)))
}

pub(crate) fn decode(type_name: &str, data: &[u8]) -> Result<Event, DecodeError> {
    #[cfg(debug_assertions)]
    if older::lacks(type_name) {
        return Err(DecodeError::UnknownType(type_name.to_owned()));
    }
    Event::decode(type_name, data)
}

/// An older version, for the tests of upgrades: only a program built for debugging can be one.
#[cfg(debug_assertions)]
pub mod older {
    use std::collections::BTreeSet;
    use std::sync::OnceLock;

    static LACKING: OnceLock<BTreeSet<String>> = OnceLock::new();

    /// From now on this process does not know facts with these names, such as `site.deleted.v1`. The first call counts.
    pub fn without(names: impl IntoIterator<Item = String>) {
        let types = names.into_iter().map(|name| format!("{}.{name}", events::event::TYPE_PREFIX));
        LACKING.get_or_init(|| types.collect());
    }

    pub(super) fn lacks(type_name: &str) -> bool {
        LACKING.get().is_some_and(|lacking| lacking.contains(type_name))
    }
}
