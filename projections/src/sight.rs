//! What whoever asks may know of. Every list is filtered by it where it is read, so that a page is full and a count is true.

use events::{OrganizationId, SiteId};
use sqlx::types::Uuid;

/// Whose sites, and what belongs to them, a question is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// Everything there is.
    All,
    /// What belongs to some organizations.
    Organizations {
        /// Which.
        seen: Vec<OrganizationId>,
        /// Those of them whose people are known of too: who is invited, and what tokens there are.
        managed: Vec<OrganizationId>,
    },
    /// One site.
    Site(SiteId),
}

impl Sight {
    /// Nothing.
    pub const NOTHING: Self = Self::Organizations { seen: Vec::new(), managed: Vec::new() };

    /// Whether the people of an organization are in it.
    #[must_use]
    pub fn sees_people(&self, organization: OrganizationId) -> bool {
        match self {
            Self::All => true,
            Self::Organizations { managed, .. } => managed.contains(&organization),
            Self::Site(_) => false,
        }
    }

    /// The same for one organization alone.
    #[must_use]
    pub fn within(&self, organization: OrganizationId) -> Self {
        let one = |sees: bool| sees.then_some(organization).into_iter().collect();
        Self::Organizations {
            seen: one(self.sees_organization(organization)),
            managed: one(self.sees_people(organization)),
        }
    }

    /// Whether a site of an organization is in it.
    #[must_use]
    pub fn sees_site(&self, site: SiteId, organization: OrganizationId) -> bool {
        match self {
            Self::All => true,
            Self::Organizations { seen, .. } => seen.contains(&organization),
            Self::Site(seen) => *seen == site,
        }
    }

    /// Whether an organization is in it.
    #[must_use]
    pub fn sees_organization(&self, organization: OrganizationId) -> bool {
        match self {
            Self::All => true,
            Self::Organizations { seen, .. } => seen.contains(&organization),
            Self::Site(_) => false,
        }
    }

    /// As parameters of a query: organizations and a site, each null if any will do.
    pub(crate) fn parameters(&self) -> (Option<Vec<Uuid>>, Option<Uuid>) {
        match self {
            Self::All => (None, None),
            Self::Organizations { seen, .. } => (Some(seen.iter().map(|organization| organization.0).collect()), None),
            Self::Site(site) => (None, Some(site.0)),
        }
    }
}
