//! What an operator allows.

use events::site::DELETED_KEPT;

/// How much may run at once, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Builds dispatched or running on the whole platform.
    pub platform: usize,
    /// The same for one organization.
    pub organization: usize,
    /// The same for one site.
    pub site: usize,
    /// How long a build may wait for a launcher before it is given up, in seconds.
    pub waiting_max_s: i64,
    /// How long an attempt may run before it is given up, in seconds; longer than a launcher's own limit, so that it
    /// speaks only when the launcher does not.
    pub running_max_s: i64,
    /// How long a deleted site can be restored, in seconds.
    pub deleted_kept_s: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            platform: 4,
            organization: 3,
            site: 2,
            waiting_max_s: 24 * 60 * 60,
            running_max_s: 2 * 60 * 60,
            deleted_kept_s: DELETED_KEPT.as_secs().cast_signed(),
        }
    }
}
