//! What pushes told of the branches of a repository: enough to know a push that arrives after what followed it.
//!
//! Deliveries overtake each other. A push whose new tip was already the old tip of another push of its branch is late:
//! what it brings was there and is gone. The same holds for a deletion, which leaves a tip as a push does. A branch that is
//! forced back is not late, for such a push starts at the tip, and one that is made anew starts where none is.
//!
//! A push that follows nothing heard yet may be late too, or one between was lost, so it is built. When the pushes between
//! arrive and join it to what it took over from, the branch is where that ended: that is built again, or it is gone.

mod tips;

use events::repository::DELIVERIES_KEPT;
use events::{Branch, CommitId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use time::OffsetDateTime;
use tips::Tips;

/// Deleted branches of which the tips are remembered, in one repository: the newest.
const GONE_MAX: usize = 100;

/// The branches of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Branches {
    tips: BTreeMap<Branch, Tips>,
    /// Those that were deleted so lately that a push to them may still be on its way, oldest first.
    gone: VecDeque<Gone>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Gone {
    branch: Branch,
    #[serde(with = "time::serde::rfc3339")]
    since: OffsetDateTime,
}

/// What a push did to its branch.
pub struct Push<'a> {
    /// The tip it started from; none for a new branch.
    pub before: Option<&'a CommitId>,
    /// The tip it made.
    pub commit: &'a CommitId,
}

/// Where a push stands among those that were heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// Its commit is the tip.
    Newest,
    /// What followed it was heard before.
    Late,
    /// The same, but something older had taken over meanwhile: the tip is this commit again.
    Behind(CommitId),
    /// What followed it in the end was a deletion, which was heard before: the branch is gone, or gone again.
    Gone,
}

impl Branches {
    /// Takes in a push and answers where it stands.
    pub fn push(&mut self, branch: &Branch, push: &Push<'_>, now: OffsetDateTime) -> Arrival {
        self.forget(now);
        let place = match self.tips.get_mut(branch) {
            Some(tips) => tips.push(push),
            None => {
                self.tips.insert(branch.clone(), Tips::pushed(push));
                Arrival::Newest
            }
        };
        self.note(branch, now);
        place
    }

    /// Takes in that a branch was deleted at the tip `before`, if that is known; answers whether it is gone, or was made
    /// anew since.
    pub fn delete(&mut self, branch: &Branch, before: Option<&CommitId>, now: OffsetDateTime) -> bool {
        self.forget(now);
        let is_gone = match (before, self.tips.get_mut(branch)) {
            (Some(tip), Some(tips)) => tips.delete(tip),
            (Some(tip), None) => {
                self.tips.insert(branch.clone(), Tips::deleted(tip));
                true
            }
            (None, _) => {
                self.tips.remove(branch);
                true
            }
        };
        self.note(branch, now);
        is_gone
    }

    /// Whether a push told that the branch is at a commit, or was.
    #[must_use]
    pub fn know(&self, branch: &Branch, commit: &CommitId) -> bool {
        self.tips.get(branch).is_some_and(|tips| tips.know(commit))
    }

    /// Whether the branch was deleted, as far as is remembered.
    fn is_gone(&self, branch: &Branch) -> bool {
        self.tips.get(branch).is_some_and(Tips::is_gone)
    }

    /// Notes since when a branch is gone: what is known of it tells a late push, and one that is told again, for a while.
    fn note(&mut self, branch: &Branch, now: OffsetDateTime) {
        let is_noted = self.gone.iter().position(|gone| gone.branch == *branch);
        match (self.is_gone(branch), is_noted) {
            (true, None) => self.gone.push_back(Gone { branch: branch.clone(), since: now }),
            (false, Some(index)) => drop(self.gone.remove(index)),
            (true, Some(_)) | (false, None) => {}
        }
        self.forget(now);
    }

    /// No delivery comes as late as this.
    fn forget(&mut self, now: OffsetDateTime) {
        let is_over = |gone: &mut Gone| now - gone.since > DELIVERIES_KEPT;
        while let Some(gone) = self.gone.pop_front_if(is_over) {
            self.tips.remove(&gone.branch);
        }
        while self.gone.len() > GONE_MAX {
            if let Some(gone) = self.gone.pop_front() {
                self.tips.remove(&gone.branch);
            }
        }
    }
}

#[cfg(test)]
mod tests;
