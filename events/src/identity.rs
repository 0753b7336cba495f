//! An identity that a provider vouches for, by OpenID Connect or GitHub: whom it signs in.

use crate::{Aggregate, Event, IdentityEvent, Refusal, Sealed, UserId};

/// Whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Identity {
    /// Nobody's here.
    #[default]
    Free,
    /// This person's.
    Bound(UserId),
}

/// What may be asked of an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Sign in this person from now on.
    Bind {
        /// Who.
        user: UserId,
        /// The provider.
        issuer: String,
        /// What it is called there.
        account: Sealed,
    },
    /// Sign in this person no longer.
    Unbind {
        /// Who.
        user: UserId,
    },
}

impl Aggregate for Identity {
    const KIND: &'static str = "identity";
    type Command = Command;
    type Fact = IdentityEvent;

    fn narrow(event: &Event) -> Option<&IdentityEvent> {
        if let Event::Identity(fact) = event { Some(fact) } else { None }
    }

    fn decide(&self, command: &Command) -> Result<Vec<IdentityEvent>, Refusal> {
        match (self, command) {
            (Self::Free, Command::Bind { user, issuer, account }) => {
                let (issuer, account) = (issuer.clone(), account.clone());
                Ok(vec![IdentityEvent::Bound { user: *user, issuer, account }])
            }
            (Self::Bound(holder), Command::Bind { user, .. }) if holder == user => Ok(vec![]),
            (Self::Bound(_), Command::Bind { .. }) => Err(Refusal::IdentityTaken),
            (Self::Bound(holder), Command::Unbind { user }) if holder == user => {
                Ok(vec![IdentityEvent::Unbound { user: *user }])
            }
            (Self::Bound(_), Command::Unbind { .. }) => Err(Refusal::IdentityNotFound),
            (Self::Free, Command::Unbind { .. }) => Ok(vec![]),
        }
    }

    fn evolve(self, fact: &IdentityEvent) -> Self {
        match fact {
            IdentityEvent::Bound { user, .. } => Self::Bound(*user),
            IdentityEvent::Unbound { .. } => Self::Free,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::story::given;

    #[test]
    fn an_identity_is_one_persons_at_a_time() {
        let [ada, ben] = [1, 2].map(|number| UserId(uuid::Uuid::from_u128(number)));
        let (issuer, account) = ("https://id.test".to_owned(), Sealed::of(&[7; 50]));
        let bind = |user| Command::Bind { user, issuer: issuer.clone(), account: account.clone() };
        let bound = |user| IdentityEvent::Bound { user, issuer: issuer.clone(), account: account.clone() };
        let (unbind, unbound) = (|user| Command::Unbind { user }, |user| IdentityEvent::Unbound { user });
        given::<Identity>([]).when(bind(ada)).then([bound(ada)]);
        given::<Identity>([bound(ada)]).when(bind(ada)).then([]);
        given::<Identity>([bound(ada)]).when(bind(ben)).refuses(Refusal::IdentityTaken);
        given::<Identity>([bound(ada)]).when(unbind(ben)).refuses(Refusal::IdentityNotFound);
        given::<Identity>([bound(ada)]).when(unbind(ada)).then([unbound(ada)]);
        given::<Identity>([bound(ada), unbound(ada)]).when(bind(ben)).then([bound(ben)]);
        given::<Identity>([]).when(unbind(ada)).then([]);
    }
}
