//! Facts about organizations, which own sites, and what they are called.

use crate::authority::Role;
use crate::{OrganizationId, OrganizationName, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// The life of an organization, which owns sites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OrganizationEvent {
    /// An organization was created.
    #[serde(rename = "created.v1")]
    Created {
        /// What it is called; claimed at the same moment.
        name: OrganizationName,
    },
    /// The organization has another name, claimed at the same moment; its former one is released, for anybody.
    #[serde(rename = "renamed.v1")]
    Renamed {
        /// What it is called now.
        name: OrganizationName,
        /// What it was called.
        previous: OrganizationName,
    },
    /// Somebody belongs to the organization from now on.
    #[serde(rename = "member_added.v1")]
    MemberAdded {
        /// Who.
        user: UserId,
        /// As what.
        role: Role,
    },
    /// A member is something else from now on.
    #[serde(rename = "member_role_changed.v1")]
    MemberRoleChanged {
        /// Who.
        user: UserId,
        /// What they are now.
        role: Role,
        /// What they were.
        previous: Role,
    },
    /// Somebody does not belong to the organization any more.
    #[serde(rename = "member_removed.v1")]
    MemberRemoved {
        /// Who.
        user: UserId,
        /// What they were.
        role: Role,
    },
    /// Its people may change nothing any more and its pushes are not built. What its readers see stays.
    #[serde(rename = "suspended.v1")]
    Suspended {
        /// Why, for its people.
        #[schemars(length(min = 1, max = 500))]
        reason: String,
    },
    /// It is suspended no more.
    #[serde(rename = "reinstated.v1")]
    Reinstated {},
    /// From now on it may have no more than this.
    #[serde(rename = "limits_changed.v1")]
    LimitsChanged {
        /// All limits, the unchanged among them.
        limits: OrganizationLimits,
    },
    /// It is for trying things out from now on: all its sites are deleted once in a while.
    #[serde(rename = "sandbox_begun.v1")]
    SandboxBegun(Sandbox),
    /// It is as any other from now on: what it has is kept.
    #[serde(rename = "sandbox_ended.v1")]
    SandboxEnded {},
    /// Its people were told that its sites are going to be deleted.
    #[serde(rename = "clean_up_announced.v1")]
    CleanUpAnnounced {
        /// When; later than was meant at first if the announcement came late.
        #[serde(with = "time::serde::rfc3339")]
        #[schemars(with = "String", extend("format" = "date-time"))]
        clean_up_at: OffsetDateTime,
    },
    /// Its sites were deleted, but for those that were locked.
    #[serde(rename = "cleaned_up.v1")]
    CleanedUp {
        /// When it happens next.
        #[serde(with = "time::serde::rfc3339")]
        #[schemars(with = "String", extend("format" = "date-time"))]
        clean_up_at: OffsetDateTime,
    },
}

/// How much an organization may have; what is absent is unlimited, or limited for the whole installation only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct OrganizationLimits {
    /// Sites, the deleted not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sites: Option<u32>,
    /// Members, the invited not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<u32>,
    /// Builds that run or have a slot at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builds: Option<u32>,
}

/// How often the sites of an organization for trying things out are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sandbox {
    /// Days from one time to the next.
    #[schemars(range(min = 1, max = 365))]
    pub days: u16,
    /// When it happens next.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub clean_up_at: OffsetDateTime,
}

/// Who is called by a name that organizations share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum HandleEvent {
    /// From now on the name means this organization.
    #[serde(rename = "claimed.v1")]
    Claimed {
        /// Which one.
        organization: OrganizationId,
    },
    /// The name means nobody any more.
    #[serde(rename = "released.v1")]
    Released {
        /// Who gave it up.
        organization: OrganizationId,
    },
}
