//! The plain trees that CDNs and mirrors read: written after the switch, from what the alias shows by then.

use crate::{Syncer, stored, unless_refused};
use events::{Alias, AliasName, Cause, Deploy, DeployEvent, DeployId, SiteId, deploy, subject};
use runtime::Failure;

impl Syncer {
    /// Writes the tree of `alias`. Promotions may come in quick succession and to several syncers, so it is the alias
    /// that says what to write, and it is asked again when the tree is written.
    pub(crate) async fn mirror(&self, site: SiteId, alias: &AliasName, cause: &Cause) -> Result<(), Failure> {
        let bucket = self.storage.site(site);
        let mut shown = self.shown(site, alias).await?;
        while let Some(deploy) = shown {
            let manifest = bucket.manifest(&deploy).await.map_err(stored)?;
            let missing = || Failure::Park(format!("deploy `{deploy}` has no manifest").into());
            let mirrored = bucket.mirror(&alias.tree(), &manifest.ok_or_else(missing)?).await.map_err(stored)?;
            shown = self.shown(site, alias).await?;
            if shown.as_ref() == Some(&deploy) {
                let (site, alias) = (site, alias.clone());
                let storage::Mirrored { written, removed } = mirrored;
                let fact = DeployEvent::Mirrored { site, alias, written, removed };
                let command = deploy::Command::Record(fact);
                return unless_refused(self.log.execute::<Deploy>(deploy.as_str(), &command, cause).await);
            }
        }
        Ok(())
    }

    /// Takes the tree of `alias` away, unless it shows something again.
    pub(crate) async fn remove_tree(&self, site: SiteId, alias: &AliasName) -> Result<(), Failure> {
        if self.shown(site, alias).await?.is_some() {
            return Ok(());
        }
        self.storage.site(site).remove_tree(&alias.tree()).await.map_err(stored)?;
        Ok(())
    }

    async fn shown(&self, site: SiteId, alias: &AliasName) -> Result<Option<DeployId>, Failure> {
        Ok(self.log.load::<Alias>(&subject::alias_id(site, alias)).await?.state.deploy)
    }
}
