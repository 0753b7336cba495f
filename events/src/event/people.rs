//! Facts about people, and who may do what: persons, the identities they sign in with, invitations, tokens.

use crate::authority::{PlatformRole, Role, Scope};
use crate::{Digest, OrganizationId, Sealed, SiteId, TokenName, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use time::OffsetDateTime;

/// The life of a person, as far as Pagefold knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum UserEvent {
    /// Somebody is known from now on.
    #[serde(rename = "created.v1")]
    Created {
        /// What they are called.
        name: Sealed,
        /// Where mail reaches them.
        email: Sealed,
    },
    /// They began a session.
    #[serde(rename = "signed_in.v1")]
    SignedIn {},
    /// They are something else for the whole installation, or nothing any more.
    #[serde(rename = "platform_role_changed.v1")]
    PlatformRoleChanged {
        /// What; nothing if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<PlatformRole>,
    },
    /// They may do nothing until they are reinstated: no session and no token of theirs is good.
    #[serde(rename = "suspended.v1")]
    Suspended {
        /// Why, for them.
        #[schemars(length(min = 1, max = 500))]
        reason: String,
    },
    /// They are suspended no more.
    #[serde(rename = "reinstated.v1")]
    Reinstated {},
    /// They have let the installation use their account at GitHub, in the place of one they had connected before.
    #[serde(rename = "github_connected.v1")]
    GithubConnected {
        /// What the account is called there.
        account: Sealed,
        /// By which it is used.
        token: Sealed,
    },
    /// The installation uses no account of theirs at GitHub any more.
    #[serde(rename = "github_disconnected.v1")]
    GithubDisconnected {},
    /// Who they were is forgotten: their key is destroyed. They may do nothing any more.
    #[serde(rename = "erased.v1")]
    Erased {},
}

/// The life of an invitation to an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum InvitationEvent {
    /// Somebody was invited.
    #[serde(rename = "created.v1")]
    Created(Invited),
    /// They came, or somebody who was known already did.
    #[serde(rename = "accepted.v1")]
    Accepted {
        /// Who.
        user: UserId,
    },
    /// It is worth nothing any more.
    #[serde(rename = "withdrawn.v1")]
    Withdrawn {},
}

/// Who is invited to what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Invited {
    /// The organization.
    pub organization: OrganizationId,
    /// As what.
    pub role: Role,
    /// Who the invited will be unless they are known already. Their address is sealed with this person's key.
    pub user: UserId,
    /// Where the invitation was sent.
    pub email: Sealed,
    /// SHA-256 of what the link must have, which has 244 random bits.
    pub digest: Digest,
    /// When it ends by itself.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub expires_at: OffsetDateTime,
}

/// The life of an identity that a provider of identities vouches for, as long as it is somebody's here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum IdentityEvent {
    /// It is a person's: whoever proves to have it signs in as them.
    #[serde(rename = "bound.v1")]
    Bound {
        /// Whose.
        user: UserId,
        /// The provider: the issuer of OpenID Connect, or the address of GitHub.
        issuer: String,
        /// What it is called there.
        account: Sealed,
    },
    /// It is nobody's any more.
    #[serde(rename = "unbound.v1")]
    Unbound {
        /// Whose it was.
        user: UserId,
    },
}

/// The life of an API token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TokenEvent {
    /// A token was made, and shown once.
    #[serde(rename = "created.v1")]
    Created(TokenGrant),
    /// It is worth nothing any more.
    #[serde(rename = "revoked.v1")]
    Revoked {},
}

/// What a token is good for. Never more than its maker may do at the moment of its use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenGrant {
    /// What its maker calls it.
    pub name: TokenName,
    /// What it may be used for; the greatest includes the others.
    #[schemars(length(min = 1))]
    pub scopes: BTreeSet<Scope>,
    /// The only organization it is good for; all of its maker's if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationId>,
    /// The only site it is good for; all of the organization's if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteId>,
    /// Whose authority it has a part of; the platform's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maker: Option<UserId>,
    /// SHA-256 of the token as its holder presents it, which has 244 random bits.
    pub digest: Digest,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub expires_at: Option<OffsetDateTime>,
}
