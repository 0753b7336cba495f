//! What an attempt has of earlier builds, and what it leaves to later ones. Neither ever fails a build.

use super::Attempt;
use crate::blocking;
use crate::brought::Brought;
use crate::cache::{Kept, Name, Print, Refused, print_of};
use crate::spec::Inputs;
use crate::words::megabytes;
use crate::workspace::Workspace;
use events::PullRequest;
use runtime::error::chain;
use runtime::telemetry::metrics;
use std::sync::Arc;

/// What a build began with.
pub(super) struct Cached {
    name: Name,
    /// Of what was restored.
    print: Option<Print>,
}

impl Attempt<'_> {
    /// Gives the build what the last of its kind has left, and says so. Nothing is restored for a build of a fork, nor kept: whoever
    /// wrote it is a stranger to the site.
    pub(super) async fn restore(&self, inputs: &Inputs, brought: &Brought) -> Option<Cached> {
        let job = &self.task.job;
        if job.pull_request.as_ref().is_some_and(PullRequest::is_of_fork) {
            self.record.say("no cache: builds of forks have none").await;
            return None;
        }
        if !brought.pages.cache {
            self.record.say("no cache: `pages.json` wants none").await;
            return None;
        }
        let folder = inputs.workspace.cache();
        let name = self.cache_of(inputs).await?;
        let restored = self.launcher.caches.restore(&name, job.cache_from, &folder).await;
        metrics::build_cache(if let Ok(Some(_)) = restored { "restored" } else { "none" });
        match restored {
            Ok(Some(Kept { number, bytes })) => {
                self.effort.restored(bytes);
                self.record.say(format!("cache restored, {} from build {number}", megabytes(bytes))).await;
            }
            Ok(None) if job.cache_from == Some(job.number) => self.record.say("no cache: it was cleared").await,
            Ok(None) => self.record.say("no cache").await,
            Err(error) => {
                tracing::warn!(build = %self.task.build, %error, "a cache could not be restored");
                self.record.say("no cache: what was kept could not be read").await;
            }
        }
        Some(Cached { name, print: print_of(&folder).await })
    }

    async fn cache_of(&self, inputs: &Inputs) -> Option<Name> {
        let (site, sandbox) = (self.task.job.site, self.task.sandbox.name());
        let inputs = inputs.clone();
        let named = blocking(move || Name::of_build(site, &inputs, sandbox)).await;
        named.inspect_err(|error| tracing::warn!(build = %self.task.build, %error, "a build has no cache")).ok()
    }

    /// Keeps what the build has left, if that is another than what it began with.
    pub(super) async fn keep(&self, workspace: &Workspace, cached: Option<Cached>) {
        let Some(Cached { name, print }) = cached else { return };
        let folder = workspace.cache();
        let left = print_of(&folder).await;
        if left.is_none() || left == print {
            return;
        }
        let caches = Arc::clone(&self.launcher.caches);
        let kept = caches.keep(&name, self.task.job.number, &folder).await;
        metrics::build_cache(if kept.is_ok() { "kept" } else { "refused" });
        match kept {
            Ok(bytes) => self.record.say(format!("cache kept, {}", megabytes(bytes))).await,
            Err(error) => {
                if let Refused::Io(_) = error {
                    tracing::warn!(build = %self.task.build, error = chain(&error), "a cache could not be kept");
                }
                self.record.say(format!("cache not kept: {error}")).await;
            }
        }
        tokio::spawn(async move { caches.trim().await });
    }
}
