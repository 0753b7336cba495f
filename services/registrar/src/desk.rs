//! Which names have to be looked at, and when: folded from the log.

use events::domain::pause;
use events::routing::HostName;
use events::{DomainEvent, Event, Recorded, SiteEvent, SiteId};
use runtime::fold::State;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Bumped when the shape or the meaning of [`Desk`] changes; an older snapshot is then not read.
const SNAPSHOT_VERSION: u32 = 1;
/// How long what it has heard may go unsaved.
const SAVE_AFTER: Duration = Duration::from_secs(30);

/// All names that are somebody's, and what there is to do about them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Desk {
    claims: BTreeMap<HostName, Claim>,
    /// When something is to be done, in seconds of Unix time.
    due: BTreeSet<(i64, HostName)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Claim {
    site: SiteId,
    next: Option<Next>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Next {
    task: Task,
    at_s: i64,
    /// The place in the log of the fact that it follows from.
    fact: u64,
}

/// What there is to do about a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Look at its records.
    Look,
    /// Give it up: its site is no more.
    Release,
}

/// Something to be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) name: HostName,
    pub(crate) site: SiteId,
    pub(crate) task: Task,
    /// The place in the log of the fact that it follows from.
    pub(crate) fact: u64,
}

impl Desk {
    /// What there is to do at a moment, in seconds of Unix time: what has waited longest first.
    pub(crate) fn due(&self, now_s: i64) -> impl Iterator<Item = Job> {
        self.due.iter().take_while(move |(at_s, _)| *at_s <= now_s).filter_map(|(_, name)| {
            let Claim { site, next } = self.claims.get(name)?;
            let Next { task, fact, .. } = (*next)?;
            Some(Job { name: name.clone(), site: *site, task, fact })
        })
    }

    /// When there is something to do next.
    pub(crate) fn next_s(&self) -> Option<i64> {
        self.due.first().map(|(at_s, _)| *at_s)
    }

    /// How many names wait to be looked at.
    pub(crate) fn waiting(&self) -> usize {
        self.due.len()
    }

    fn plan(&mut self, name: &HostName, next: Option<Next>) {
        let Some(claim) = self.claims.get_mut(name) else { return };
        let before = std::mem::replace(&mut claim.next, next);
        if let Some(before) = before {
            self.due.remove(&(before.at_s, name.clone()));
        }
        if let Some(next) = next {
            self.due.insert((next.at_s, name.clone()));
        }
    }

    fn of_domain(&mut self, name: &HostName, fact: &DomainEvent, recorded: &Recorded) {
        let now_s = recorded.envelope.time.unix_timestamp();
        let look = |at_s| Some(Next { task: Task::Look, at_s, fact: recorded.sequence });
        match fact {
            DomainEvent::Added { site, .. } => {
                self.plan(name, None);
                self.claims.insert(name.clone(), Claim { site: *site, next: None });
                self.plan(name, look(now_s));
            }
            DomainEvent::CheckRequested { .. } => self.plan(name, look(now_s)),
            DomainEvent::CheckFailed { attempt, .. } => {
                let pause_s = i64::try_from(pause(*attempt).as_secs()).unwrap_or(i64::MAX);
                self.plan(name, look(now_s.saturating_add(pause_s)));
            }
            DomainEvent::Verified { .. } | DomainEvent::Failed { .. } => self.plan(name, None),
            DomainEvent::Removed { .. } => {
                self.plan(name, None);
                self.claims.remove(name);
            }
            DomainEvent::Changed { .. } => {}
        }
    }

    fn release(&mut self, of: SiteId, recorded: &Recorded) {
        let names = self.claims.iter().filter(|(_, claim)| claim.site == of).map(|(name, _)| name.clone());
        let names: Vec<HostName> = names.collect();
        let at_s = recorded.envelope.time.unix_timestamp();
        for name in names {
            self.plan(&name, Some(Next { task: Task::Release, at_s, fact: recorded.sequence }));
        }
    }
}

impl State for Desk {
    const NAME: &'static str = crate::NAME;
    const VERSION: u32 = SNAPSHOT_VERSION;
    const SAVE_AFTER: Duration = SAVE_AFTER;

    fn apply(&mut self, recorded: &Recorded) -> bool {
        if let Event::Domain(fact) = &recorded.event {
            let Ok(name) = recorded.envelope.subject.parse() else { return false };
            self.of_domain(&name, fact, recorded);
            return true;
        }
        if let (Event::Site(SiteEvent::Erased {}), Some(site)) = (&recorded.event, recorded.site()) {
            self.release(site, recorded);
            return true;
        }
        false
    }
}

#[cfg(test)]
mod tests;
