//! The name of an organization: who is called by it. Names are few and shared, so each is decided on its own subject.

use crate::{Aggregate, Event, HandleEvent, OrganizationId, Refusal};

/// Whose name it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Handle {
    /// Nobody's.
    #[default]
    Free,
    /// This organization's.
    Claimed(OrganizationId),
}

/// What may be asked of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Mean this organization.
    Claim(OrganizationId),
    /// Mean this organization no longer.
    Release(OrganizationId),
}

impl Aggregate for Handle {
    const KIND: &'static str = "handle";
    type Command = Command;
    type Fact = HandleEvent;

    fn narrow(event: &Event) -> Option<&HandleEvent> {
        if let Event::Handle(fact) = event { Some(fact) } else { None }
    }

    fn decide(&self, command: &Command) -> Result<Vec<HandleEvent>, Refusal> {
        match (*self, *command) {
            (Self::Free, Command::Claim(organization)) => Ok(vec![HandleEvent::Claimed { organization }]),
            (Self::Claimed(holder), Command::Claim(organization)) if holder == organization => Ok(vec![]),
            (Self::Claimed(_), Command::Claim(_)) => Err(Refusal::OrganizationExists),
            (Self::Claimed(holder), Command::Release(organization)) if holder == organization => {
                Ok(vec![HandleEvent::Released { organization }])
            }
            (Self::Free | Self::Claimed(_), Command::Release(_)) => Ok(vec![]),
        }
    }

    fn evolve(self, fact: &HandleEvent) -> Self {
        match fact {
            HandleEvent::Claimed { organization } => Self::Claimed(*organization),
            HandleEvent::Released { .. } => Self::Free,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::story::given;

    #[test]
    fn a_name_means_one_organization_at_a_time() {
        let [one, two] = [1, 2].map(|number| OrganizationId(uuid::Uuid::from_u128(number)));
        let claimed = HandleEvent::Claimed { organization: one };
        let released = HandleEvent::Released { organization: one };
        given::<Handle>([]).when(Command::Claim(one)).then([claimed.clone()]);
        given::<Handle>([claimed.clone()]).when(Command::Claim(one)).then([]);
        given::<Handle>([claimed.clone()]).when(Command::Claim(two)).refuses(Refusal::OrganizationExists);
        given::<Handle>([claimed.clone()]).when(Command::Release(two)).then([]);
        given::<Handle>([claimed.clone()]).when(Command::Release(one)).then([released.clone()]);
        given::<Handle>([claimed, released])
            .when(Command::Claim(two))
            .then([HandleEvent::Claimed { organization: two }]);
    }
}
