//! The syncer brings what a build made to the site's bucket, and moves the switch.
//!
//! *Hears* `build.finished`, `build.canceled`, `alias.*`, `deploy.collected`, `site.deleted`, `site.restored`, `site.erased`. *Says* `deploy.synced`, `alias.promoted`, `deploy.mirrored`. *Touches*
//! the artifact store and the sites' buckets. *Safe to repeat because* deploys are immutable and named by their build, bytes
//! are named by their content, and a promotion that has happened changes nothing.

mod collect;
mod folder;
mod patience;
pub mod perform;
pub mod plan;
mod publish;
pub mod sweep;
mod trees;

use events::{
    Aggregate as _, Alias, AliasEvent, Build, BuildEvent, Cause, Deploy, DeployEvent, Event, Outcome, Recorded, Site,
    SiteEvent, SiteId,
};
use publish::Finished;
use runtime::records::Records;
use runtime::{Consumer, Error, ExecuteError, Failure, Log, Owner};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use storage::Storage;
use tokio::sync::Semaphore;
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
    /// Folder of what is on its way; what an earlier life left there is gone.
    pub(crate) in_hand: PathBuf,
    /// One site at a time is rid of what it keeps no longer, which nobody waits for.
    pub(crate) collecting: Semaphore,
}

/// Runs until `stop` fires.
///
/// # Errors
/// [`Error`] if the log cannot be reached.
pub async fn run(log: Log, storage: Storage, config: Config, stop: CancellationToken) -> Result<(), Error> {
    let in_hand = config.data_dir.join("in-hand");
    clear(&in_hand).await;
    let sweeping = Box::pin(sweep::keep_sweeping(log.clone(), storage.clone()));
    let (storage, collecting) = (storage.spooling_in(&in_hand), Semaphore::new(1));
    let syncer = Syncer { log: log.clone(), storage, in_hand, collecting };
    tokio::select! {
        ended = runtime::consumer::run_with(log, syncer, config.slots, patience::timing(), stop) => ended,
        never = sweeping => match never {},
    }
}

impl Consumer for Syncer {
    const NAME: &'static str = NAME;
    const HEARS: &'static [&'static str] = &[Build::KIND, Alias::KIND, Site::KIND, Deploy::KIND];

    async fn handle(&self, recorded: Recorded) -> Result<(), Failure> {
        let cause = Cause::from_fact(&recorded, NAME);
        loop {
            match self.react(&recorded, &cause).await {
                Ok(()) => return Ok(()),
                Err(failure) if !self.outlasts(&failure).await => return Err(failure),
                Err(_) => {}
            }
        }
    }

    async fn follow_up(&self, recorded: Recorded) -> Result<(), Failure> {
        let Event::Deploy(DeployEvent::Collected { site, .. }) = &recorded.event else { return Ok(()) };
        let collected = self.collect(*site, &recorded).await;
        self.unless_erased(*site, collected).await
    }
}

impl Syncer {
    async fn react(&self, recorded: &Recorded, cause: &Cause) -> Result<(), Failure> {
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
                let published = self.publish(&finished, cause).await;
                self.unless_erased(finished.site, published).await
            }
            Event::Alias(AliasEvent::Promoted { site, alias, .. } | AliasEvent::Removed { site, alias, .. }) => {
                let settled = self.settle_tree(*site, alias, cause).await;
                self.unless_erased(*site, settled).await
            }
            Event::Site(SiteEvent::Deleted {} | SiteEvent::Restored { .. }) => {
                let site = recorded.envelope.subject.parse().map_err(|error| Failure::Park(Box::new(error)))?;
                let settled = self.settle_trees(site, cause).await;
                self.unless_erased(site, settled).await
            }
            Event::Site(SiteEvent::Erased {}) => {
                let site = recorded.envelope.subject.parse().map_err(|error| Failure::Park(Box::new(error)))?;
                self.erase(site).await
            }
            // It is over, and nothing of it is published: what an attempt left on its way is nobody's.
            Event::Build(BuildEvent::Finished { .. } | BuildEvent::Canceled { .. }) => {
                let build = recorded.envelope.subject.parse().map_err(|error| Failure::Park(Box::new(error)))?;
                self.storage.platform().delete_artifacts(build).await.map_err(stored)
            }
            Event::Build(_)
            | Event::Organization(_)
            | Event::Handle(_)
            | Event::User(_)
            | Event::Invitation(_)
            | Event::Identity(_)
            | Event::Token(_)
            | Event::Receiver(_)
            | Event::Notice(_)
            | Event::Site(_)
            | Event::Host(_)
            | Event::Route(_)
            | Event::Domain(_)
            | Event::Repository(_)
            | Event::Alias(AliasEvent::Locked { .. } | AliasEvent::Unlocked { .. })
            | Event::Deploy(_) => Ok(()),
        }
    }

    /// What came of work on a site; if the site was erased meanwhile, nothing is left of it whatever that was.
    async fn unless_erased(&self, site: SiteId, done: Result<(), Failure>) -> Result<(), Failure> {
        match self.log.load::<Site>(&site.to_string()).await?.state {
            Site::Erased(_) => self.erase(site).await,
            Site::Unknown | Site::Active(_) | Site::Deleted(_) => done,
        }
    }

    /// Somebody may still be writing to the bucket, so a failure of any kind is worth another try.
    async fn erase(&self, site: SiteId) -> Result<(), Failure> {
        let retry = |error: storage::Error| Failure::Retry(error.into());
        self.storage.platform().delete_uploads(site).await.map_err(retry)?;
        self.storage.site(site).erase().await.map_err(retry)?;
        // Its secrets are in the log for ever, and nobody reads them any more.
        let keys = Records::keys(self.log.connection());
        for owner in [Owner::Builds(site), Owner::Site(site)] {
            keys.end(&owner.to_string()).await?;
        }
        Ok(())
    }
}

/// What was on its way in an earlier life is fetched anew. A folder that stays as it was costs only its space.
async fn clear(folder: &Path) {
    let cleared = match tokio::fs::remove_dir_all(folder).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    };
    if let Err(error) = cleared {
        tracing::warn!(%error, folder = %folder.display(), "what an earlier life left could not be removed");
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
