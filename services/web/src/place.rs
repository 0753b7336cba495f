//! Which site a request means: by its id, or by the name of a host that is or was its own. And which organization: by its id,
//! or by its present name.

use crate::app::App;
use crate::problem::Problem;
use events::ids::Invalid;
use events::{Handle, Host, OrganizationId, OrganizationName, Refusal, SiteId, SiteName};
use runtime::telemetry;
use serde::Deserialize;
use std::fmt;
use std::str::FromStr;

/// A site, or what else has an id and a name, as a caller names it. No name has the form of an id.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String", bound(deserialize = "I: FromStr, N: FromStr<Err = Invalid>"))]
pub(crate) enum Place<I = SiteId, N = SiteName> {
    Id(I),
    Name(N),
}

/// An organization as a caller names it.
pub(crate) type Owner = Place<OrganizationId, OrganizationName>;

impl<I: FromStr, N: FromStr<Err = Invalid>> FromStr for Place<I, N> {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => text.parse().map(Self::Name),
        }
    }
}

impl<I: FromStr, N: FromStr<Err = Invalid>> TryFrom<String> for Place<I, N> {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl<I: fmt::Display, N: fmt::Display> fmt::Display for Place<I, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

impl App {
    /// The id of a site that a command is about, as the log knows it: commands do not need the read model.
    pub(crate) async fn site_id(&self, place: &Place) -> Result<SiteId, Problem> {
        telemetry::http_about_site(place);
        match place {
            Place::Id(id) => Ok(*id),
            Place::Name(name) => {
                let host = self.log.load::<Host>(name.as_str()).await?.state;
                host.site().ok_or(Problem::Refused(Refusal::SiteNotFound))
            }
        }
    }

    /// The id of an organization that a command is about, as the log knows it. Of an id nothing is asked: whoever decides
    /// will see whether there is such an organization.
    pub(crate) async fn organization_id(&self, owner: &Owner) -> Result<OrganizationId, Problem> {
        match owner {
            Place::Id(id) => Ok(*id),
            Place::Name(name) => match self.log.load::<Handle>(name.as_str()).await?.state {
                Handle::Claimed(id) => Ok(id),
                Handle::Free => Err(Refusal::OrganizationNotFound.into()),
            },
        }
    }
}
