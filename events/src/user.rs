//! A person: known by an id that says nothing; what they are called is sealed and can be forgotten.

use crate::authority::PlatformRole;
use crate::{Aggregate, Event, Refusal, Sealed, UserEvent};

/// The state of a person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum User {
    /// Nobody has met them.
    #[default]
    Unknown,
    /// They may sign in.
    Active(Active),
    /// They are forgotten.
    Erased,
}

/// A person who may sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Active {
    /// What they are called.
    pub name: Sealed,
    /// Where mail reaches them.
    pub email: Sealed,
    /// What they are for the whole installation.
    pub role: Option<PlatformRole>,
    /// Why they may do nothing now; none if they may.
    pub suspended: Option<String>,
    /// Their account at GitHub, if they have connected it.
    pub github: Option<Github>,
}

/// An account at GitHub that may be used for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Github {
    /// What it is called there.
    pub account: Sealed,
    /// By which it is used.
    pub token: Sealed,
}

/// What may be asked of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Be known.
    Create {
        /// What they are called.
        name: Sealed,
        /// Where mail reaches them.
        email: Sealed,
    },
    /// Tell that they began a session.
    SignIn,
    /// Be something for the whole installation, or nothing.
    SetPlatformRole(Option<PlatformRole>),
    /// Do nothing until reinstated.
    Suspend {
        /// Why.
        reason: String,
    },
    /// Be suspended no more.
    Reinstate,
    /// Have this account at GitHub used for them.
    ConnectGithub(Github),
    /// Have none used any more.
    DisconnectGithub,
    /// Be forgotten.
    Erase,
}

impl Aggregate for User {
    const KIND: &'static str = "user";
    type Command = Command;
    type Fact = UserEvent;

    fn narrow(event: &Event) -> Option<&UserEvent> {
        if let Event::User(fact) = event { Some(fact) } else { None }
    }

    fn decide(&self, command: &Command) -> Result<Vec<UserEvent>, Refusal> {
        match (self, command) {
            (Self::Unknown, Command::Create { name, email }) => {
                Ok(vec![UserEvent::Created { name: name.clone(), email: email.clone() }])
            }
            (Self::Active(_), Command::Create { .. }) => Ok(vec![]),
            (Self::Active(Active { suspended: Some(reason), .. }), Command::SignIn) => {
                Err(Refusal::UserSuspended { reason: reason.clone() })
            }
            (Self::Active(active), Command::Suspend { reason }) if active.suspended.as_ref() == Some(reason) => {
                Ok(vec![])
            }
            (Self::Active(_), Command::Suspend { reason }) => Ok(vec![UserEvent::Suspended { reason: reason.clone() }]),
            (Self::Active(active), Command::Reinstate) => {
                Ok(active.suspended.iter().map(|_| UserEvent::Reinstated {}).collect())
            }
            (Self::Active(_), Command::SignIn) => Ok(vec![UserEvent::SignedIn {}]),
            (Self::Active(active), Command::SetPlatformRole(role)) => {
                let changes = active.role != *role;
                Ok(changes.then_some(UserEvent::PlatformRoleChanged { role: *role }).into_iter().collect())
            }
            (Self::Active(_), Command::ConnectGithub(Github { account, token })) => {
                Ok(vec![UserEvent::GithubConnected { account: account.clone(), token: token.clone() }])
            }
            (Self::Active(active), Command::DisconnectGithub) => {
                Ok(active.github.as_ref().map(|_| UserEvent::GithubDisconnected {}).into_iter().collect())
            }
            (Self::Active(_), Command::Erase) => Ok(vec![UserEvent::Erased {}]),
            (Self::Erased, Command::Erase) => Ok(vec![]),
            (Self::Unknown | Self::Erased, _) => Err(Refusal::UserNotFound),
        }
    }

