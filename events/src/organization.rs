//! An organization: who owns sites. It is its id; what it is called is a claim on a [`Handle`](crate::Handle), made and given
//! up at the same moment as the organization says so.

use crate::authority::{Members, Role};
use crate::event::{OrganizationLimits, Sandbox};
use crate::{Aggregate, Event, OrganizationEvent, OrganizationName, Refusal, UserId};
use time::{Duration, OffsetDateTime};

/// How long before its sites are deleted the people of a sandbox are told, at least. After cloud.gov Pages.
pub const NOTICE_DAYS: u16 = 7;
/// How often the sites of a sandbox are deleted unless somebody chose otherwise. After cloud.gov Pages.
pub const SANDBOX_DAYS: u16 = 90;

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
    /// Why its people may change nothing now; none if they may.
    pub suspended: Option<String>,
    /// What it may have.
    pub limits: OrganizationLimits,
    /// When its sites are deleted; none if they are kept.
    pub sandbox: Option<Sandbox>,
    /// Whether its people know of the next time.
    pub is_announced: bool,
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
    /// Let its people change nothing and build no push of it until it is reinstated.
    Suspend {
        /// Why.
        reason: String,
    },
    /// Suspend it no more.
    Reinstate,
    /// Limit what it may have. What it has already stays.
    Limit(OrganizationLimits),
    /// Delete all its sites every so many days from now on.
    BeginSandbox {
        /// So many.
        days: u16,
        /// The present.
        now: OffsetDateTime,
    },
    /// Keep its sites.
    EndSandbox,
    /// Tell its people that its sites are going to be deleted, [`NOTICE_DAYS`] after now at the soonest.
    AnnounceCleanUp {
        /// The present.
        now: OffsetDateTime,
    },
    /// State that its sites were deleted, which was due.
    CleanUp {
        /// The present.
        now: OffsetDateTime,
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
            (Self::Unknown, _) => Err(Refusal::OrganizationNotFound),
            (Self::Active(_), Command::Create { .. }) => Ok(vec![]),
            (Self::Active(active), Command::Rename { name, seen }) => active.rename(name, *seen),
            (Self::Active(active), Command::SetMember { user, role }) => active.set(*user, *role),
            (Self::Active(active), Command::RemoveMember { user }) => active.remove(*user),
            (Self::Active(active), Command::ForgetMember { user }) => Ok(active.forget(*user)),
            (Self::Active(active), Command::Suspend { reason }) => {
                let suspended = || OrganizationEvent::Suspended { reason: reason.clone() };
                Ok((active.suspended.as_ref() != Some(reason)).then(suspended).into_iter().collect())
            }
            (Self::Active(active), Command::Reinstate) => {
                Ok(active.suspended.iter().map(|_| OrganizationEvent::Reinstated {}).collect())
            }
            (Self::Active(active), Command::Limit(limits)) => {
                let changed = OrganizationEvent::LimitsChanged { limits: *limits };
                Ok((active.limits != *limits).then_some(changed).into_iter().collect())
            }
            (Self::Active(active), Command::BeginSandbox { days, now }) => Ok(active.begin_sandbox(*days, *now)),
            (Self::Active(active), Command::EndSandbox) => {
                Ok(active.sandbox.iter().map(|_| OrganizationEvent::SandboxEnded {}).collect())
            }
            (Self::Active(active), Command::AnnounceCleanUp { now }) => active.announce(*now),
            (Self::Active(active), Command::CleanUp { now }) => active.clean_up(*now),
        }
    }

    fn evolve(self, fact: &OrganizationEvent) -> Self {
        match (self, fact) {
            (Self::Unknown, OrganizationEvent::Created { name }) => Self::Active(Active::new(name.clone())),
            (Self::Active(active), fact) => Self::Active(active.evolve(fact)),
            (
                Self::Unknown,
                OrganizationEvent::Renamed { .. }
                | OrganizationEvent::MemberAdded { .. }
                | OrganizationEvent::MemberRoleChanged { .. }
                | OrganizationEvent::MemberRemoved { .. }
                | OrganizationEvent::Suspended { .. }
                | OrganizationEvent::Reinstated {}
                | OrganizationEvent::LimitsChanged { .. }
                | OrganizationEvent::SandboxBegun(_)
                | OrganizationEvent::SandboxEnded {}
                | OrganizationEvent::CleanUpAnnounced { .. }
                | OrganizationEvent::CleanedUp { .. },
            ) => Self::Unknown,
        }
    }
}

