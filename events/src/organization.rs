//! An organization: who owns sites. It is its id; what it is called is a claim on a [`Handle`](crate::Handle), made and given
//! up at the same moment as the organization says so.

use crate::authority::{Members, Role};
use crate::{Aggregate, Event, OrganizationEvent, OrganizationName, Refusal, UserId};

/// The state of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Organization {
    /// Nobody has created it.
    #[default]
    Unknown,
    /// It can own sites.
    Active(Active),
}

/// An organization that can own sites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Active {
    /// What it is called.
    pub name: OrganizationName,
    /// How many facts have named it, from 1: who changes it can say which version they saw.
    pub version: u64,
    /// Who belongs to it.
    pub members: Members,
}

/// What may be asked of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Create it. Its name must be claimed at the same moment.
    Create {
        /// What it shall be called.
        name: OrganizationName,
    },
    /// Change its name. A new one must be claimed and the present one released at the same moment, so the caller has to know
    /// that.
    Rename {
        /// What it shall be called.
        name: OrganizationName,
        /// The version the caller saw; an organization that has moved on, and may have another name, refuses this one.
        seen: u64,
    },
    /// Make somebody a member, or give a member another role.
    SetMember {
        /// Who.
        user: UserId,
        /// As what.
        role: Role,
    },
    /// Let somebody belong to it no more.
    RemoveMember {
        /// Who.
        user: UserId,
    },
    /// Let somebody belong to it no more who is forgotten, were they its last manager: nobody can keep them.
    ForgetMember {
        /// Who.
        user: UserId,
    },
}

impl Aggregate for Organization {
    const KIND: &'static str = "organization";
    type Command = Command;
    type Fact = OrganizationEvent;

    fn narrow(event: &Event) -> Option<&OrganizationEvent> {
        if let Event::Organization(fact) = event { Some(fact) } else { None }
    }

    fn decide(&self, command: &Command) -> Result<Vec<OrganizationEvent>, Refusal> {
        match (self, command) {
            (Self::Unknown, Command::Create { name }) => Ok(vec![OrganizationEvent::Created { name: name.clone() }]),
            (
                Self::Unknown,
                Command::Rename { .. }
                | Command::SetMember { .. }
                | Command::RemoveMember { .. }
                | Command::ForgetMember { .. },
            ) => Err(Refusal::OrganizationNotFound),
            (Self::Active(_), Command::Create { .. }) => Ok(vec![]),
            (Self::Active(active), Command::Rename { name, seen }) => active.rename(name, *seen),
            (Self::Active(active), Command::SetMember { user, role }) => active.set(*user, *role),
            (Self::Active(active), Command::RemoveMember { user }) => active.remove(*user),
            (Self::Active(active), Command::ForgetMember { user }) => Ok(active.forget(*user)),
        }
    }

    fn evolve(self, fact: &OrganizationEvent) -> Self {
        match (self, fact) {
            (Self::Unknown, OrganizationEvent::Created { name }) => {
                Self::Active(Active { name: name.clone(), version: 1, members: Members::new() })
            }
            (Self::Active(active), OrganizationEvent::Renamed { name, .. }) => {
                Self::Active(Active { name: name.clone(), version: active.version + 1, ..active })
            }
            (
                Self::Active(mut active),
                OrganizationEvent::MemberAdded { user, role } | OrganizationEvent::MemberRoleChanged { user, role, .. },
            ) => {
                active.members.insert(*user, *role);
                Self::Active(active)
            }
            (Self::Active(mut active), OrganizationEvent::MemberRemoved { user, .. }) => {
                active.members.remove(user);
                Self::Active(active)
            }
            (state @ Self::Active(_), OrganizationEvent::Created { .. })
            | (
                state @ Self::Unknown,
                OrganizationEvent::Renamed { .. }
                | OrganizationEvent::MemberAdded { .. }
                | OrganizationEvent::MemberRoleChanged { .. }
                | OrganizationEvent::MemberRemoved { .. },
            ) => state,
        }
    }
}

impl Active {
    fn rename(&self, name: &OrganizationName, seen: u64) -> Result<Vec<OrganizationEvent>, Refusal> {
        if seen != self.version {
            return Err(Refusal::OrganizationChanged { seen, version: self.version });
        }
        let renamed = || OrganizationEvent::Renamed { name: name.clone(), previous: self.name.clone() };
        Ok((*name != self.name).then(renamed).into_iter().collect())
    }

    fn set(&self, user: UserId, role: Role) -> Result<Vec<OrganizationEvent>, Refusal> {
        match self.members.get(&user) {
            Some(present) if *present == role => Ok(vec![]),
            Some(_) if role != Role::Manager && self.is_last_manager(user) => Err(Refusal::LastManager),
            Some(previous) => Ok(vec![OrganizationEvent::MemberRoleChanged { user, role, previous: *previous }]),
            None => Ok(vec![OrganizationEvent::MemberAdded { user, role }]),
        }
    }

