//! The words of routes: hosts, paths, and what they lead to. All of them are checked when they are read, so that whoever
//! answers by them has nothing left to refuse.

mod destination;
mod host;
mod path;

use crate::SiteId;
use crate::ids::Invalid;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

pub use destination::{DESTINATION_MAX, Destination, Origin};
pub use host::{HOST_MAX, HostName};
pub use path::{ROUTE_PATH_MAX, RoutePath};

/// Whether a route is of its path alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Of this path.
    Exact,
    /// Of this path and of all below it, by whole segments.
    Prefix,
}

/// What becomes of what was asked for below the path of a redirect, and of its query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Segments {
    /// Both go on behind the new address.
    Preserve,
    /// Neither does.
    Ignore,
}

/// How a redirect is told: whether it is for good, and whether another method may become GET.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u16", into = "u16")]
#[schemars(with = "u16", extend("enum" = [301, 302, 307, 308]))]
pub struct RedirectStatus(u16);

/// Where a route leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Leads {
    /// To the same path of what a site shows live.
    Site {
        /// Which site.
        site: SiteId,
    },
    /// To another address.
    Redirect {
        /// Which.
        to: Destination,
        /// How that is told.
        status: RedirectStatus,
        /// What goes on behind it.
        segments: Segments,
    },
    /// Nowhere, for good.
    Gone {
        /// The page that says so, of the site whose host it is; a plain one if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        page: Option<RoutePath>,
    },
    /// To a server outside, which is asked for the same path.
    Backend {
        /// Where it answers.
        backend: Origin,
    },
}

impl RedirectStatus {
    /// For good; what is usual.
    pub const PERMANENT: Self = Self(301);

    /// The status as HTTP has it.
    #[must_use]
    pub const fn code(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for RedirectStatus {
    type Error = Invalid;

    fn try_from(status: u16) -> Result<Self, Invalid> {
        match status {
            301 | 302 | 307 | 308 => Ok(Self(status)),
            other => Err(Invalid(format!("`{other}` is none of the statuses 301, 302, 307 and 308"))),
        }
    }
}

impl From<RedirectStatus> for u16 {
    fn from(status: RedirectStatus) -> Self {
        status.0
    }
}

impl Reach {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Prefix => "prefix",
        }
    }

    /// What becomes of the rest of a path unless somebody says so: a page that moved has none, a folder takes it along.
    #[must_use]
    pub const fn usual(self) -> Segments {
        match self {
            Self::Exact => Segments::Ignore,
            Self::Prefix => Segments::Preserve,
        }
    }
}

impl FromStr for Reach {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text {
            "exact" => Ok(Self::Exact),
            "prefix" => Ok(Self::Prefix),
            other => Err(Invalid(format!("`{}` is neither `exact` nor `prefix`", other.escape_debug()))),
        }
    }
}

impl Segments {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Preserve => "preserve",
            Self::Ignore => "ignore",
        }
    }
}

impl FromStr for Segments {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text {
            "preserve" => Ok(Self::Preserve),
            "ignore" => Ok(Self::Ignore),
            other => Err(Invalid(format!("`{}` is neither `preserve` nor `ignore`", other.escape_debug()))),
        }
    }
}

impl Leads {
    /// The word for it.
    #[must_use]
    pub const fn action(&self) -> &'static str {
        match self {
            Self::Site { .. } => "site",
            Self::Redirect { .. } => "redirect",
            Self::Gone { .. } => "gone",
            Self::Backend { .. } => "backend",
        }
    }

    /// Refuses a redirect that would lead back to itself on the host it is of.
    ///
    /// # Errors
    /// [`Invalid`] if whoever follows it never arrives.
    pub fn check(&self, host: &HostName, path: &RoutePath, kind: Reach) -> Result<(), Invalid> {
        let Self::Redirect { to, .. } = self else { return Ok(()) };
        let Some(there) = to.path_on(host) else { return Ok(()) };
        let returns = match kind {
            Reach::Exact => there == *path,
            Reach::Prefix => there.is_at_or_below(path),
        };
        if returns { Err(Invalid(format!("`{to}` leads back to `{host}{path}`"))) } else { Ok(()) }
    }
}

impl fmt::Display for Leads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Site { site } => write!(f, "shows site {site}"),
            Self::Redirect { to, status, .. } => write!(f, "leads to `{to}` ({})", status.code()),
            Self::Gone { page: None } => f.write_str("is gone"),
            Self::Gone { page: Some(page) } => write!(f, "is gone, and `{page}` says so"),
            Self::Backend { backend } => write!(f, "is answered by `{backend}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_that_leads_back_to_itself_is_none() {
        let host: HostName = "docs.example".parse().unwrap();
        for (path, kind, to, ok) in [
            ("/a", Reach::Exact, "/a", false),
            ("/a", Reach::Exact, "/a/?x=1#y", false),
            ("/a", Reach::Exact, "/a/b", true),
            ("/a", Reach::Prefix, "/a/b", false),
            ("/a", Reach::Prefix, "/ab", true),
            ("/", Reach::Prefix, "/new", false),
            ("/a", Reach::Prefix, "https://docs.example/a", false),
            ("/a", Reach::Prefix, "http://DOCS.example:8080/a/b", false),
            ("/a", Reach::Prefix, "https://other.example/a", true),
            ("/", Reach::Prefix, "https://other.example", true),
            ("/", Reach::Exact, "https://docs.example", false),
        ] {
            let (to, status, segments) = (to.parse().unwrap(), RedirectStatus::PERMANENT, kind.usual());
            let leads = Leads::Redirect { to, status, segments };
            assert_eq!(leads.check(&host, &path.parse().unwrap(), kind).is_ok(), ok, "{path} {kind:?} {leads}");
        }
        assert_eq!(Leads::Gone { page: None }.check(&host, &"/".parse().unwrap(), Reach::Prefix), Ok(()));
    }

    #[test]
    fn a_redirect_is_told_in_one_of_four_ways() {
        for status in 300..400 {
            assert_eq!(RedirectStatus::try_from(status).is_ok(), [301, 302, 307, 308].contains(&status), "{status}");
        }
    }
}
