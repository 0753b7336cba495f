//! Facts about domains: names of hosts that are other people's, and show a site here once it is proven that its people have them.

use crate::SiteId;
use crate::routing::HostName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The life of a domain, which is of one site at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DomainEvent {
    /// The name is to show a site, when it is proven that the site's people have it.
    #[serde(rename = "added.v1")]
    Added {
        /// Which site.
        site: SiteId,
        /// What a record of the name has to say. By itself it is no secret.
        proof: Uuid,
        /// Another name of the site that this one only leads to; absent where it shows the site itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        redirect_to: Option<HostName>,
    },
    /// From now on it leads to another name of its site, or to none.
    #[serde(rename = "changed.v1")]
    Changed {
        /// The site.
        site: SiteId,
        /// The name that it leads to; absent where it shows the site itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        redirect_to: Option<HostName>,
    },
    /// Somebody wants its records to be looked at now, and as often as in the beginning.
    #[serde(rename = "check_requested.v1")]
    CheckRequested {
        /// The site.
        site: SiteId,
    },
    /// Its records did not say what they must.
    #[serde(rename = "check_failed.v1")]
    CheckFailed {
        /// The site.
        site: SiteId,
        /// Which look it was, from 1.
        attempt: u32,
        /// What was found instead.
        error: String,
    },
    /// Its records say what they must: it shows its site.
    #[serde(rename = "verified.v1")]
    Verified {
        /// The site.
        site: SiteId,
    },
    /// Nobody looks any more before somebody asks for it.
    #[serde(rename = "failed.v1")]
    Failed {
        /// The site.
        site: SiteId,
        /// What was wrong in the end.
        error: String,
    },
    /// The name is nobody's any more.
    #[serde(rename = "removed.v1")]
    Removed {
        /// The site whose it was.
        site: SiteId,
    },
}

impl DomainEvent {
    /// The site that it is about.
    #[must_use]
    pub const fn site(&self) -> SiteId {
        match self {
            Self::Added { site, .. }
            | Self::Changed { site, .. }
            | Self::CheckRequested { site }
            | Self::CheckFailed { site, .. }
            | Self::Verified { site }
            | Self::Failed { site, .. }
            | Self::Removed { site } => *site,
        }
    }
}
