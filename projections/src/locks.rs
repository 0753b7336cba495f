//! The locks: of which sites what their readers see stays.

use crate::Error;
use crate::copy::{Rows, Table};
use crate::table::{Keys, Row};
use events::{Actor, AliasEvent, AliasName, Event, Recorded, SiteId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Why and since when a site is locked. Its aliases are locked together; this is what the lock of `live` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockRow {
    /// The site.
    pub site: SiteId,
    /// Why, in the words of whoever locked it.
    pub reason: String,
    /// Since when, for this reason.
    #[serde(with = "time::serde::rfc3339")]
    pub locked_at: OffsetDateTime,
    /// Who locked it.
    pub locked_by: Actor,
}

/// Which site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    site: SiteId,
}

impl Row for LockRow {
    const TABLE: Table = Table { name: "locks", columns: &["site", "reason", "locked_at", "locked_by"] };
    const KEY: &'static [&'static str] = &["site"];
    type Key = Key;

    fn key(&self) -> Key {
        Key { site: self.site }
    }

    fn columns(keys: &[&Key]) -> Vec<Keys> {
        vec![Keys::Uuids(keys.iter().map(|key| key.site.0).collect())]
    }

    fn touched(recorded: &Recorded) -> Result<Option<Key>, Error> {
        Ok(match &recorded.event {
            Event::Alias(
                AliasEvent::Locked { site, alias: AliasName::Live, .. }
                | AliasEvent::Unlocked { site, alias: AliasName::Live },
            ) => Some(Key { site: *site }),
            Event::Alias(_)
            | Event::Deploy(_)
            | Event::Organization(_)
            | Event::Handle(_)
            | Event::User(_)
            | Event::Invitation(_)
            | Event::Identity(_)
            | Event::Token(_)
            | Event::Receiver(_)
            | Event::Notice(_)
            | Event::Site(_)
            | Event::Host(_)
            | Event::Route(_)
            | Event::Domain(_)
            | Event::Repository(_)
            | Event::Build(_) => None,
        })
    }

    fn fold(_: Option<Self>, recorded: &Recorded) -> Option<Self> {
        let Event::Alias(AliasEvent::Locked { site, reason, .. }) = &recorded.event else { return None };
        let (locked_at, locked_by) = (recorded.envelope.time, recorded.envelope.actor.clone());
        Some(Self { site: *site, reason: reason.clone(), locked_at, locked_by })
    }

    fn write(&self, rows: &mut Rows) {
        rows.row().put(&self.site).put(&self.reason).put(&self.locked_at).put(&self.locked_by);
    }
}
