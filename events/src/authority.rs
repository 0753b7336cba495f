//! Who may do what. One pure function answers for every command, whoever asks and wherever from.
//!
//! Roles follow cloud.gov Pages: a `user` of an organization does everything for its sites, a `manager` also cares for its
//! people; a platform `admin` does everything, `support` reads everything and changes nothing. A token has a part of its
//! maker's authority: up to its scope, within its organization or site.

use crate::{OrganizationId, SiteId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What a token may be used for. Each includes those before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Look at everything.
    Read,
    /// Build, cancel, promote, roll back.
    Deploy,
    /// Whatever its maker may do there.
    Manage,
}

/// What somebody is in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Cares for its sites.
    User,
    /// Also cares for its people.
    Manager,
}

/// What somebody is for the whole installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PlatformRole {
    /// Reads all, changes nothing.
    Support,
    /// Does all.
    Admin,
}

/// Who belongs to an organization, and as what.
pub type Members = BTreeMap<UserId, Role>;

/// What there is to know of an organization before a command about it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// Who belongs to it.
    pub members: Members,
    /// Whether its people may change nothing now.
    pub is_suspended: bool,
}

/// Whoever asks, as far as authority goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// What they are for the whole installation.
    pub platform: Option<PlatformRole>,
    /// Who they are; none for a token of the configuration.
    pub user: Option<UserId>,
    /// What they came with is good for no more than this.
    pub bounds: Bounds,
}

/// What a token or a session is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The greatest of its scopes.
    pub scope: Scope,
    /// The only organization.
    pub organization: Option<OrganizationId>,
    /// The only site.
    pub site: Option<SiteId>,
}

/// What may be asked of the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is called what it does")]
pub enum Command {
    Read,
    RequestBuild,
    CancelBuild,
    PointAlias,
    PushSource,
    Purge,
    CreateSite,
    ChangeSite,
    DeleteSite,
    RestoreSite,
    LockSite,
    ChangeReceivers,
    RotateWebhookSecret,
    ChangeBuildSecrets,
    ShareSite,
    CreateToken,
    RevokeToken,
    RenameOrganization,
    ChangeMembers,
    InvitePeople,
    ChangeRoutes,
    ChangeDomains,
    CreateSignInLink,
    ChangeIdentities,
    CreateOrganization,
    ChangePlatformRoles,
    ErasePeople,
    SuspendPeople,
    SuspendOrganization,
    LimitOrganization,
    RouteHosts,
    HandleParked,
    CollectDeploys,
}

/// What a command is about: a site and whose it is, an organization, the platform itself, or whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State<'a> {
    /// No organization: what is the installation's own.
    Platform,
    /// What is the asker's own: their tokens, their sessions.
    Own,
    /// An organization, or something of it that is no site.
    Organization(OrganizationId, &'a Standing),
    /// A site of an organization, or something of it.
    Site(SiteId, OrganizationId, &'a Standing),
}

/// How far somebody's authority reaches. Each includes those before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// Looks.
    Read,
    /// Looks at the whole installation.
    Oversee,
    /// Decides what is built and shown.
    Deploy,
    /// Decides what sites there are and what they are.
    Manage,
    /// Decides who belongs to an organization, where paths of its hosts lead, and which domains its sites have.
    People,
    /// Decides what organizations there are.
    Administer,
}

/// Why somebody may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// For them it does not exist.
    #[error("there is no such thing for you")]
    Hidden,
    /// It takes more.
    #[error("this takes {0}")]
    Forbidden(Rank),
    /// They might if the organization were not suspended.
    #[error("the organization is suspended")]
    Suspended,
}

impl Holder {
    /// The platform's own: who configured it.
    pub const OPERATOR: Self = Self { platform: Some(PlatformRole::Admin), user: None, bounds: Bounds::NONE };

    /// A person who signed in.
    #[must_use]
    pub const fn person(user: UserId, platform: Option<PlatformRole>) -> Self {
        Self { platform, user: Some(user), bounds: Bounds::NONE }
    }
}

impl Bounds {
    /// No bounds.
    pub const NONE: Self = Self { scope: Scope::Manage, organization: None, site: None };