    fn remove(&self, user: UserId) -> Result<Vec<OrganizationEvent>, Refusal> {
        match self.members.get(&user) {
            None => Ok(vec![]),
            Some(_) if self.members.len() > 1 && self.is_last_manager(user) => Err(Refusal::LastManager),
            Some(_) => Ok(self.forget(user)),
        }
    }

    fn forget(&self, user: UserId) -> Vec<OrganizationEvent> {
        let role = self.members.get(&user).copied();
        role.map(|role| OrganizationEvent::MemberRemoved { user, role }).into_iter().collect()
    }

    fn is_last_manager(&self, user: UserId) -> bool {
        let mut managers = self.members.iter().filter(|(_, role)| **role == Role::Manager);
        managers.next().is_some_and(|(first, _)| *first == user) && managers.next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::story::given;

    fn name(text: &str) -> OrganizationName {
        text.parse().unwrap()
    }

    fn created() -> OrganizationEvent {
        OrganizationEvent::Created { name: name("acme") }
    }

    fn renamed(from: &str, to: &str) -> OrganizationEvent {
        OrganizationEvent::Renamed { name: name(to), previous: name(from) }
    }

    fn rename(to: &str, seen: u64) -> Command {
        Command::Rename { name: name(to), seen }
    }

    #[test]
    fn an_organization_is_created_once() {
        let create = || Command::Create { name: name("acme") };
        given::<Organization>([]).when(create()).then([created()]);
        given::<Organization>([created()]).when(create()).then([]);
    }

    #[test]
    fn an_organization_gets_another_name_and_the_same_again_states_nothing() {
        given::<Organization>([created()]).when(rename("apex", 1)).then([renamed("acme", "apex")]);
        given::<Organization>([created(), renamed("acme", "apex")]).when(rename("apex", 2)).then([]);
        given::<Organization>([created(), renamed("acme", "apex")])
            .when(rename("acme", 2))
            .then([renamed("apex", "acme")]);
    }

    #[test]
    fn who_has_not_seen_the_present_name_does_not_change_it() {
        let history = [created(), renamed("acme", "apex")];
        given::<Organization>(history)
            .when(rename("summit", 1))
            .refuses(Refusal::OrganizationChanged { seen: 1, version: 2 });
    }

    #[test]
    fn members_come_change_and_go() {
        let [ada, ben] = [1, 2].map(|number| UserId(uuid::Uuid::from_u128(number)));
        let added = |user, role| OrganizationEvent::MemberAdded { user, role };
        let set = |user, role| Command::SetMember { user, role };
        let promoted = OrganizationEvent::MemberRoleChanged { user: ben, role: Role::Manager, previous: Role::User };
        given::<Organization>([created()]).when(set(ada, Role::Manager)).then([added(ada, Role::Manager)]);
        let both = || [created(), added(ada, Role::Manager), added(ben, Role::User)];
        given::<Organization>(both()).when(set(ben, Role::User)).then([]);
        given::<Organization>(both()).when(set(ben, Role::Manager)).then([promoted]);
        given::<Organization>(both())
            .when(Command::RemoveMember { user: ben })
            .then([OrganizationEvent::MemberRemoved { user: ben, role: Role::User }]);
        given::<Organization>([created()]).when(Command::RemoveMember { user: ben }).then([]);
    }

    #[test]
    fn whoever_has_members_keeps_a_manager() {
        let [ada, ben] = [1, 2].map(|number| UserId(uuid::Uuid::from_u128(number)));
        let added = |user, role| OrganizationEvent::MemberAdded { user, role };
        let both = || [created(), added(ada, Role::Manager), added(ben, Role::User)];
        let demote = Command::SetMember { user: ada, role: Role::User };
        given::<Organization>(both()).when(demote).refuses(Refusal::LastManager);
        given::<Organization>(both()).when(Command::RemoveMember { user: ada }).refuses(Refusal::LastManager);
        let forgotten = OrganizationEvent::MemberRemoved { user: ada, role: Role::Manager };
        given::<Organization>(both()).when(Command::ForgetMember { user: ada }).then([forgotten]);
        let alone = [created(), added(ada, Role::Manager)];
        let gone = OrganizationEvent::MemberRemoved { user: ada, role: Role::Manager };
        given::<Organization>(alone).when(Command::RemoveMember { user: ada }).then([gone]);
    }

    #[test]
    fn what_nobody_created_has_no_name_to_change() {
        given::<Organization>([]).when(rename("apex", 0)).refuses(Refusal::OrganizationNotFound);
    }
}
