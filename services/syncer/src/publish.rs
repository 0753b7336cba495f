//! From a finished build to what a reader sees: store the deploy, then move the alias of its branch.

use crate::perform::{self, Sent, Wanted};
use crate::{Syncer, folder, stored, unless_refused};
use events::alias::Claim;
use events::event::Artifact;
use events::event::RulesDialect;
use events::{Alias, AliasName, Branch, BuildId, Cause, CommitId, DeployId, Site, SiteId, alias, deploy, subject};
use runtime::Failure;
use std::path::Path;
use storage::keys;
use uuid::Uuid;

/// A build that succeeded.
pub(crate) struct Finished {
    pub(crate) build: BuildId,
    pub(crate) site: SiteId,
    pub(crate) number: u64,
    pub(crate) source_sequence: u64,
    pub(crate) branch: Branch,
    /// What its deploy moves, decided when it was queued.
    pub(crate) alias: AliasName,
    pub(crate) commit: CommitId,
    pub(crate) artifact: Artifact,
}

impl Syncer {
    pub(crate) async fn publish(&self, finished: &Finished, cause: &Cause) -> Result<(), Failure> {
        let platform = self.storage.platform();
        let Site::Active(site) = self.log.load::<Site>(&finished.site.to_string()).await?.state else {
            return platform.delete_artifacts(finished.build).await.map_err(stored);
        };
        let deploy = DeployId::of(finished.build);
        let known = self.log.load::<events::Deploy>(deploy.as_str()).await?.state;
        if matches!(known, events::Deploy::Collected { .. }) {
            return platform.delete_artifacts(finished.build).await.map_err(stored);
        }
        if known == events::Deploy::Unknown {
            let synced = self.sync(finished, &deploy, site.settings.serving.rules_dialect).await?;
            let command = deploy::Command::Sync(stated(finished, synced));
            unless_refused(self.log.execute::<events::Deploy>(deploy.as_str(), &command, cause).await)?;
        }
        self.promote(finished, deploy, cause).await?;
        // The deploy has its bytes now; only a build can make others.
        platform.delete_artifacts(finished.build).await.map_err(stored)
    }

    async fn sync(&self, finished: &Finished, deploy: &DeployId, dialect: RulesDialect) -> Result<Sent, Failure> {
        // A fact that is delivered again while its first try is in hand must not meet that one's files.
        let folder = self.in_hand.join(format!("{}-{}", finished.build, Uuid::new_v4().simple()));
        tokio::fs::create_dir_all(&folder).await.map_err(|error| Failure::Retry(Box::new(error)))?;
        let wanted = Wanted { id: deploy.clone(), site: finished.site, build: finished.build, dialect };
        let synced = self.sync_in(&folder, finished, wanted).await;
        // Whatever came of it, the next try fetches the artifact anew.
        let _ = tokio::fs::remove_dir_all(&folder).await;
        synced
    }

    async fn sync_in(&self, folder: &Path, finished: &Finished, wanted: Wanted) -> Result<Sent, Failure> {
        let (artifact, platform) = (folder.join("artifact.tar"), self.storage.platform());
        let key = &finished.artifact.key;
        if keys::is_upload(key) {
            folder::assemble(&platform, finished.site, key, &artifact).await?;
        } else {
            platform.get_artifact(key, &artifact).await.map_err(stored)?;
        }
        let known = self.likely_known(finished).await?;
        let synced = perform::sync(&self.storage, wanted, &artifact, &known).await;
        synced.map_err(|error| {
            if error.is_transient() { Failure::Retry(Box::new(error)) } else { Failure::Park(Box::new(error)) }
        })
    }

    /// Deploys that most likely hold the same content: what the branch's alias shows, and what is live.
    async fn likely_known(&self, finished: &Finished) -> Result<Vec<DeployId>, Failure> {
        let mut known = Vec::new();
        for alias in [&finished.alias, &AliasName::Live] {
            let id = subject::alias_id(finished.site, alias);
            for deploy in self.log.load::<Alias>(&id).await?.state.recent {
                if !known.contains(&deploy) {
                    known.push(deploy);
                }
            }
        }
        Ok(known)
    }

    async fn promote(&self, finished: &Finished, deploy: DeployId, cause: &Cause) -> Result<(), Failure> {
        let Finished { site, number, source_sequence, .. } = *finished;
        let (id, alias, claim) = (subject::alias_id(site, &finished.alias), finished.alias.clone(), Claim::Built);
        let command = alias::Command::Promote { site, alias, deploy, number, source_sequence, claim };
        unless_refused(self.log.execute::<Alias>(&id, &command, cause).await)
    }
}

fn stated(finished: &Finished, synced: Sent) -> events::event::Synced {
    let Sent { content, files, bytes, uploaded_files, uploaded_bytes, requests } = synced;
    events::event::Synced {
        site: finished.site,
        build: finished.build,
        number: finished.number,
        source_sequence: finished.source_sequence,
        branch: finished.branch.clone(),
        alias: finished.alias.clone(),
        commit: finished.commit.clone(),
        content,
        files,
        bytes,
        uploaded_files,
        uploaded_bytes,
        requests,
    }
}
