//! Pull requests: what somebody would like a repository to take in, of which a preview can be looked at before.

use crate::ids::Invalid;
use crate::{Branch, RepositoryUrl};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A pull request, as far as what is built for it depends on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PullRequest {
    /// Its number in the repository that it is for.
    pub number: u64,
    /// Where its commits are, if that is another repository: whoever wrote them need not have a right to the one that it is
    /// for, so that what they wrote is given nothing of the site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fork: Option<RepositoryUrl>,
}

impl PullRequest {
    /// Whether what it brings comes from somebody who need not have any right here.
    #[must_use]
    pub const fn is_of_fork(&self) -> bool {
        self.fork.is_some()
    }

    /// The branch whose preview shows it: its own, or `pull/<number>` where that is another repository's, in which any branch
    /// may be called like one of this.
    ///
    /// # Errors
    /// Names of branches are made from text alone, which may be none; from a number it always is one.
    pub fn branch(&self, own: Branch) -> Result<Branch, Invalid> {
        if self.is_of_fork() { format!("pull/{}", self.number).parse() } else { Ok(own) }
    }
}

/// Which pull requests of a site's repository are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PullRequests {
    /// All of them, without asking.
    All,
    /// Those of its own branches; one from a fork when a member has approved it, each time that it changes.
    #[default]
    Approved,
    /// None. What is pushed to its own branches is built all the same.
    None,
}

impl PullRequests {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::All, Self::Approved, Self::None];
}

impl fmt::Display for PullRequests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "all",
            Self::Approved => "approved",
            Self::None => "none",
        })
    }
}

impl FromStr for PullRequests {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let found = Self::ALL.into_iter().find(|choice| choice.to_string() == text);
        found.ok_or_else(|| Invalid(format!("`{}` is none of all, approved, none", text.escape_debug())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_of_a_fork_is_not_taken_for_one_of_ours() {
        let fork = Some("https://github.com/mallory/docs".parse().unwrap());
        let main: Branch = "main".parse().unwrap();
        let shown = |fork| PullRequest { number: 12, fork }.branch(main.clone()).unwrap().to_string();
        assert_eq!(shown(fork), "pull/12");
        assert_eq!(shown(None), "main");
    }

    #[test]
    fn each_choice_is_read_as_it_is_written() {
        for choice in PullRequests::ALL {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        assert!("some".parse::<PullRequests>().is_err());
    }
}
