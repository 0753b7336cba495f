//! Identities that machines make: events, builds, deploys, commits and content digests.

use crate::Branch;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// Identity of a fact: UUIDv7, or UUIDv5 of its cause when a consumer derived it (RFC 9562).
pub type EventId = Uuid;

/// Why a text is not the identity it should be. The message is for the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub(crate) String);

impl Invalid {
    /// The same of a text that is read elsewhere.
    #[must_use]
    pub const fn because(why: String) -> Self {
        Self(why)
    }
}

/// The id of the `index`-th fact that a consumer derives from `cause`: a redelivery derives the same id.
#[must_use]
pub fn derived(cause: EventId, subject: &str, fact: &str, index: usize) -> EventId {
    Uuid::new_v5(&cause, format!("{subject}/{fact}/{index}").as_bytes())
}

/// The id of the fact recorded for a webhook delivery: the sender's redelivery has the same id.
#[must_use]
pub fn of_delivery(source: &str, delivery: &str) -> EventId {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("urn:pagefold:{source}:{delivery}").as_bytes())
}

/// Identity of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct BuildId(pub Uuid);

impl BuildId {
    /// The build that `cause` (a push, a new site) makes for `site`: the same cause never makes two.
    #[must_use]
    pub fn of(cause: EventId, site: SiteId) -> Self {
        Self(Uuid::new_v5(&cause, format!("build/{site}").as_bytes()))
    }

    /// The build of `branch` that the schedules of `site` make at a moment, in seconds since 1970: a moment never makes two.
    #[must_use]
    pub fn scheduled(site: SiteId, branch: &Branch, at_s: i64) -> Self {
        Self(Uuid::new_v5(&site.0, format!("schedule/{at_s}/{branch}").as_bytes()))
    }
}

/// Identity of a site, given at its creation and kept whatever it is called: a UUIDv7 (RFC 9562), or a UUIDv5 of the request
/// that its caller gave a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SiteId(pub Uuid);

/// Identity of an organization, given at its creation: a UUIDv7 (RFC 9562), or a UUIDv5 as for a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct OrganizationId(pub Uuid);

/// Identity of a person, given when they are first known: a UUIDv7 (RFC 9562). It says nothing about who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct UserId(pub Uuid);

/// Identity of an invitation: a UUIDv4, or a UUIDv5 as for a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct InvitationId(pub Uuid);

/// Identity of an identity that a provider vouches for: a UUID that is made with the installation's key, so that it tells nobody
/// else who has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct IdentityId(pub Uuid);

/// Identity of an API token, given at its creation: a UUIDv4, or a UUIDv5 as for a site. It is a part of the token, and no
/// secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct TokenId(pub Uuid);

/// Identity of a receiver of notices: a UUIDv7, or a UUIDv5 as for a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ReceiverId(pub Uuid);

/// Identity of a route, given when it is added: a UUIDv7, or a UUIDv5 as for a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RouteId(pub Uuid);

/// Identity of a share link, given when it is made: a UUIDv4, or a UUIDv5 as for a site. It is a part of the link, and no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct LinkId(pub Uuid);

/// Identity of a notice: a UUIDv5 of its receiver and the fact it tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct NoticeId(pub Uuid);

macro_rules! uuid_text {
    ($($name:ident => $what:literal),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                text.parse().map(Self).map_err(|_| Invalid(format!("`{text}` is not the id of {} (a UUID)", $what)))
            }
        }
    )*};
}

uuid_text!(
    BuildId => "a build", SiteId => "a site", OrganizationId => "an organization", UserId => "a person", TokenId => "a token",
    InvitationId => "an invitation", ReceiverId => "a receiver", NoticeId => "a notice", IdentityId => "an identity",
    RouteId => "a route", LinkId => "a share link"
);

/// Characters of a deploy id.
pub const DEPLOY_ID_LENGTH: usize = 12;
const BASE32HEX: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// Identity of a deploy: 12 characters of lower-case base32hex (60 bits), so that it fits in a host name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[0-9a-v]{12}$"))]
pub struct DeployId(String);

impl DeployId {
    /// The deploy that `build` makes: the same build never makes two.
    #[must_use]
    pub fn of(build: BuildId) -> Self {
        let hash = Sha256::digest(build.0.as_bytes());
        let pick = |byte: &u8| char::from(BASE32HEX[usize::from(*byte) % BASE32HEX.len()]);
        Self(hash.iter().take(DEPLOY_ID_LENGTH).map(pick).collect())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `text` has the shape of a deploy id.
    #[must_use]
    pub fn is_shaped(text: &str) -> bool {
        text.len() == DEPLOY_ID_LENGTH && text.bytes().all(|byte| BASE32HEX.contains(&byte))
    }
}

impl TryFrom<String> for DeployId {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        if Self::is_shaped(&text) {
            Ok(Self(text))
        } else {
            Err(Invalid(format!("`{text}` is not a deploy id ({DEPLOY_ID_LENGTH} characters of 0-9 and a-v)")))
        }
    }
}

/// A git commit: 40 or 64 lower-case hexadecimal digits (SHA-1 or SHA-256 repositories).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^([0-9a-f]{40}|[0-9a-f]{64})$"))]
pub struct CommitId(String);

impl CommitId {
    /// The full object name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first seven digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..7]
    }
}

impl TryFrom<String> for CommitId {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let hexadecimal = text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if hexadecimal && matches!(text.len(), 40 | 64) {
            Ok(Self(text))
        } else {
            Err(Invalid(format!("`{text}` is not a full commit id (40 or 64 lower-case hexadecimal digits)")))
        }
    }
}

/// A SHA-256 digest of content, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[0-9a-f]{64}$"))]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `content`.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        Self(Sha256::digest(content).into())
    }

    /// The digest whose 32 bytes are known, as a streaming hasher gives them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl TryFrom<String> for Digest {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let mut bytes = [0; 32];
        let upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
        if upper || hex::decode_to_slice(&text, &mut bytes).is_err() {
            return Err(Invalid(format!("`{text}` is not a SHA-256 digest (64 lower-case hexadecimal digits)")));
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

/// Text conversions every validated text newtype shares.
macro_rules! text {
    ($($name:ident),*) => {$(
        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::ids::Invalid;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::try_from(text.to_owned())
            }
        }
    )*};
}
pub(crate) use text;

text!(DeployId, CommitId);

impl FromStr for Digest {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::try_from(text.to_owned())
    }
}
