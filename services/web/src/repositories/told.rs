//! Where the branches of a repository are, and where the log was told that they are. That is written down in refs of its own, so that
//! a push that was taken in just before a crash is told by whoever looks next.

use super::Repository;
use super::git::{self, Fault};
use events::CommitId;
use std::collections::BTreeMap;

/// Where it is written down.
const TOLD: &str = "refs/told/";
const HEADS: &str = "refs/heads/";

/// Where a branch is, and where the log was told that it is.
#[derive(Debug, Default)]
pub(crate) struct Place {
    pub(crate) told: Option<CommitId>,
    pub(crate) now: Option<CommitId>,
}

impl Repository {
    /// The branches of which the log does not know where they are, by name.
    pub(crate) async fn news(&self) -> Result<BTreeMap<String, Place>, Fault> {
        let listed = git::run(self.command(&["for-each-ref", "--format=%(objectname) %(refname)", HEADS, TOLD]), &[]);
        let mut places = places(&String::from_utf8_lossy(&listed.await?));
        places.retain(|_, place| place.told != place.now);
        Ok(places)
    }

    /// Writes down that the log was told where a branch is.
    pub(crate) async fn note(&self, branch: &str, place: &Place) -> Result<(), Fault> {
        let written = match &place.now {
            Some(commit) => format!("update {TOLD}{branch} {commit}\n"),
            None => format!("delete {TOLD}{branch}\n"),
        };
        self.move_refs(&written).await.map(drop)
    }

    /// Notes that the log needs not be told where its branches are: a new site is built anyway.
    pub(super) async fn note_all(&self) -> Result<(), Fault> {
        for (branch, place) in self.news().await? {
            self.note(&branch, &place).await?;
        }
        Ok(())
    }

    /// Why a commit was made.
    pub(crate) async fn message(&self, commit: &CommitId) -> Result<String, Fault> {
        let shown = ["show", "--no-patch", "--format=%B", "--end-of-options", commit.as_str()];
        let text = git::run(self.command(&shown), &[]).await?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

fn places(listed: &str) -> BTreeMap<String, Place> {
    let mut places: BTreeMap<String, Place> = BTreeMap::new();
    for (commit, name) in listed.lines().filter_map(|line| line.split_once(' ')) {
        let commit = commit.parse().ok();
        if let Some(branch) = name.strip_prefix(HEADS) {
            places.entry(branch.to_owned()).or_default().now = commit;
        } else if let Some(branch) = name.strip_prefix(TOLD) {
            places.entry(branch.to_owned()).or_default().told = commit;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_held_against_what_is() {
        let (one, two) = ("1".repeat(40), "2".repeat(40));
        let listed =
            format!("{two} refs/heads/main\n{one} refs/heads/new\n{one} refs/told/gone\n{one} refs/told/main\n");
        let told = places(&listed);
        let place = |name: &str| {
            (told[name].told.as_ref().map(CommitId::as_str), told[name].now.as_ref().map(CommitId::as_str))
        };
        assert_eq!(place("main"), (Some(&*one), Some(&*two)));
        assert_eq!(place("new"), (None, Some(&*one)));
        assert_eq!(place("gone"), (Some(&*one), None));
    }
}
