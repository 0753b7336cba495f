//! An invitation to an organization: a link that is good once, for a while.

use crate::event::Invited;
use crate::{Aggregate, Event, InvitationEvent, Refusal, UserId};
use time::OffsetDateTime;

/// The state of an invitation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Invitation {
    /// Nobody has made it.
    #[default]
    Unknown,
    /// It waits.
    Open(Invited),
    /// This person came by it.
    Accepted(UserId),
    /// It was withdrawn.
    Withdrawn,
}

/// What may be asked of an invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Make it.
    Create(Invited),
    /// Come by it. The person must become a member at the same moment.
    Accept {
        /// Who.
        user: UserId,
        /// When.
        at: OffsetDateTime,
    },
    /// End it.
    Withdraw,
}

impl Aggregate for Invitation {
    const KIND: &'static str = "invitation";
    type Command = Command;
    type Fact = InvitationEvent;

    fn narrow(event: &Event) -> Option<&InvitationEvent> {
        if let Event::Invitation(fact) = event { Some(fact) } else { None }
    }

    fn decide(&self, command: &Command) -> Result<Vec<InvitationEvent>, Refusal> {
        match (self, command) {
            (Self::Unknown, Command::Create(invited)) => Ok(vec![InvitationEvent::Created(invited.clone())]),
            (Self::Unknown, Command::Accept { .. } | Command::Withdraw) => Err(Refusal::InvitationNotFound),
            (Self::Open(_), Command::Create(_)) => Ok(vec![]),
            (Self::Open(invited), Command::Accept { user, at }) if *at < invited.expires_at => {
                Ok(vec![InvitationEvent::Accepted { user: *user }])
            }
            (Self::Open(_), Command::Withdraw) => Ok(vec![InvitationEvent::Withdrawn {}]),
            (Self::Accepted(before), Command::Accept { user, .. }) if before == user => Ok(vec![]),
            (Self::Withdrawn, Command::Withdraw) => Ok(vec![]),
            (Self::Open(_), Command::Accept { .. }) | (Self::Accepted(_) | Self::Withdrawn, _) => {
                Err(Refusal::InvitationOver)
            }
        }
    }

    fn evolve(self, fact: &InvitationEvent) -> Self {
        match (self, fact) {
            (Self::Unknown, InvitationEvent::Created(invited)) => Self::Open(invited.clone()),
            (Self::Open(_), InvitationEvent::Accepted { user }) => Self::Accepted(*user),
            (Self::Open(_), InvitationEvent::Withdrawn {}) => Self::Withdrawn,
            (state, InvitationEvent::Created(_) | InvitationEvent::Accepted { .. } | InvitationEvent::Withdrawn {}) => {
                state
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::story::given;
    use crate::authority::Role;
    use crate::{Digest, OrganizationId, Sealed};
    use uuid::Uuid;

    fn invited() -> Invited {
        Invited {
            organization: OrganizationId(Uuid::nil()),
            role: Role::User,
            user: UserId(Uuid::nil()),
            email: Sealed::of(&[7; 50]),
            digest: Digest::of(b"link"),
            expires_at: OffsetDateTime::UNIX_EPOCH + time::Duration::hours(1),
        }
    }

    #[test]
    fn an_invitation_is_good_once_and_for_a_while() {
        let (ada, ben) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let accept = |user, at| Command::Accept { user, at: OffsetDateTime::UNIX_EPOCH + time::Duration::minutes(at) };
        let (created, accepted) = (InvitationEvent::Created(invited()), InvitationEvent::Accepted { user: ada });
        given::<Invitation>([]).when(Command::Create(invited())).then([created.clone()]);
        given::<Invitation>([]).when(accept(ada, 0)).refuses(Refusal::InvitationNotFound);
        given::<Invitation>([created.clone()]).when(accept(ada, 59)).then([accepted.clone()]);
        given::<Invitation>([created.clone()]).when(accept(ada, 60)).refuses(Refusal::InvitationOver);
        given::<Invitation>([created.clone(), accepted.clone()]).when(accept(ada, 0)).then([]);
        given::<Invitation>([created.clone(), accepted]).when(accept(ben, 0)).refuses(Refusal::InvitationOver);
        given::<Invitation>([created.clone()]).when(Command::Withdraw).then([InvitationEvent::Withdrawn {}]);
        let withdrawn = [created, InvitationEvent::Withdrawn {}];
        given::<Invitation>(withdrawn).when(accept(ada, 0)).refuses(Refusal::InvitationOver);
    }
}