    fn evolve(self, fact: &UserEvent) -> Self {
        match (self, fact.clone()) {
            (Self::Unknown, UserEvent::Created { name, email }) => {
                Self::Active(Active { name, email, role: None, suspended: None, github: None })
            }
            (Self::Active(active), UserEvent::PlatformRoleChanged { role }) => Self::Active(Active { role, ..active }),
            (Self::Active(active), UserEvent::Suspended { reason }) => {
                Self::Active(Active { suspended: Some(reason), ..active })
            }
            (Self::Active(active), UserEvent::Reinstated {}) => Self::Active(Active { suspended: None, ..active }),
            (Self::Active(active), UserEvent::GithubConnected { account, token }) => {
                Self::Active(Active { github: Some(Github { account, token }), ..active })
            }
            (Self::Active(active), UserEvent::GithubDisconnected {}) => Self::Active(Active { github: None, ..active }),
            (Self::Active(_), UserEvent::Erased {}) => Self::Erased,
            (
                state,
                UserEvent::Created { .. }
                | UserEvent::SignedIn {}
                | UserEvent::PlatformRoleChanged { .. }
                | UserEvent::Suspended { .. }
                | UserEvent::Reinstated {}
                | UserEvent::GithubConnected { .. }
                | UserEvent::GithubDisconnected {}
                | UserEvent::Erased {},
            ) => state,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::story::given;

    fn sealed() -> Sealed {
        Sealed::of(&[7; 50])
    }

    fn created() -> UserEvent {
        UserEvent::Created { name: sealed(), email: sealed() }
    }

    #[test]
    fn a_person_is_known_once_signs_in_and_is_forgotten() {
        let create = || Command::Create { name: sealed(), email: sealed() };
        given::<User>([]).when(create()).then([created()]);
        given::<User>([created()]).when(create()).then([]);
        given::<User>([created()]).when(Command::SignIn).then([UserEvent::SignedIn {}]);
        given::<User>([created()]).when(Command::Erase).then([UserEvent::Erased {}]);
        given::<User>([created(), UserEvent::Erased {}]).when(Command::Erase).then([]);
        for command in [create(), Command::SignIn, Command::SetPlatformRole(None)] {
            given::<User>([created(), UserEvent::Erased {}]).when(command).refuses(Refusal::UserNotFound);
        }
        given::<User>([]).when(Command::SignIn).refuses(Refusal::UserNotFound);
    }

    #[test]
    fn whoever_is_suspended_does_not_sign_in_until_reinstated() {
        let suspended = |reason: &str| UserEvent::Suspended { reason: reason.to_owned() };
        let suspend = |reason: &str| Command::Suspend { reason: reason.to_owned() };
        given::<User>([created()]).when(suspend("left")).then([suspended("left")]);
        given::<User>([created(), suspended("left")]).when(suspend("left")).then([]);
        given::<User>([created(), suspended("left")]).when(suspend("asked")).then([suspended("asked")]);
        given::<User>([created(), suspended("left")])
            .when(Command::SignIn)
            .refuses(Refusal::UserSuspended { reason: "left".to_owned() });
        given::<User>([created(), suspended("left")]).when(Command::Reinstate).then([UserEvent::Reinstated {}]);
        given::<User>([created()]).when(Command::Reinstate).then([]);
        given::<User>([created(), suspended("left"), UserEvent::Reinstated {}])
            .when(Command::SignIn)
            .then([UserEvent::SignedIn {}]);
    }

    #[test]
    fn an_account_at_github_is_connected_replaced_and_given_up() {
        let github = |byte| Github { account: sealed(), token: Sealed::of(&[byte; 50]) };
        let connected = |byte| UserEvent::GithubConnected { account: sealed(), token: Sealed::of(&[byte; 50]) };
        let (connect, disconnect) = (|byte| Command::ConnectGithub(github(byte)), Command::DisconnectGithub);
        given::<User>([created()]).when(connect(1)).then([connected(1)]);
        given::<User>([created(), connected(1)]).when(connect(2)).then([connected(2)]);
        given::<User>([created(), connected(1)]).when(disconnect.clone()).then([UserEvent::GithubDisconnected {}]);
        let over = || [created(), connected(1), UserEvent::GithubDisconnected {}];
        given::<User>(over()).when(disconnect).then([]);
        given::<User>([created(), UserEvent::Erased {}]).when(connect(1)).refuses(Refusal::UserNotFound);
    }

    #[test]
    fn a_platform_role_is_given_and_taken() {
        let admin = || UserEvent::PlatformRoleChanged { role: Some(PlatformRole::Admin) };
        let set = |role| Command::SetPlatformRole(role);
        given::<User>([created()]).when(set(Some(PlatformRole::Admin))).then([admin()]);
        given::<User>([created(), admin()]).when(set(Some(PlatformRole::Admin))).then([]);
        given::<User>([created(), admin()]).when(set(None)).then([UserEvent::PlatformRoleChanged { role: None }]);
    }
}
