//! A host below the sites' domain: which site it shows. Naming, renaming and releasing a site are claims on hosts.

use crate::{Aggregate, Event, HostEvent, OrganizationId, Refusal, SiteId};

/// Who a host belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Host {
    /// Nobody.
    #[default]
    Free,
    /// A site.
    Claimed(Owner),
    /// No site, but it is kept for the organization whose site it last showed.
    Released(Owner),
}

/// A site with the organization that owns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The site.
    pub site: SiteId,
    /// Its organization.
    pub organization: OrganizationId,
}

/// What may be asked of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Show this site.
    Claim(Owner),
    /// Show this site no longer.
    Release(Owner),
}

impl Host {
    /// The site it shows, or showed last.
    #[must_use]
    pub const fn site(&self) -> Option<SiteId> {
        match self {
            Self::Free => None,
            Self::Claimed(owner) | Self::Released(owner) => Some(owner.site),
        }
    }
}

impl Aggregate for Host {
    const KIND: &'static str = "host";
    type Command = Command;
    type Fact = HostEvent;

    fn narrow(event: &Event) -> Option<&HostEvent> {
        if let Event::Host(fact) = event { Some(fact) } else { None }
    }

    fn decide(&self, command: &Command) -> Result<Vec<HostEvent>, Refusal> {
        match (*self, *command) {
            (Self::Claimed(holder), Command::Claim(owner)) if holder.site == owner.site => Ok(vec![]),
            (Self::Claimed(_), Command::Claim(_)) => Err(Refusal::SiteExists),
            (Self::Released(last), Command::Claim(owner)) if last.organization != owner.organization => {
                Err(Refusal::SiteNameRetired)
            }
            (Self::Free | Self::Released(_), Command::Claim(Owner { site, organization })) => {
                Ok(vec![HostEvent::Claimed { site, organization }])
            }
            (Self::Claimed(Owner { site, organization }), Command::Release(owner)) if site == owner.site => {
                Ok(vec![HostEvent::Released { site, organization }])
            }
            (Self::Free | Self::Claimed(_) | Self::Released(_), Command::Release(_)) => Ok(vec![]),
        }
    }

    fn evolve(self, fact: &HostEvent) -> Self {
        match *fact {
            HostEvent::Claimed { site, organization } => Self::Claimed(Owner { site, organization }),
            HostEvent::Released { site, organization } => Self::Released(Owner { site, organization }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::story::given;
    use uuid::Uuid;

    fn owner(site: u128, organization: u128) -> Owner {
        Owner { site: SiteId(Uuid::from_u128(site)), organization: OrganizationId(Uuid::from_u128(organization)) }
    }

    fn claimed(Owner { site, organization }: Owner) -> HostEvent {
        HostEvent::Claimed { site, organization }
    }

    fn released(Owner { site, organization }: Owner) -> HostEvent {
        HostEvent::Released { site, organization }
    }

    #[test]
    fn a_free_host_is_claimed_once() {
        let docs = owner(1, 1);
        given::<Host>([]).when(Command::Claim(docs)).then([claimed(docs)]);
        given::<Host>([claimed(docs)]).when(Command::Claim(docs)).then([]);
    }

    #[test]
    fn a_taken_host_is_refused_even_to_its_own_organization() {
        given::<Host>([claimed(owner(1, 1))]).when(Command::Claim(owner(2, 1))).refuses(Refusal::SiteExists);
    }

    #[test]
    fn a_released_host_is_kept_for_its_organization() {
        let history = [claimed(owner(1, 1)), released(owner(1, 1))];
        given::<Host>(history.clone()).when(Command::Claim(owner(2, 2))).refuses(Refusal::SiteNameRetired);
        given::<Host>(history).when(Command::Claim(owner(2, 1))).then([claimed(owner(2, 1))]);
    }

    #[test]
    fn only_its_own_site_releases_a_host() {
        given::<Host>([claimed(owner(1, 1))]).when(Command::Release(owner(2, 1))).then([]);
        given::<Host>([claimed(owner(1, 1))]).when(Command::Release(owner(1, 1))).then([released(owner(1, 1))]);
        given::<Host>([claimed(owner(1, 1)), released(owner(1, 1))]).when(Command::Release(owner(1, 1))).then([]);
    }
}
