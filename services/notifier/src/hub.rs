//! GitHub's API, and the installation as an app of it.

mod api;
mod app;

pub(crate) use api::{Place, ask};
pub use app::{Account, GithubApp, GithubAppError};

use crate::http::Silence;
use crate::tried::{Tried, Why};

/// Why GitHub was not told, or did not tell.
pub(crate) enum Failed {
    Silent(Silence),
    Refused(Tried),
}

impl Failed {
    pub(crate) fn said(reason: &str) -> Self {
        Self::Refused(Tried::Never(Why::said(reason)))
    }
}
