//! The source of a build, from its repository into the workspace.

use super::fault::{self, Cut, Fault};
use super::{Attempt, Task};
use crate::interruption::Interruption;
use crate::source::{self, Origin};
use crate::workspace::Workspace;
use events::{CommitId, Outcome};
use runtime::error::chain;
use std::time::Duration;

/// How often a repository that does not answer is asked within an attempt.
const TRIES: u32 = 3;

impl Attempt<'_> {
    /// Fetches `commit`, or the tip of the branch.
    pub(super) async fn fetch(&self, workspace: &Workspace, commit: Option<&CommitId>) -> Result<CommitId, Cut> {
        let job = &self.task.job;
        let credentials = self.task.credentials.clone().ok_or_else(fault::locked_out)?;
        let origin = Origin { repository: job.repository.as_str(), branch: job.branch.as_str(), credentials };
        let mut tries = 0;
        loop {
            tries += 1;
            match self.check_out(workspace, &origin, commit).await {
                Ok(commit) => return Ok(commit),
                Err(error) if error.is_about_disk() => {
                    tracing::warn!(build = %self.task.build, error = chain(&error), "a build finds no room on the disk");
                    return Err(Cut::Interrupted(Interruption::Disk));
                }
                Err(error) if error.is_retryable() && tries < TRIES => {
                    self.record.say(format!("{}; trying again", chain(&error))).await;
                    tokio::time::sleep(Duration::from_secs(2 << tries)).await;
                }
                Err(error) => {
                    let outcome = if error.is_ours() { Outcome::Error } else { Outcome::Failure };
                    let message = format!("The source could not be fetched: {}.", chain(&error));
                    return Err(Fault { outcome, message, commit: commit.cloned(), hint: error.hint() }.into());
                }
            }
        }
    }

    async fn check_out(
        &self,
        workspace: &Workspace,
        origin: &Origin<'_>,
        commit: Option<&CommitId>,
    ) -> Result<CommitId, source::Error> {
        let mirror = &self.launcher.mirror;
        let source::Tip { commit, is_new } = match commit {
            Some(commit) => source::Tip { commit: commit.clone(), is_new: false },
            None => mirror.tip(origin).await?,
        };
        let fetched = mirror.checkout(origin, commit.as_str(), &workspace.site()).await?;
        let whence = if fetched.from_mirror && !is_new { "already here" } else { "fetched" };
        self.record.say(format!("checked out {} of {} ({whence})", commit.short(), origin.branch)).await;
        for notice in fetched.notices {
            self.record.say(notice).await;
        }
        let Task { build, number, cause, .. } = &self.task;
        // The future is large and lives on the heap.
        Box::pin(self.launcher.tell_source(*build, *number, fetched.source, cause)).await;
        Ok(commit)
    }
}
