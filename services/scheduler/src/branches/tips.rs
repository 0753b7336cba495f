//! The tips of one branch.

use super::{Arrival, Push};
use events::CommitId;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Former tips remembered of a branch: by how many pushes another may be overtaken and still be known as late.
const FORMER_MAX: usize = 32;
/// Stretches of pushes remembered of a branch that nothing joins to its present one.
const ASIDE_MAX: usize = 4;

/// What was heard of a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tips {
    present: Stretch,
    /// What another stretch took over from without following it, oldest first.
    aside: VecDeque<Stretch>,
    /// Where pushes started from, oldest first.
    former: VecDeque<Mark>,
}

/// Pushes each of which started where the one before it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stretch {
    /// Where the first of them started; none for a new branch.
    start: Option<Mark>,
    /// Where the last of them ended; none if that deleted the branch.
    tip: Option<CommitId>,
}

/// The last 64 bits of a commit's id: enough to tell it from a branch's few dozen others.
type Mark = u64;

impl Tips {
    pub(super) fn pushed(push: &Push<'_>) -> Self {
        let start = push.before.map(mark);
        Self::of(Stretch { start, tip: Some(push.commit.clone()) })
    }

    pub(super) fn deleted(tip: &CommitId) -> Self {
        Self::of(Stretch { start: Some(mark(tip)), tip: None })
    }

    fn of(present: Stretch) -> Self {
        let former = present.start.into_iter().collect();
        Self { present, aside: VecDeque::new(), former }
    }

    pub(super) const fn is_gone(&self) -> bool {
        self.present.tip.is_none()
    }

    /// Whether a commit is the tip, or was before it was left.
    pub(super) fn know(&self, commit: &CommitId) -> bool {
        self.present.tip.as_ref() == Some(commit) || self.former.contains(&mark(commit))
    }

    pub(super) fn push(&mut self, push: &Push<'_>) -> Arrival {
        let (before, commit) = (push.before.map(mark), mark(push.commit));
        let was_left = self.was_left(before, commit);
        if let Some(before) = before {
            self.leave(before);
            if self.present.ends_at(before) {
                return self.go_on(push.commit);
            }
        }
        if was_left {
            self.join(before, commit);
            return if self.is_gone() { Arrival::Gone } else { Arrival::Late };
        }
        let start = self.beginning(before);
        self.set_aside(Stretch { start, tip: Some(push.commit.clone()) });
        Arrival::Newest
    }

    /// Answers whether the branch is gone by it.
    pub(super) fn delete(&mut self, tip: &CommitId) -> bool {
        let tip = mark(tip);
        self.leave(tip);
        // What was made anew while another stretch was not over has heard of its end too early.
        let is_anew = self.present.start.is_none() && !self.is_gone();
        if is_anew && let Some(mut over) = self.continued(tip) {
            over.tip = None;
            self.remember(over);
            return false;
        }
        if self.present.ends_at(tip) {
            self.present.tip = None;
        } else {
            let start = self.beginning(Some(tip));
            self.set_aside(Stretch { start, tip: None });
        }
        true
    }

    /// Whether a tip was left already by what is heard only now. A branch that is gone may be made anew anywhere, but for a
    /// tip that was left before anything had led there.
    fn was_left(&self, before: Option<Mark>, commit: Mark) -> bool {
        let awaited = self.stretches().any(|later| later.start == Some(commit));
        let may_be_anew = before.is_none() && self.is_gone();
        awaited || !may_be_anew && self.former.contains(&commit)
    }

    fn leave(&mut self, tip: Mark) {
        self.former.push_back(tip);
        if self.former.len() > FORMER_MAX {
            self.former.pop_front();
        }
    }

    /// The present stretch goes on to `commit`, which may be where one starts that was set aside.
    fn go_on(&mut self, commit: &CommitId) -> Arrival {
        let joined = self.aside.iter().position(|later| later.start == Some(mark(commit)));
        let Some(later) = joined.and_then(|index| self.aside.remove(index)) else {
            self.present.tip = Some(commit.clone());
            return Arrival::Newest;
        };
        self.present.tip.clone_from(&later.tip);
        later.tip.map_or(Arrival::Gone, Arrival::Behind)
    }

    /// What leads from `before` to `commit` was heard after what starts there.
    fn join(&mut self, before: Option<Mark>, commit: Mark) {
        let starts = |later: &Stretch| later.start == Some(commit);
        if starts(&self.present) {
            self.present.start = self.beginning(before);
        } else if let Some(mut later) = self.aside.iter().position(starts).and_then(|index| self.aside.remove(index)) {
            later.start = self.beginning(before);
            self.remember(later);
        }
    }

    /// Where the stretch that ends at `before` starts.
    fn beginning(&mut self, before: Option<Mark>) -> Option<Mark> {
        before.and_then(|before| self.continued(before)).map_or(before, |earlier| earlier.start)
    }

    /// The stretch set aside that ends at `before`; it is one no longer.
    fn continued(&mut self, before: Mark) -> Option<Stretch> {
        let index = self.aside.iter().position(|earlier| earlier.ends_at(before))?;
        self.aside.remove(index)
    }

    fn set_aside(&mut self, next: Stretch) {
        let taken_over = std::mem::replace(&mut self.present, next);
        self.remember(taken_over);
    }

    fn remember(&mut self, stretch: Stretch) {
        if stretch.is_whole() {
            return;
        }
        self.aside.push_back(stretch);
        if self.aside.len() > ASIDE_MAX {
            self.aside.pop_front();
        }
    }

    fn stretches(&self) -> impl Iterator<Item = &Stretch> {
        std::iter::once(&self.present).chain(&self.aside)
    }
}

impl Stretch {
    fn ends_at(&self, tip: Mark) -> bool {
        self.tip.as_ref().map(mark) == Some(tip)
    }

    /// From a branch's beginning to its end.
    const fn is_whole(&self) -> bool {
        self.start.is_none() && self.tip.is_none()
    }
}

fn mark(commit: &CommitId) -> Mark {
    let digits = commit.as_str();
    digits.get(digits.len() - 16..).and_then(|last| Mark::from_str_radix(last, 16).ok()).unwrap_or_default()
}