    /// How far it reaches at `state`; none if it is not good for that.
    fn rank(&self, state: &State<'_>) -> Option<Rank> {
        let (site, organization) = match state {
            State::Platform | State::Own => (None, None),
            State::Organization(organization, _) => (None, Some(*organization)),
            State::Site(site, organization, _) => (Some(*site), Some(*organization)),
        };
        let is_within = (self.organization.is_none() || self.organization == organization)
            && (self.site.is_none() || self.site == site);
        is_within.then_some(match self.scope {
            Scope::Read => Rank::Read,
            Scope::Deploy => Rank::Deploy,
            Scope::Manage => Rank::Administer,
        })
    }
}

impl Command {
    /// How much authority it takes.
    #[must_use]
    pub const fn takes(self) -> Rank {
        match self {
            Self::Read => Rank::Read,
            Self::RequestBuild | Self::CancelBuild | Self::PointAlias | Self::PushSource | Self::Purge => Rank::Deploy,
            Self::CreateSite
            | Self::ChangeSite
            | Self::DeleteSite
            | Self::RestoreSite
            | Self::LockSite
            | Self::ChangeReceivers
            | Self::RotateWebhookSecret
            | Self::ChangeBuildSecrets
            | Self::ShareSite
            | Self::CreateToken => Rank::Manage,
            Self::RevokeToken
            | Self::RenameOrganization
            | Self::ChangeMembers
            | Self::InvitePeople
            | Self::ChangeRoutes
            | Self::ChangeDomains => Rank::People,
            Self::CreateSignInLink
            | Self::ChangeIdentities
            | Self::CreateOrganization
            | Self::ChangePlatformRoles
            | Self::ErasePeople
            | Self::SuspendPeople
            | Self::SuspendOrganization
            | Self::LimitOrganization
            | Self::RouteHosts
            | Self::HandleParked
            | Self::CollectDeploys => Rank::Administer,
        }
    }
}

impl State<'_> {
    /// What `holder` is here, whatever they came with.
    fn rank(&self, holder: &Holder) -> Option<Rank> {
        let members = match self {
            Self::Own => return Some(Rank::Administer),
            Self::Platform => None,
            Self::Organization(_, standing) | Self::Site(_, _, standing) => Some(&standing.members),
        };
        let role = holder.user.and_then(|user| members?.get(&user));
        let member = role.map(|role| match role {
            Role::User => Rank::Manage,
            Role::Manager => Rank::People,
        });
        let platform = holder.platform.map(|role| match role {
            PlatformRole::Support => Rank::Read,
            PlatformRole::Admin => Rank::Administer,
        });
        member.max(platform)
    }

    const fn is_suspended(&self) -> bool {
        match self {
            Self::Platform | Self::Own => false,
            Self::Organization(_, standing) | Self::Site(_, _, standing) => standing.is_suspended,
        }
    }
}

/// Whether `holder` may give `command` about what is as `state` says.
///
/// # Errors
/// A [`Denial`] that tells what it takes, or that there is nothing for them.
pub fn authorize(holder: &Holder, command: Command, state: &State<'_>) -> Result<(), Denial> {
    let rank = state.rank(holder).zip(holder.bounds.rank(state)).map(|(own, bound)| own.min(bound));
    match rank {
        // Whoever suspends an organization looks after it meanwhile.
        Some(rank) if rank >= command.takes() && state.is_suspended() && command.takes() > Rank::Read => {
            let is_admin = holder.platform == Some(PlatformRole::Admin);
            if is_admin { Ok(()) } else { Err(Denial::Suspended) }
        }
        Some(rank) if rank >= command.takes() => Ok(()),
        // That there is a platform is no secret, nor is one's own.
        None if !matches!(state, State::Platform | State::Own) => Err(Denial::Hidden),
        Some(_) | None => Err(Denial::Forbidden(command.takes())),
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "user",
            Self::Manager => "manager",
        })
    }
}

impl fmt::Display for PlatformRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Support => "support",
            Self::Admin => "admin",
        })
    }
}

impl fmt::Display for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "a member of the organization, or the platform role `support`",
            Self::Oversee => "the platform role `support` or `admin`",
            Self::Deploy => "the role `user` or `manager` of the organization, and a token's scope `deploy`",
            Self::Manage => "the role `user` or `manager` of the organization, and a token's scope `manage`",
            Self::People => "the role `manager` of the organization, and a token's scope `manage`",
            Self::Administer => "the platform role `admin`, and a token's scope `manage`",
        })
    }
}

#[cfg(test)]
mod tests;
