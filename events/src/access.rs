//! Who may read what a site shows: everybody, unless its people close its live host or its previews.

use crate::ids::{Invalid, text};
use crate::{AliasName, LinkId, Refusal, SiteEvent};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use time::OffsetDateTime;

/// Share links that a site may have at the same time.
pub const SHARE_LINKS_MAX: usize = 100;
/// How long a share link is good at most, in seconds: a year.
pub const SHARE_LINK_SECONDS_MAX: u32 = 365 * 24 * 60 * 60;
/// How long a password may be, in bytes.
pub const PASSWORD_MIN: usize = 6;
/// The same upwards.
pub const PASSWORD_MAX: usize = 200;

/// Whom a site lets in, wherever it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Access {
    /// To its live host.
    pub live: Mode,
    /// To the hosts of its previews and of its demo.
    pub preview: Mode,
}

/// Who is let in. Whoever has a share link is, whatever the mode. The order is that of strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Everybody.
    #[default]
    Public,
    /// Whoever knows the password.
    Password,
    /// Whoever may see the site in the dashboard.
    Members,
    /// Nobody without a share link: for everybody else there is no such site.
    Link,
}

/// Which of a site's hosts a password is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Hosts {
    /// The live one.
    Live,
    /// Those of previews and of the demo.
    Preview,
}

/// A password as a slow, salted hash, in the PHC's format for strings. It was made with a key of the installation too, so that whoever
/// reads the log cannot even guess.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^\\$argon2id\\$[!-~]{20,240}$"))]
pub struct PasswordHash(String);

text!(PasswordHash);

/// The passwords of a site, each for as long as another is not set.
pub type Passwords = BTreeMap<Hosts, PasswordHash>;

/// A link that lets in whoever has it. What proves it is not written down: it is signed with a key of the installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShareLink {
    /// Its identity.
    pub link: LinkId,
    /// What it leads to; everything that the site shows if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<AliasName>,
    /// When it ends by itself.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub expires_at: OffsetDateTime,
}

/// The share links of a site that were not revoked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShareLinks {
    made: BTreeMap<LinkId, ShareLink>,
    revoked: BTreeSet<LinkId>,
}

/// What may be asked of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Make one. Asked again for the same, it is there already.
    Make {
        /// Which.
        link: ShareLink,
        /// The present moment: those whose time is over do not count.
        now: OffsetDateTime,
    },
    /// It lets nobody in any more.
    Revoke(LinkId),
}

impl ShareLinks {
    pub(crate) fn decide(&self, command: &Command) -> Result<Option<SiteEvent>, Refusal> {
        match command {
            Command::Make { link, .. } if self.made.contains_key(&link.link) => Ok(None),
            // Whoever repeats a request does not undo what happened since.
            Command::Make { link, .. } if self.revoked.contains(&link.link) => Err(Refusal::ShareLinkNotFound),
            Command::Make { now, .. }
                if self.made.values().filter(|made| made.expires_at > *now).count() >= SHARE_LINKS_MAX =>
            {
                Err(Refusal::TooManyShareLinks)
            }
            Command::Make { link, .. } => Ok(Some(SiteEvent::ShareLinkMade(link.clone()))),
            Command::Revoke(link) if self.revoked.contains(link) => Ok(None),
            Command::Revoke(link) => match self.made.get(link) {
                Some(_) => Ok(Some(SiteEvent::ShareLinkRevoked { link: *link })),
                None => Err(Refusal::ShareLinkNotFound),
            },
        }
    }

    pub(crate) fn make(&mut self, link: ShareLink) {
        self.made.insert(link.link, link);
    }

    pub(crate) fn revoke(&mut self, link: LinkId) {
        self.made.remove(&link);
        self.revoked.insert(link);
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, link: LinkId) -> Option<&ShareLink> {
        self.made.get(&link)
    }
}

impl Access {
    /// Who is let in where an alias is shown.
    #[must_use]
    pub const fn of(&self, alias: &AliasName) -> Mode {
        self.to(Hosts::of(alias))
    }

    /// Who is let in to these hosts.
    #[must_use]
    pub const fn to(&self, hosts: Hosts) -> Mode {
        match hosts {
            Hosts::Live => self.live,
            Hosts::Preview => self.preview,
        }
    }

    /// What is closed, in a few words each.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let named = [("the live site", self.live), ("previews", self.preview)];
        let closed = named.into_iter().filter(|(_, mode)| *mode != Mode::Public);
        closed.map(|(what, mode)| format!("{what} for {}", mode.who())).collect()
    }
}

impl Hosts {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Live, Self::Preview];

    /// Where an alias is shown.
    #[must_use]
    pub const fn of(alias: &AliasName) -> Self {
        match alias {
            AliasName::Live => Self::Live,
            AliasName::Demo | AliasName::Preview(_) => Self::Preview,
        }
    }
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 4] = [Self::Public, Self::Password, Self::Members, Self::Link];

    /// Who is let in, in a few words.
    #[must_use]
    pub const fn who(self) -> &'static str {
        match self {
            Self::Public => "everybody",
            Self::Password => "whoever knows the password",
            Self::Members => "members who have signed in",
            Self::Link => "whoever has a share link",
        }
    }
}

impl ShareLink {
    /// Whether it lets in where `alias` is shown.
    #[must_use]
    pub fn covers(&self, alias: &AliasName) -> bool {
        self.alias.as_ref().is_none_or(|own| own == alias)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Password => "password",
            Self::Members => "members",
            Self::Link => "link",
        })
    }
}

impl FromStr for Mode {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let found = Self::ALL.into_iter().find(|mode| mode.to_string() == text);
        found.ok_or_else(|| Invalid(format!("`{}` is none of public, members, password, link", text.escape_debug())))
    }
}

impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Live => "live",
            Self::Preview => "preview",
        })
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

impl PasswordHash {
    /// The hash as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PasswordHash {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let rest = text.strip_prefix("$argon2id$").unwrap_or_default();
        let is_plain = rest.bytes().all(|byte| byte.is_ascii_graphic());
        if is_plain && (20..=240).contains(&rest.len()) {
            Ok(Self(text))
        } else {
            Err(Invalid("this is not the hash of a password".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests;
