//! Whom what is sealed belongs to.

use events::{OrganizationId, SiteId, UserId};
use std::fmt;
use uuid::Uuid;

/// Whom a sealed text belongs to, and is forgotten with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A person: what they are called.
    Person(UserId),
    /// A site: its secrets.
    Site(SiteId),
    /// The builds of a site: what they are given, which launchers can open too.
    Builds(SiteId),
    /// An organization: its secrets.
    Organization(OrganizationId),
}

impl Owner {
    /// What a text is bound to, so that it cannot be passed off as another's. No two owners with one wrapping have one id.
    pub(crate) const fn id(&self) -> Uuid {
        match self {
            Self::Person(id) => id.0,
            Self::Site(id) | Self::Builds(id) => id.0,
            Self::Organization(id) => id.0,
        }
    }
}

/// The name of the owner's key. Those of sites and organizations begin with the kind, so that who may read keys of one kind need
/// not be able to read the others.
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => write!(f, "{id}"),
            Self::Site(id) => write!(f, "site.{id}"),
            Self::Builds(id) => write!(f, "builds.{id}"),
            Self::Organization(id) => write!(f, "organization.{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_people_have_the_names_that_they_always_had() {
        let id = Uuid::from_u128(1);
        assert_eq!(Owner::Person(UserId(id)).to_string(), id.to_string());
        assert_eq!(Owner::Site(SiteId(id)).to_string(), format!("site.{id}"));
        assert_eq!(Owner::Builds(SiteId(id)).to_string(), format!("builds.{id}"));
        assert_eq!(Owner::Organization(OrganizationId(id)).to_string(), format!("organization.{id}"));
    }
}
