//! An organization: who owns sites. It is its id; what it is called is a claim on a [`Handle`](crate::Handle).

use crate::{Aggregate, Event, OrganizationEvent, OrganizationName, Refusal};

/// The state of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Organization {
    /// Nobody has created it.
    #[default]
    Unknown,
    /// It can own sites.
    Active {
        /// What it is called.
        name: OrganizationName,
    },
}

/// What may be asked of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Create it. Its name must be claimed at the same moment.
    Create {
        /// What it shall be called.
        name: OrganizationName,
    },
}

impl Aggregate for Organization {
    const KIND: &'static str = "organization";
    type Command = Command;
    type Fact = OrganizationEvent;

    fn narrow(event: &Event) -> Option<&OrganizationEvent> {
        if let Event::Organization(fact) = event { Some(fact) } else { None }
    }

    fn decide(&self, Command::Create { name }: &Command) -> Result<Vec<OrganizationEvent>, Refusal> {
        match self {
            Self::Unknown => Ok(vec![OrganizationEvent::Created { name: name.clone() }]),
            Self::Active { .. } => Ok(vec![]),
        }
    }

    fn evolve(self, OrganizationEvent::Created { name }: &OrganizationEvent) -> Self {
        Self::Active { name: name.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::story::given;

    #[test]
    fn an_organization_is_created_once() {
        let name: OrganizationName = "acme".parse().unwrap();
        let create = || Command::Create { name: name.clone() };
        let created = OrganizationEvent::Created { name: name.clone() };
        given::<Organization>([]).when(create()).then([created.clone()]);
        given::<Organization>([created]).when(create()).then([]);
    }
}
