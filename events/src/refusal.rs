//! Why the domain says no. Each refusal has a stable code for programs and a sentence for people.

use crate::access::SHARE_LINKS_MAX;
use crate::domain::DOMAINS_MAX;
use crate::variable::VARIABLES_MAX;
use crate::{AliasName, DeployId, RouteId, VariableName};

/// A rule of the domain that forbids a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The site's name is in use.
    #[error("this name is taken by another site")]
    SiteExists,
    /// The name belonged to a site of another organization.
    #[error(
        "this name belonged to a site of another organization, and is kept for it so that old links cannot be taken over"
    )]
    SiteNameRetired,
    /// The site was changed since the caller looked.
    #[error("the site was changed meanwhile: you saw version {seen}, it is at {version}")]
    SiteChanged {
        /// The version the caller saw.
        seen: u64,
        /// The version it has.
        version: u64,
    },
    /// The organization's name is in use.
    #[error("this name is taken by another organization")]
    OrganizationExists,
    /// The organization was changed since the caller looked.
    #[error("the organization was changed meanwhile: you saw version {seen}, it is at {version}")]
    OrganizationChanged {
        /// The version the caller saw.
        seen: u64,
        /// The version it has.
        version: u64,
    },
    /// There is no such organization.
    #[error("there is no such organization")]
    OrganizationNotFound,
    /// It is suspended, and the command would change something of it.
    #[error("the organization is suspended: {reason}")]
    OrganizationSuspended {
        /// Why it is.
        reason: String,
    },
    /// It has as many sites, or members, as it may.
    #[error("the organization may have no more than {max} {of}")]
    OrganizationFull {
        /// `sites` or `members`.
        of: &'static str,
        /// How many it may have.
        max: u32,
    },
    /// It is no sandbox, or it has moved on.
    #[error("this clean-up is not due")]
    CleanUpNotDue,
    /// Its last manager would be gone.
    #[error("an organization with members keeps at least one manager")]
    LastManager,
    /// The person does not belong to the organization.
    #[error("there is no such member")]
    MemberNotFound,
    /// There is no such person.
    #[error("there is no such person")]
    UserNotFound,
    /// The person is suspended.
    #[error("you are suspended here: {reason}")]
    UserSuspended {
        /// Why they are.
        reason: String,
    },
    /// Nobody suspends themselves: they could not undo it.
    #[error("nobody suspends themselves")]
    OwnSuspension,
    /// There is no such invitation.
    #[error("there is no such invitation")]
    InvitationNotFound,
    /// The invitation was made before.
    #[error("this invitation was made before; its link was shown then")]
    InvitationExists,
    /// The invitation was accepted or withdrawn, or its time is over.
    #[error("this invitation is over; ask for another")]
    InvitationOver,
    /// The identity signs in somebody else.
    #[error("this identity belongs to another person here")]
    IdentityTaken,
    /// There is no such identity.
    #[error("there is no such identity")]
    IdentityNotFound,
    /// The token was made before.
    #[error("this token was made before")]
    TokenExists,
    /// There is no such token.
    #[error("there is no such token")]
    TokenNotFound,
    /// The receiver was made before.
    #[error("this receiver was made before; its secret was shown then")]
    ReceiverExists,
    /// There is no such receiver of notices.
    #[error("there is no such receiver")]
    ReceiverNotFound,
    /// The receiver was changed since the caller looked.
    #[error("the receiver was changed meanwhile: you saw version {seen}, it is at {version}")]
    ReceiverChanged {
        /// The version the caller saw.
        seen: u64,
        /// The version it has.
        version: u64,
    },
    /// The site has as many receivers as a site may have.
    #[error("a site has at most {} receivers", crate::receiver::RECEIVERS_MAX)]
    TooManyReceivers,
    /// There is no such notice, or it is still on its way.
    #[error("there is no such delivery, or it is still on its way")]
    NoticeNotFound,
    /// The path has a route already.
    #[error("this path has an owner already: route {route}")]
    RouteTaken {
        /// Which one.
        route: RouteId,
    },
    /// There is no such route.
    #[error("there is no such route")]
    RouteNotFound,
    /// The name is a domain of another site.
    #[error("this name is a domain of another site")]
    DomainTaken,
    /// There is no such domain.
    #[error("there is no such domain")]
    DomainNotFound,
    /// The name is one that the platform itself answers at.
    #[error("this name is the platform’s own")]
    DomainReserved,
    /// The site has as many domains as it may.
    #[error("a site has at most {DOMAINS_MAX} domains")]
    TooManyDomains,
    /// There is no such share link, or it was revoked.
    #[error("there is no such share link")]
    ShareLinkNotFound,
    /// The site has as many share links as it may.
    #[error("a site has at most {SHARE_LINKS_MAX} share links at the same time")]
    TooManyShareLinks,
    /// There is no such site.
    #[error("there is no such site")]
    SiteNotFound,
    /// The site was deleted so long ago that nothing is kept of it.
    #[error("the site was deleted for good; nothing is kept of it")]
    SiteErased,
    /// The variable's name means something in every build already.
    #[error("`{0}` is set by the platform in every build")]
    VariableReserved(VariableName),
    /// The site has as many variables as it may.
    #[error("a site has at most {VARIABLES_MAX} variables")]
    TooManyVariables,
    /// A token would be sent where others can read along, or there is nowhere to send it.
    #[error("a token is for a repository whose address begins with `https://`; over SSH there is the deploy key")]
    SourceTokenNeedsHttps,
    /// There is no such build.
    #[error("there is no such build")]
    BuildNotFound,
    /// The build has ended, so it cannot be canceled or worked on.
    #[error("the build has ended already")]
    BuildEnded,
    /// The build has not been given a slot.
    #[error("the build has not been dispatched")]
    BuildNotDispatched,
    /// Another launcher took the build over.
    #[error("attempt {attempt} of the build was taken over by attempt {current}")]
    AttemptSuperseded {
        /// The attempt that asked.
        attempt: u32,
        /// The attempt that runs now.
        current: u32,
    },
    /// The build has not ended, so its log cannot be archived.
    #[error("the build has not ended yet")]
    BuildNotEnded,
    /// The deploy's bytes are not all in the bucket, so no tree can show it.
    #[error("the deploy has not been synced")]
    DeployNotSynced,
    /// The deploy is not kept any more: its site keeps newer ones.
    #[error("the deploy is not kept any more: its site keeps newer ones")]
    DeployCollected,
    /// There is no such deploy in this site.
    #[error("there is no deploy `{0}` in this site")]
    DeployNotFound(DeployId),
    /// A build of older source than the alias shows, or has shown, would replace it.
    #[error("`{alias}` has shown newer source than that of build {number}")]
    OlderBuild {
        /// The alias.
        alias: AliasName,
        /// The number of the build that asked.
        number: u64,
    },
    /// The alias moved since the caller looked.
    #[error("`{alias}` shows {} now, not the deploy you expected", shown(.current.as_ref()))]
    AliasMoved {
        /// The alias.
        alias: AliasName,
        /// What it shows.
        current: Option<DeployId>,
    },
    /// The site is locked: what its readers see stays.
    #[error("the site is locked: {reason}")]
    SiteLocked {
        /// Why, in the words of whoever locked it.
        reason: String,
    },
    /// The alias shows nothing.
    #[error("there is no alias `{0}`")]
    AliasNotFound(AliasName),
}

