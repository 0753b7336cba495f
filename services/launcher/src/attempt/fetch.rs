//! The source of a build, from its repository into the workspace.

use super::fault::{self, Cut, Fault};
use super::{Attempt, Task};
use crate::blocking;
use crate::brought::Brought;
use crate::interruption::Interruption;
use crate::source::{self, Origin};
use crate::workspace::Workspace;
use events::{CommitId, Outcome};
use runtime::error::chain;
use std::time::Duration;

/// How often a repository that does not answer is asked within an attempt.
const TRIES: u32 = 3;

impl Attempt<'_> {
    /// Fetches `commit`, or the tip of the branch, and reads what it says of its builds: all of its history, for one.
    pub(super) async fn fetch(
        &self,
        workspace: &Workspace,
        commit: Option<&CommitId>,
    ) -> Result<(CommitId, Brought), Cut> {
        let job = &self.task.job;
        let credentials = self.task.credentials.clone().ok_or_else(fault::locked_out)?;
        let origin = Origin { repository: job.repository.as_str(), branch: job.branch.as_str(), credentials };
        let mut tries = 0;
        let commit = loop {
            match self.check_out(workspace, &origin, commit).await {
                Ok(commit) => break commit,
                Err(error) => self.again(&error, &mut tries, commit).await?,
            }
        };
        let (owned, base) = (workspace.clone(), job.recipe.base_directory.clone());
        let reading =
            move || owned.folder_of(base.as_ref())?.map_or_else(|| Ok(Brought::default()), |at| Brought::from(&at));
        let brought = blocking(reading).await.map_err(|error| fault::of_files("look at the checkout", &error))?;
        for complaint in brought.complaints() {
            self.record.say(complaint).await;
        }
        if brought.pages.full_clone {
            let (mirror, site) = (&self.launcher.mirror, workspace.site());
            let mut tries = 0;
            while let Err(error) = mirror.deepen(&origin, commit.as_str(), &site).await {
                self.again(&error, &mut tries, Some(&commit)).await?;
            }
            self.record.say("all of the branch's history is there, as `pages.json` wants").await;
        }
        Ok((commit, brought))
    }

    /// Waits until it is worth another try, if it is.
    async fn again(&self, error: &source::Error, tries: &mut u32, commit: Option<&CommitId>) -> Result<(), Cut> {
        *tries += 1;
        if error.is_about_disk() {
            tracing::warn!(build = %self.task.build, error = chain(error), "a build finds no room on the disk");
            return Err(Cut::Interrupted(Interruption::Disk));
        }
        if error.is_retryable() && *tries < TRIES {
            self.record.say(format!("{}; trying again", chain(error))).await;
            tokio::time::sleep(Duration::from_secs(2 << *tries)).await;
            return Ok(());
        }
        let outcome = if error.is_ours() { Outcome::Error } else { Outcome::Failure };
        let message = format!("The source could not be fetched: {}.", chain(error));
        Err(Fault { outcome, message, commit: commit.cloned(), hint: error.hint() }.into())
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
