//! What pushes told of the branches of a repository: enough to know a push that arrives after one that followed it.
//!
//! Deliveries overtake each other. A push whose new tip was already the old tip of another push of its branch is late:
//! what it brings was there and is gone. A branch that is forced back is not late, for such a push starts at the tip.
//!
//! A push that follows nothing heard yet may be late too, or one between was lost, so it is built. When the pushes between
//! arrive and join it to what it took over from, the branch is where that ended, and that is built again.

use events::{Branch, CommitId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Former tips remembered of a branch: by how many pushes another may be overtaken and still be known as late.
const FORMER_MAX: usize = 32;
/// Stretches of pushes remembered of a branch that nothing joins to its present one.
const ASIDE_MAX: usize = 4;

/// The branches of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Branches(BTreeMap<Branch, Tips>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Tips {
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
    tip: CommitId,
}

/// The last 64 bits of a commit's id: enough to tell it from a branch's few dozen others.
type Mark = u64;

/// What a push did to its branch.
pub struct Push<'a> {
    /// The tip it started from; none for a new branch.
    pub before: Option<&'a CommitId>,
    /// The tip it made.
    pub commit: &'a CommitId,
}

/// Where a push stands among those that were heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Its commit is the tip.
    Newest,
    /// A push that followed it was heard before.
    Late,
    /// The same, but something older had taken over meanwhile: the tip is this commit again.
    Behind(CommitId),
}

impl Branches {
    /// Takes in a push and answers where it stands.
    pub fn take(&mut self, branch: &Branch, push: &Push<'_>) -> Place {
        match self.0.get_mut(branch) {
            Some(tips) => tips.take(push),
            None => {
                self.0.insert(branch.clone(), Tips::new(push));
                Place::Newest
            }
        }
    }

    /// The branch was deleted.
    pub fn forget(&mut self, branch: &Branch) {
        self.0.remove(branch);
    }
}

impl Tips {
    fn new(push: &Push<'_>) -> Self {
        let former = push.before.map(mark).into_iter().collect();
        Self { present: Stretch::of(push), aside: VecDeque::new(), former }
    }

    fn take(&mut self, push: &Push<'_>) -> Place {
        let (before, commit) = (push.before.map(mark), mark(push.commit));
        let was_left = self.former.contains(&commit);
        self.former.extend(before);
        if self.former.len() > FORMER_MAX {
            self.former.pop_front();
        }
        if before == Some(mark(&self.present.tip)) {
            return self.go_on(push.commit);
        }
        if was_left {
            let mut stretches = std::iter::once(&mut self.present).chain(&mut self.aside);
            if let Some(later) = stretches.find(|later| later.start == Some(commit)) {
                later.start = before;
            }
            return Place::Late;
        }
        let continued = self.aside.iter().position(|earlier| before == Some(mark(&earlier.tip)));
        let start = continued.and_then(|index| self.aside.remove(index)).map_or(before, |earlier| earlier.start);
        self.set_aside(Stretch { start, tip: push.commit.clone() });
        Place::Newest
    }

    /// The present stretch goes on to `commit`, which may be where one starts that was set aside.
    fn go_on(&mut self, commit: &CommitId) -> Place {
        let joined = self.aside.iter().position(|later| later.start == Some(mark(commit)));
        let Some(later) = joined.and_then(|index| self.aside.remove(index)) else {
            self.present.tip = commit.clone();
            return Place::Newest;
        };
        self.present.tip = later.tip.clone();
        Place::Behind(later.tip)
    }

    fn set_aside(&mut self, next: Stretch) {
        self.aside.push_back(std::mem::replace(&mut self.present, next));
        if self.aside.len() > ASIDE_MAX {
            self.aside.pop_front();
        }
    }
}

impl Stretch {
    fn of(push: &Push<'_>) -> Self {
        Self { start: push.before.map(mark), tip: push.commit.clone() }
    }
}

fn mark(commit: &CommitId) -> Mark {
    let digits = commit.as_str();
    digits.get(digits.len() - 16..).and_then(|last| Mark::from_str_radix(last, 16).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(letter: char) -> CommitId {
        letter.to_string().repeat(40).parse().unwrap()
    }

    /// Pushes as pairs of letters, old tip then new; `0` is none. Answers the commits that are built for them.
    fn built(pushes: &str) -> String {
        let (mut branches, branch) = (Branches::default(), "main".parse().unwrap());
        let mut built = String::new();
        for push in pushes.split_whitespace() {
            let [old, new] = [0, 1].map(|index| push.chars().nth(index).unwrap());
            let (before, commit) = ((old != '0').then(|| commit(old)), commit(new));
            match branches.take(&branch, &Push { before: before.as_ref(), commit: &commit }) {
                Place::Newest => built.push(new),
                Place::Late => {}
                Place::Behind(tip) => built.extend(tip.as_str().chars().next()),
            }
        }
        built
    }

    #[test]
    fn a_push_that_was_overtaken_is_late_however_many_overtook_it() {
        assert_eq!(built("0a ab bc"), "abc");
        assert_eq!(built("0a bc ab"), "ac");
        assert_eq!(built("cd bc ab 0a"), "d");
        assert_eq!(built("ab 0a bc"), "bc");
    }

    #[test]
    fn pushes_that_were_overtaken_by_one_they_lead_to_end_where_that_ended() {
        assert_eq!(built("bc 0a ab"), "cac");
        assert_eq!(built("cd 0a ab bc"), "dabd");
        assert_eq!(built("cd ab 0a bc"), "dbd");
        assert_eq!(built("cd 0a bc ab"), "dad");
        assert_eq!(built("bc 0a cd ab"), "cad", "the branch has gone on meanwhile");
    }

    #[test]
    fn a_push_that_is_told_twice_does_not_bring_back_what_is_older() {
        assert_eq!(built("0a 0a ab 0a ab bc ab"), "aabbc");
    }

    #[test]
    fn a_branch_that_is_forced_back_is_built_again() {
        assert_eq!(built("0a ab bc cb bd"), "abcbd");
        assert_eq!(built("ab ba ab"), "bab");
    }

    #[test]
    fn a_branch_that_was_deleted_begins_anew() {
        let (mut branches, branch): (_, Branch) = (Branches::default(), "main".parse().unwrap());
        branches.take(&branch, &Push { before: Some(&commit('a')), commit: &commit('b') });
        branches.forget(&branch);
        assert_eq!(branches, Branches::default());
        assert_eq!(branches.take(&branch, &Push { before: None, commit: &commit('a') }), Place::Newest);
    }
}
