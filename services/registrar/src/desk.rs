//! Which names have to be looked at, and when: folded from the log.

use events::domain::{certificate_pause, pause};
use events::routing::HostName;
use events::{DomainEvent, Event, Recorded, SiteEvent, SiteId};
use runtime::fold::State;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Bumped when the shape or the meaning of [`Desk`] changes; an older snapshot is then not read.
const SNAPSHOT_VERSION: u32 = 2;
/// How long what it has heard may go unsaved.
const SAVE_AFTER: Duration = Duration::from_secs(30);

/// How long an order may take before it is taken to be lost, in seconds.
const ORDER_MAX_S: i64 = 300;

/// Names by when something is to be done about them, in seconds of Unix time.
type Queue = BTreeSet<(i64, HostName)>;

/// All names that are somebody's, and what there is to do about them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Desk {
    claims: BTreeMap<HostName, Claim>,
    /// Those that everybody can do something about.
    due: Queue,
    /// Those for whom a certificate is to be had.
    uncertified: Queue,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Claim {
    site: SiteId,
    proven: bool,
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
    /// Have a certificate issued.
    Certify,
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
    /// What there is to do at a moment, in seconds of Unix time: what has waited longest first. Certificates are for those who
    /// know an authority.
    pub(crate) fn due(&self, now_s: i64, certifies: bool) -> impl Iterator<Item = Job> {
        let names =
            self.queues(certifies).flat_map(move |queue| queue.iter().take_while(move |(at_s, _)| *at_s <= now_s));
        names.filter_map(|(_, name)| {
            let Claim { site, next, .. } = self.claims.get(name)?;
            let Next { task, fact, .. } = (*next)?;
            Some(Job { name: name.clone(), site: *site, task, fact })
        })
    }

    /// When there is something to do next.
    pub(crate) fn next_s(&self, certifies: bool) -> Option<i64> {
        self.queues(certifies).filter_map(|queue| queue.first().map(|(at_s, _)| *at_s)).min()
    }

    /// How many names wait to be looked at.
    pub(crate) fn waiting(&self) -> usize {
        self.due.len()
    }

    fn queues(&self, certifies: bool) -> impl Iterator<Item = &Queue> {
        std::iter::once(&self.due).chain(certifies.then_some(&self.uncertified))
    }

    const fn queue(&mut self, task: Task) -> &mut Queue {
        match task {
            Task::Look | Task::Release => &mut self.due,
            Task::Certify => &mut self.uncertified,
        }
    }

    fn plan(&mut self, name: &HostName, next: Option<Next>) {
        let Some(claim) = self.claims.get_mut(name) else { return };
        let before = std::mem::replace(&mut claim.next, next);
        if let Some(Next { task, at_s, .. }) = before {
            self.queue(task).remove(&(at_s, name.clone()));
        }
        if let Some(Next { task, at_s, .. }) = next {
            self.queue(task).insert((at_s, name.clone()));
        }
    }

    fn of_domain(&mut self, name: &HostName, fact: &DomainEvent, recorded: &Recorded) {
        let now_s = recorded.envelope.time.unix_timestamp();
        let look = |at_s| Some(Next { task: Task::Look, at_s, fact: recorded.sequence });
        let certify = |at_s| Some(Next { task: Task::Certify, at_s, fact: recorded.sequence });
        match fact {
            DomainEvent::Added { site, .. } => {
                self.plan(name, None);
                self.claims.insert(name.clone(), Claim { site: *site, proven: false, next: None });
                self.plan(name, look(now_s));
            }
            DomainEvent::CheckRequested { .. } if self.claims.get(name).is_some_and(|claim| claim.proven) => {
                self.plan(name, certify(now_s));
            }
            DomainEvent::CheckRequested { .. } => self.plan(name, look(now_s)),
            DomainEvent::CheckFailed { attempt, .. } => self.plan(name, look(after(now_s, pause(*attempt)))),
            DomainEvent::Verified { .. } => {
                if let Some(claim) = self.claims.get_mut(name) {
                    claim.proven = true;
                }
                self.plan(name, certify(now_s));
            }
            // Whoever asked may be no more.
            DomainEvent::CertificateOrdered { .. } => self.plan(name, certify(now_s.saturating_add(ORDER_MAX_S))),
            DomainEvent::CertificateFailed { attempt, .. } => {
                self.plan(name, certify(after(now_s, certificate_pause(*attempt))));
            }
            DomainEvent::CertificateIssued(certified) => {
                self.plan(name, certify(certified.renew_at.unix_timestamp()));
            }
            DomainEvent::Failed { .. } => self.plan(name, None),
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

fn after(now_s: i64, pause: Duration) -> i64 {
    now_s.saturating_add(i64::try_from(pause.as_secs()).unwrap_or(i64::MAX))
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
