//! What pushes told of the branches of repositories: enough to know a push that arrives after one that followed it.
//!
//! Deliveries overtake each other. A push whose new tip was already the old tip of another push of its branch is late:
//! what it brings was there and is gone. A branch that is forced back is not late, for such a push starts at the tip. A
//! push that is overtaken by one that does not follow it directly cannot be told from a forced one as long as the pushes
//! between them are missing.

use events::{Branch, CommitId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Former tips remembered of a branch: by how many pushes another may be overtaken and still be known as late.
const FORMER_MAX: usize = 64;

/// Branches of repositories, by the canonical name of the repository.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Branches(BTreeMap<String, BTreeMap<Branch, Tips>>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Tips {
    present: CommitId,
    /// Where pushes started from, oldest first.
    former: VecDeque<CommitId>,
}

/// What a push did to its branch.
pub struct Push<'a> {
    /// The tip it started from; none for a new branch.
    pub before: Option<&'a CommitId>,
    /// The tip it made.
    pub commit: &'a CommitId,
}

impl Branches {
    /// Takes in a push and answers whether it is late.
    pub fn is_late(&mut self, repository: &str, branch: &Branch, push: &Push<'_>) -> bool {
        let branches = self.0.entry(repository.to_owned()).or_default();
        let new = || Tips { present: push.commit.clone(), former: VecDeque::new() };
        let tips = branches.entry(branch.clone()).or_insert_with(new);
        let late = tips.former.contains(push.commit) && push.before != Some(&tips.present);
        if let Some(before) = push.before {
            tips.former.push_back(before.clone());
            if tips.former.len() > FORMER_MAX {
                tips.former.pop_front();
            }
        }
        if !late {
            tips.present = push.commit.clone();
        }
        late
    }

    /// The branch was deleted.
    pub fn forget(&mut self, repository: &str, branch: &Branch) {
        if let Some(branches) = self.0.get_mut(repository) {
            branches.remove(branch);
            if branches.is_empty() {
                self.0.remove(repository);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(letter: char) -> CommitId {
        letter.to_string().repeat(40).parse().unwrap()
    }

    /// Pushes as pairs of letters, old tip then new; `0` is none. Answers the new tips that were not late.
    fn built(pushes: &str) -> String {
        let (mut branches, branch) = (Branches::default(), "main".parse().unwrap());
        let mut built = String::new();
        for push in pushes.split_whitespace() {
            let [old, new] = [0, 1].map(|index| push.chars().nth(index).unwrap());
            let (before, commit) = ((old != '0').then(|| commit(old)), commit(new));
            if !branches.is_late("r", &branch, &Push { before: before.as_ref(), commit: &commit }) {
                built.push(new);
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
    fn a_branch_that_is_forced_back_is_built_again() {
        assert_eq!(built("0a ab bc cb bd"), "abcbd");
    }

    #[test]
    fn a_branch_that_was_deleted_begins_anew() {
        let (mut branches, branch): (_, Branch) = (Branches::default(), "main".parse().unwrap());
        branches.is_late("r", &branch, &Push { before: Some(&commit('a')), commit: &commit('b') });
        branches.forget("r", &branch);
        assert_eq!(branches, Branches::default());
        assert!(!branches.is_late("r", &branch, &Push { before: None, commit: &commit('a') }));
    }
}
