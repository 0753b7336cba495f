//! Which site a request means: by its id, or by the name of a host that is or was its own.

use crate::app::App;
use crate::problem::Problem;
use events::ids::Invalid;
use events::{Host, Refusal, SiteId, SiteName};
use projections::sites::Site;
use std::fmt;
use std::str::FromStr;

/// A site as a caller names it. No name has the form of an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Id(SiteId),
    Name(SiteName),
}

impl FromStr for Place {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => text.parse().map(Self::Name),
        }
    }
}

impl fmt::Display for Place {
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
        match place {
            Place::Id(id) => Ok(*id),
            Place::Name(name) => {
                let host = self.log.load::<Host>(name.as_str()).await?.state;
                host.site().ok_or(Problem::Refused(Refusal::SiteNotFound))
            }
        }
    }

    /// The site that a question is about, as the read model shows it; one that was deleted is not there.
    pub(crate) async fn site(&self, place: &Place) -> Result<Site, Problem> {
        let site = self.any_site(place).await?.filter(|site| site.deleted_at.is_none());
        site.ok_or(Problem::Refused(Refusal::SiteNotFound))
    }

    /// The site whose history is asked for, which outlives the site.
    pub(crate) async fn history_of(&self, place: &Place) -> Result<SiteId, Problem> {
        let site = self.any_site(place).await?;
        site.map(|site| site.id).ok_or(Problem::Refused(Refusal::SiteNotFound))
    }

    async fn any_site(&self, place: &Place) -> Result<Option<Site>, Problem> {
        let id = match place {
            Place::Id(id) => Some(*id),
            Place::Name(name) => self.model.site_named(name).await?,
        };
        match id {
            Some(id) => Ok(self.model.site(id).await?),
            None => Ok(None),
        }
    }
}
