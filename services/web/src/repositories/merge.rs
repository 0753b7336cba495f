//! Brings a branch into the live one: by moving that forward if nothing came between, else by a merge.

use super::Repository;
use super::commit::Author;
use super::git::{self, Fault};
use events::{Branch, CommitId};

/// What shall be brought where.
#[derive(Debug)]
pub(crate) struct Merge {
    pub(crate) branch: Branch,
    /// Its tip, as whoever publishes it has seen it.
    pub(crate) seen: CommitId,
    pub(crate) live: Branch,
}

/// How it came out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Merged {
    To(CommitId),
    /// Both have changed the same lines.
    Conflict,
    /// A branch is not where it was seen.
    Moved,
}

impl Repository {
    /// Merges; the branch is gone then.
    pub(crate) async fn merge(&self, merge: &Merge, author: &Author) -> Result<Merged, Fault> {
        let Some(live) = self.tip(merge.live.as_str()).await? else { return Ok(Merged::Moved) };
        let ancestor = ["merge-base", "--is-ancestor", live.as_str(), merge.seen.as_str()];
        let tip = match git::run(self.command(&ancestor), &[]).await {
            Ok(_) => merge.seen.clone(),
            Err(Fault::Ended { .. }) => match self.joined(merge, &live, author).await? {
                Some(commit) => commit,
                None => return Ok(Merged::Conflict),
            },
            Err(fault) => return Err(fault),
        };
        let (branch, seen) = (&merge.branch, &merge.seen);
        let moves = format!("update refs/heads/{} {tip} {live}\ndelete refs/heads/{branch} {seen}\n", merge.live);
        Ok(if self.move_refs(&moves).await? { Merged::To(tip) } else { Merged::Moved })
    }

    /// A commit of both; none if they contradict each other.
    async fn joined(&self, merge: &Merge, live: &CommitId, author: &Author) -> Result<Option<CommitId>, Fault> {
        let joining = ["merge-tree", "--write-tree", "--no-messages", live.as_str(), merge.seen.as_str()];
        let tree = match git::run(self.command(&joining), &[]).await {
            Ok(tree) => String::from_utf8_lossy(&tree).trim().to_owned(),
            Err(Fault::Ended { .. }) => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let (parent, other) = (live.as_str(), merge.seen.as_str());
        let mut command = self.command(&["commit-tree", &tree, "-p", parent, "-p", other, "-F", "-"]);
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), &author.name).env(format!("GIT_{role}_EMAIL"), &author.email);
            command.env(format!("GIT_{role}_DATE"), format!("{} +0000", author.now.unix_timestamp()));
        }
        let message = format!("Publish `{}`\n", merge.branch);
        let made = git::run(command, message.as_bytes()).await?;
        Ok(String::from_utf8_lossy(&made).trim().parse().ok())
    }
}