impl Active {
    /// An organization that has nothing yet.
    #[must_use]
    pub const fn new(name: OrganizationName) -> Self {
        Self {
            name,
            version: 1,
            members: Members::new(),
            suspended: None,
            limits: OrganizationLimits { sites: None, members: None, builds: None },
            sandbox: None,
            is_announced: false,
        }
    }

    fn evolve(mut self, fact: &OrganizationEvent) -> Self {
        match fact {
            OrganizationEvent::Created { .. } => {}
            OrganizationEvent::Renamed { name, .. } => {
                self.version += 1;
                self.name = name.clone();
            }
            OrganizationEvent::MemberAdded { user, role } | OrganizationEvent::MemberRoleChanged { user, role, .. } => {
                self.members.insert(*user, *role);
            }
            OrganizationEvent::MemberRemoved { user, .. } => drop(self.members.remove(user)),
            OrganizationEvent::Suspended { reason } => self.suspended = Some(reason.clone()),
            OrganizationEvent::Reinstated {} => self.suspended = None,
            OrganizationEvent::LimitsChanged { limits } => self.limits = *limits,
            OrganizationEvent::SandboxBegun(sandbox) => {
                (self.sandbox, self.is_announced) = (Some(*sandbox), false);
            }
            OrganizationEvent::SandboxEnded {} => self.sandbox = None,
            OrganizationEvent::CleanUpAnnounced { clean_up_at } => self.is_next(*clean_up_at, true),
            OrganizationEvent::CleanedUp { clean_up_at } => self.is_next(*clean_up_at, false),
        }
        self
    }

    fn is_next(&mut self, at: OffsetDateTime, is_announced: bool) {
        self.is_announced = is_announced;
        if let Some(sandbox) = &mut self.sandbox {
            sandbox.clean_up_at = at;
        }
    }

    /// The same rhythm again changes nothing: whoever repeats the command does not win time.
    fn begin_sandbox(&self, days: u16, now: OffsetDateTime) -> Vec<OrganizationEvent> {
        let is_so = self.sandbox.is_some_and(|sandbox| sandbox.days == days);
        let sandbox = Sandbox { days, clean_up_at: now + Duration::days(days.into()) };
        (!is_so).then_some(OrganizationEvent::SandboxBegun(sandbox)).into_iter().collect()
    }

    fn announce(&self, now: OffsetDateTime) -> Result<Vec<OrganizationEvent>, Refusal> {
        let sandbox = self.sandbox.ok_or(Refusal::CleanUpNotDue)?;
        if self.is_announced {
            return Ok(vec![]);
        }
        if now < sandbox.announced_at() {
            return Err(Refusal::CleanUpNotDue);
        }
        let clean_up_at = sandbox.clean_up_at.max(now + sandbox.notice());
        Ok(vec![OrganizationEvent::CleanUpAnnounced { clean_up_at }])
    }

    fn clean_up(&self, now: OffsetDateTime) -> Result<Vec<OrganizationEvent>, Refusal> {
        let sandbox = self.sandbox.filter(|sandbox| self.is_announced && now >= sandbox.clean_up_at);
        let Sandbox { days, .. } = sandbox.ok_or(Refusal::CleanUpNotDue)?;
        Ok(vec![OrganizationEvent::CleanedUp { clean_up_at: now + Duration::days(days.into()) }])
    }

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
            None => match self.limits.members {
                Some(max) if self.members.len() >= max as usize => {
                    Err(Refusal::OrganizationFull { of: "members", max })
                }
                Some(_) | None => Ok(vec![OrganizationEvent::MemberAdded { user, role }]),
            },
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

impl Sandbox {
    /// When its people are to be told of the next time.
    #[must_use]
    pub fn announced_at(&self) -> OffsetDateTime {
        self.clean_up_at - self.notice()
    }

    fn notice(&self) -> Duration {
        Duration::days(NOTICE_DAYS.min(self.days).into())
    }
}

#[cfg(test)]
mod tests;
