//! The syncer brings what a build made to the site's bucket, and moves the switch.
//!
//! *Hears* `build.finished`, `alias.*`, `site.deleted`. *Says* `deploy.synced`, `alias.promoted`, `deploy.mirrored`. *Touches*
//! the artifact store and the sites' buckets. *Safe to repeat because* deploys are immutable and named by their build, bytes
//! are named by their content, and a promotion that has happened changes nothing.

pub mod perform;
pub mod plan;
mod publish;
mod trees;

use events::{
    Aggregate as _, Alias, AliasEvent, Build, BuildEvent, Cause, Event, Outcome, Recorded, Site, SiteEvent, SiteId,
};
use publish::Finished;
use runtime::{Consumer, Error, ExecuteError, Failure, Log};
use std::path::PathBuf;
use storage::Storage;
use tokio_util::sync::CancellationToken;

/// Its name: durable consumer, source of its facts.
pub const NAME: &str = "syncer";

/// How it works here.
#[derive(Debug, Clone)]
pub struct Config {
    /// Facts in hand at the same time.
    pub slots: usize,
    /// Folder for artifacts on their way; of one syncer alone.
    pub data_dir: PathBuf,
}

pub(crate) struct Syncer {
    pub(crate) log: Log,
    pub(crate) storage: Storage,
    pub(crate) data_dir: PathBuf,
}

/// Runs until `stop` fires.
///
/// # Errors
/// [`Error`] if the log cannot be reached.
pub async fn run(log: Log, storage: Storage, config: Config, stop: CancellationToken) -> Result<(), Error> {
    let syncer = Syncer { log: log.clone(), storage, data_dir: config.data_dir };
    runtime::consumer::run(log, syncer, config.slots, stop).await
}

impl Consumer for Syncer {
    const NAME: &'static str = NAME;
    const HEARS: &'static [&'static str] = &[Build::KIND, Alias::KIND, Site::KIND];

    async fn handle(&self, recorded: Recorded) -> Result<(), Failure> {
        let cause = Cause::from_fact(&recorded, NAME);
        match &recorded.event {
            Event::Build(BuildEvent::Finished {
                outcome: Outcome::Success,
                site,
                number,
                source_sequence,
                branch,
                alias,
                commit: Some(commit),
                artifact: Some(artifact),
                ..
            }) => {
                let build = recorded.envelope.subject.parse().map_err(|error| Failure::Park(Box::new(error)))?;
                let finished = Finished {
                    build,
                    site: *site,
                    number: *number,
                    source_sequence: *source_sequence,
                    branch: branch.clone(),
                    alias: alias.clone(),
                    commit: commit.clone(),
                    artifact: artifact.clone(),
                };
                let published = self.publish(&finished, &cause).await;
                self.unless_deleted(finished.site, published).await
            }
            Event::Alias(AliasEvent::Promoted { site, alias, .. }) => {
                let mirrored = self.mirror(*site, alias, &cause).await;
                self.unless_deleted(*site, mirrored).await
            }
            Event::Alias(AliasEvent::Removed { site, alias, .. }) => {
                let removed = self.remove_tree(*site, alias).await;
                self.unless_deleted(*site, removed).await
            }
            Event::Site(SiteEvent::Deleted {}) => {
                let site = recorded.envelope.subject.parse().map_err(|error| Failure::Park(Box::new(error)))?;
                self.erase(site).await
            }
            Event::Build(_)
            | Event::Organization(_)
            | Event::Handle(_)
            | Event::Site(_)
            | Event::Host(_)
            | Event::Repository(_)
            | Event::Deploy(_) => Ok(()),
        }
    }
}

impl Syncer {
    /// What came of work on a site; if the site was deleted meanwhile, nothing is left of it whatever that was.
    async fn unless_deleted(&self, site: SiteId, done: Result<(), Failure>) -> Result<(), Failure> {
        match self.log.load::<Site>(&site.to_string()).await?.state {
            Site::Deleted => self.erase(site).await,
            Site::Unknown | Site::Active(_) => done,
        }
    }

    /// Somebody may still be writing to the bucket, so a failure of any kind is worth another try.
    async fn erase(&self, site: SiteId) -> Result<(), Failure> {
        self.storage.site(site).erase().await.map_err(|error| Failure::Retry(error.into()))
    }
}

pub(crate) fn stored(error: storage::Error) -> Failure {
    if error.is_transient() { Failure::Retry(error.into()) } else { Failure::Park(error.into()) }
}

/// What a refused command of ours means: somebody decided otherwise, which is not a failure.
pub(crate) fn unless_refused(said: Result<Vec<Recorded>, ExecuteError>) -> Result<(), Failure> {
    match said {
        Ok(_) => Ok(()),
        Err(ExecuteError::Refused(refusal)) => {
            tracing::info!(%refusal, "decided otherwise");
            Ok(())
        }
        Err(ExecuteError::Failed(error)) => Err(error.into()),
    }
}
