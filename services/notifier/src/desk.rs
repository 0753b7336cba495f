//! What is left to be told to whom, folded from the log.
//!
//! A receiver hears of nothing before its own beginning, and what was settled is settled by a fact: so the log itself is the
//! durable place of each receiver in its line, and whoever takes over goes on where the last one was.

use events::event::Reception;
use events::receiver::Occasion;
use events::{Event, NoticeEvent, ReceiverEvent, ReceiverId, Recorded, SiteId};
use runtime::fold::{Map, State};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Bumped when the shape or the meaning of [`Desk`] changes; an older snapshot is then not read.
const SNAPSHOT_VERSION: u32 = 1;
/// How long what it has heard may go unsaved.
const SAVE_AFTER: Duration = Duration::from_secs(30);

/// All receivers, and what waits for each.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Desk {
    lines: Map<ReceiverId, Line>,
    sites: Map<SiteId, BTreeSet<ReceiverId>>,
    /// Receivers that something waits for.
    due: BTreeSet<ReceiverId>,
}

/// What waits for one receiver.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    site: SiteId,
    wants: BTreeSet<Occasion>,
    /// By the place in the log of what asked for it: the place of the fact to tell of. Mostly the two are one.
    waiting: BTreeMap<u64, u64>,
}

/// The next thing to tell a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job {
    /// Whom.
    pub receiver: ReceiverId,
    /// Of which site.
    pub site: SiteId,
    /// The place in the log of what asked for it: the fact itself, or a person's request for it.
    pub asked: u64,
    /// The place in the log of the fact to tell of.
    pub fact: u64,
}

impl Desk {
    /// What comes next for each receiver that something waits for.
    pub fn due(&self) -> impl Iterator<Item = Job> {
        self.due.iter().filter_map(|receiver| {
            let line = self.lines.get(receiver)?;
            let (&asked, &fact) = line.waiting.first_key_value()?;
            Some(Job { receiver: *receiver, site: line.site, asked, fact })
        })
    }

    /// How many notices wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.due.iter().filter_map(|receiver| self.lines.get(receiver)).map(|line| line.waiting.len()).sum()
    }

    fn of_receivers(&mut self, fact: &ReceiverEvent, recorded: &Recorded) -> bool {
        let Some(site) = recorded.site() else { return false };
        match fact {
            ReceiverEvent::Created(Reception { receiver, wants, .. }) => {
                self.lines.insert(*receiver, Line { site, wants: wants.clone(), waiting: BTreeMap::new() });
                self.sites.get_or_insert_with(&site, BTreeSet::new).insert(*receiver);
            }
            ReceiverEvent::Changed(Reception { receiver, wants, .. }) => {
                if let Some(line) = self.lines.get_mut(receiver) {
                    line.wants.clone_from(wants);
                }
            }
            ReceiverEvent::Tested { receiver } => self.queue(*receiver, recorded.sequence, recorded.sequence),
            ReceiverEvent::Removed { receiver } => {
                self.lines.remove(receiver);
                self.due.remove(receiver);
                if let Some(others) = self.sites.get_mut(&site) {
                    others.remove(receiver);
                }
            }
        }
        true
    }

    fn of_notices(&mut self, fact: &NoticeEvent, recorded: &Recorded) {
        match fact {
            NoticeEvent::Delivered(noticed) | NoticeEvent::Failed(noticed) => {
                let Some(line) = self.lines.get_mut(&noticed.receiver) else { return };
                line.waiting.retain(|_, fact| *fact != noticed.sequence);
                if line.waiting.is_empty() {
                    self.due.remove(&noticed.receiver);
                }
            }
            NoticeEvent::Requested { receiver, sequence, .. } => self.queue(*receiver, recorded.sequence, *sequence),
        }
    }

    fn queue(&mut self, receiver: ReceiverId, asked: u64, fact: u64) {
        if let Some(line) = self.lines.get_mut(&receiver) {
            line.waiting.insert(asked, fact);
            self.due.insert(receiver);
        }
    }

    /// Puts a fact into the lines of those who want to be told of such.
    fn tell(&mut self, occasion: Occasion, recorded: &Recorded) -> bool {
        let Some(receivers) = recorded.site().and_then(|site| self.sites.get(&site)) else { return false };
        let wants =
            |receiver: &&ReceiverId| self.lines.get(receiver).is_some_and(|line| line.wants.contains(&occasion));
        let wanting: Vec<ReceiverId> = receivers.iter().filter(wants).copied().collect();
        for receiver in &wanting {
            self.queue(*receiver, recorded.sequence, recorded.sequence);
        }
        !wanting.is_empty()
    }
}

impl State for Desk {
    const NAME: &'static str = crate::NAME;
    const VERSION: u32 = SNAPSHOT_VERSION;
    const SAVE_AFTER: Duration = SAVE_AFTER;

    fn apply(&mut self, recorded: &Recorded) -> bool {
        if let Event::Receiver(fact) = &recorded.event {
            return self.of_receivers(fact, recorded);
        }
        if let Event::Notice(fact) = &recorded.event {
            self.of_notices(fact, recorded);
            return true;
        }
        Occasion::of(&recorded.event).is_some_and(|occasion| self.tell(occasion, recorded))
    }
}

#[cfg(test)]
mod tests;