fn shown(current: Option<&DeployId>) -> String {
    current.map_or_else(|| "nothing".to_owned(), |deploy| format!("`{deploy}`"))
}

impl Refusal {
    /// The stable code, in snake case; it never changes once published.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::SiteExists => "site_exists",
            Self::SiteNameRetired => "site_name_retired",
            Self::SiteChanged { .. } => "site_changed",
            Self::OrganizationExists => "organization_exists",
            Self::OrganizationChanged { .. } => "organization_changed",
            Self::OrganizationNotFound => "organization_not_found",
            Self::OrganizationSuspended { .. } => "organization_suspended",
            Self::OrganizationFull { .. } => "organization_full",
            Self::CleanUpNotDue => "clean_up_not_due",
            Self::UserSuspended { .. } => "user_suspended",
            Self::OwnSuspension => "own_suspension",
            Self::LastManager => "last_manager",
            Self::MemberNotFound => "member_not_found",
            Self::UserNotFound => "user_not_found",
            Self::InvitationNotFound => "invitation_not_found",
            Self::InvitationExists => "invitation_exists",
            Self::InvitationOver => "invitation_over",
            Self::IdentityTaken => "identity_taken",
            Self::IdentityNotFound => "identity_not_found",
            Self::TokenExists => "token_exists",
            Self::TokenNotFound => "token_not_found",
            Self::ReceiverExists => "receiver_exists",
            Self::ReceiverNotFound => "receiver_not_found",
            Self::ReceiverChanged { .. } => "receiver_changed",
            Self::TooManyReceivers => "too_many_receivers",
            Self::NoticeNotFound => "notice_not_found",
            Self::RouteTaken { .. } => "route_taken",
            Self::RouteNotFound => "route_not_found",
            Self::DomainTaken => "domain_taken",
            Self::DomainNotFound => "domain_not_found",
            Self::DomainReserved => "domain_reserved",
            Self::TooManyDomains => "too_many_domains",
            Self::ShareLinkNotFound => "share_link_not_found",
            Self::TooManyShareLinks => "too_many_share_links",
            Self::SiteNotFound => "site_not_found",
            Self::SiteErased => "site_erased",
            Self::VariableReserved(_) => "variable_reserved",
            Self::TooManyVariables => "too_many_variables",
            Self::SourceTokenNeedsHttps => "source_token_needs_https",
            Self::BuildNotFound => "build_not_found",
            Self::BuildEnded => "build_ended",
            Self::BuildNotDispatched => "build_not_dispatched",
            Self::AttemptSuperseded { .. } => "attempt_superseded",
            Self::BuildNotEnded => "build_not_ended",
            Self::DeployNotSynced => "deploy_not_synced",
            Self::DeployCollected => "deploy_collected",
            Self::DeployNotFound(_) => "deploy_not_found",
            Self::OlderBuild { .. } => "older_build",
            Self::AliasMoved { .. } => "alias_moved",
            Self::SiteLocked { .. } => "site_locked",
            Self::AliasNotFound(_) => "alias_not_found",
        }
    }
}
