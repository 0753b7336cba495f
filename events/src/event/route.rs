//! Facts about routes: what a path of a host leads to, whichever site the host has, if any.

use crate::routing::{HostName, Leads, Reach, RoutePath};
use crate::{RouteId, SiteId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What one path of one host leads to. A path has one route at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RouteEvent {
    /// From now on the path leads there.
    #[serde(rename = "added.v1")]
    Added(Routed),
    /// The path leads nowhere of its own any more: what the host has there answers again.
    #[serde(rename = "removed.v1")]
    Removed {
        /// Which route it was.
        route: RouteId,
        /// The host.
        host: HostName,
        /// The path.
        path: RoutePath,
        /// The site whose host it is, if it was one's when the route was added.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<SiteId>,
    },
}

/// A route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Routed {
    /// Its identity.
    pub route: RouteId,
    /// The host whose path it is.
    pub host: HostName,
    /// The path.
    pub path: RoutePath,
    /// Whether it is of all paths below, too.
    pub kind: Reach,
    /// Where it leads.
    pub leads: Leads,
    /// The site whose host it is; none for a host that is no site's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<SiteId>,
}
