//! The receivers of a site: who is told what happens to it. All of a site's are one aggregate, so that their number has a bound.

use crate::event::Reception;
use crate::{
    Aggregate, AliasEvent, AliasName, BuildEvent, Event, NoticeId, Outcome, ReceiverEvent, ReceiverId, Recorded,
    Refusal,
};
use std::collections::{BTreeMap, BTreeSet};

pub use crate::telling::{Kind, Occasion, RECEIVER_NAME_MAX, ReceiverName};

/// Most receivers of one site.
pub const RECEIVERS_MAX: usize = 20;

impl Occasion {
    /// What a fact is to receivers of its site; none if it is nothing to them.
    #[must_use]
    pub const fn of(event: &Event) -> Option<Self> {
        match event {
            Event::Build(fact) => Self::of_build(fact),
            Event::Alias(AliasEvent::Promoted { .. }) => Some(Self::Promoted),
            Event::Alias(AliasEvent::Removed { .. }) => Some(Self::Removed),
            // A site is locked by its aliases together; one of them is told of.
            Event::Alias(AliasEvent::Locked { alias: AliasName::Live, .. }) => Some(Self::Locked),
            Event::Alias(AliasEvent::Unlocked { alias: AliasName::Live, .. }) => Some(Self::Unlocked),
            Event::Receiver(ReceiverEvent::Tested { .. }) => Some(Self::Test),
            Event::Alias(AliasEvent::Locked { .. } | AliasEvent::Unlocked { .. })
            | Event::Receiver(_)
            | Event::Notice(_)
            | Event::Organization(_)
            | Event::Handle(_)
            | Event::User(_)
            | Event::Invitation(_)
            | Event::Token(_)
            | Event::Site(_)
            | Event::Host(_)
            | Event::Route(_)
            | Event::Domain(_)
            | Event::Repository(_)
            | Event::Deploy(_)
            | Event::Identity(_) => None,
        }
    }

    const fn of_build(fact: &BuildEvent) -> Option<Self> {
        match fact {
            BuildEvent::Queued { .. } => Some(Self::BuildQueued),
            BuildEvent::Started { .. } => Some(Self::BuildStarted),
            BuildEvent::Finished { outcome: Outcome::Success, .. } => Some(Self::BuildSucceeded),
            BuildEvent::Finished { outcome: Outcome::Skipped, .. } | BuildEvent::Canceled { .. } => {
                Some(Self::BuildCanceled)
            }
            BuildEvent::Finished { outcome: Outcome::Failure | Outcome::Error | Outcome::Timeout, .. } => {
                Some(Self::BuildFailed)
            }
            BuildEvent::Requested { .. }
            | BuildEvent::Scheduled { .. }
            | BuildEvent::Dispatched { .. }
            | BuildEvent::CheckedOut { .. }
            | BuildEvent::Interrupted { .. }
            | BuildEvent::LogArchived { .. } => None,
        }
    }
}

impl NoticeId {
    /// The notice by which `receiver` is told of a fact: however often, it is the same.
    #[must_use]
    pub fn of(receiver: ReceiverId, fact: &Recorded) -> Self {
        Self(uuid::Uuid::new_v5(&fact.envelope.id, format!("notice/{receiver}").as_bytes()))
    }
}

/// The state of a site's receivers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receivers {
    /// Those there are.
    pub known: BTreeMap<ReceiverId, Known>,
    /// Those there were.
    former: BTreeSet<ReceiverId>,
}

/// A receiver that is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Of what, and how.
    pub reception: Reception,
    /// How many facts have shaped it, from 1: who changes it can say which version they saw.
    pub version: u64,
}

/// What may be asked of a site's receivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Tell another.
    Create(Reception),
    /// Tell one in another way.
    Change {
        /// How.
        reception: Reception,
        /// The version the caller saw; one that has moved on refuses the change.
        seen: u64,
    },
    /// Tell one something, to see it arrive.
    Test(ReceiverId),
    /// Tell one nothing any more.
    Remove(ReceiverId),
}

impl Receivers {
    /// One of them.
    ///
    /// # Errors
    /// [`Refusal::ReceiverNotFound`] if there is no such receiver.
    pub fn known(&self, receiver: ReceiverId) -> Result<&Known, Refusal> {
        self.known.get(&receiver).ok_or(Refusal::ReceiverNotFound)
    }
}

impl Aggregate for Receivers {
    const KIND: &'static str = "receiver";
    type Command = Command;
    type Fact = ReceiverEvent;

    fn narrow(event: &Event) -> Option<&ReceiverEvent> {
        if let Event::Receiver(fact) = event { Some(fact) } else { None }
    }

    fn decide(&self, command: &Command) -> Result<Vec<ReceiverEvent>, Refusal> {
        match command {
            Command::Create(reception) => {
                let id = &reception.receiver;
                if self.known.contains_key(id) || self.former.contains(id) {
                    return Err(Refusal::ReceiverExists);
                }
                if self.known.len() >= RECEIVERS_MAX {
                    return Err(Refusal::TooManyReceivers);
                }
                Ok(vec![ReceiverEvent::Created(reception.clone())])
            }
            Command::Change { reception, seen } => {
                let Known { reception: before, version } = self.known(reception.receiver)?;
                if seen != version {
                    return Err(Refusal::ReceiverChanged { seen: *seen, version: *version });
                }
                let changes = reception != before;
                Ok(changes.then(|| ReceiverEvent::Changed(reception.clone())).into_iter().collect())
            }
            Command::Test(receiver) => {
                self.known(*receiver)?;
                Ok(vec![ReceiverEvent::Tested { receiver: *receiver }])
            }
            Command::Remove(receiver) if self.former.contains(receiver) => Ok(vec![]),
            Command::Remove(receiver) => {
                self.known(*receiver)?;
                Ok(vec![ReceiverEvent::Removed { receiver: *receiver }])
            }
        }
    }

    fn evolve(mut self, fact: &ReceiverEvent) -> Self {
        match fact {
            ReceiverEvent::Created(reception) => {
                let known = Known { reception: reception.clone(), version: 1 };
                self.known.insert(reception.receiver, known);
            }
            ReceiverEvent::Changed(reception) => {
                if let Some(known) = self.known.get_mut(&reception.receiver) {
                    *known = Known { reception: reception.clone(), version: known.version + 1 };
                }
            }
            ReceiverEvent::Tested { .. } => {}
            ReceiverEvent::Removed { receiver } => {
                self.known.remove(receiver);
                self.former.insert(*receiver);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests;
