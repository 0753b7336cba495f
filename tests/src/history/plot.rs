//! What the facts of one story are about.

use events::{AliasName, Branch, BuildId, CommitId, EventId};

pub(super) struct Plot {
    pub(super) branch: Branch,
    pub(super) alias: AliasName,
    pub(super) commit: CommitId,
    pub(super) build: BuildId,
    pub(super) number: u64,
    /// The place of the fact that is told, and its id.
    pub(super) now: u64,
    pub(super) id: EventId,
    /// The place of the fact that causes the build.
    pub(super) source: u64,
}
