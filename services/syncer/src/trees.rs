//! The plain trees that CDNs and mirrors read: written after the switch, from what the alias shows by then.

use crate::{Syncer, stored, unless_refused};
use events::{Alias, AliasName, Cause, Deploy, DeployId, Site, SiteId, deploy, subject};
use runtime::Failure;
use storage::Mirrored;

impl Syncer {
    /// Makes the tree of `alias` what the alias shows: a deploy, or nothing. Promotions and removals may come in quick
    /// succession and to several syncers, so it is the alias that says what to write, and it is asked again when the tree
    /// is written. While another syncer writes the tree this fails, to be tried again: the other may die half way.
    pub(crate) async fn settle_tree(&self, site: SiteId, alias: &AliasName, cause: &Cause) -> Result<(), Failure> {
        let mut shown = self.shown(site, alias).await?;
        loop {
            let mirrored = match &shown {
                Some(deploy) => self.mirror(site, alias, deploy).await?,
                None => self.remove_tree(site, alias).await?,
            };
            let now = self.shown(site, alias).await?;
            match shown {
                Some(deploy) if now.as_ref() == Some(&deploy) => {
                    let (site, alias) = (site, alias.clone());
                    let Mirrored { written, removed } = mirrored;
                    let command = deploy::Command::Mirror { site, alias, written, removed };
                    return unless_refused(self.log.execute::<Deploy>(deploy.as_str(), &command, cause).await);
                }
                None if now.is_none() => return Ok(()),
                Some(_) | None => shown = now,
            }
        }
    }

    /// The same for every tree that the site has or had.
    pub(crate) async fn settle_trees(&self, site: SiteId, cause: &Cause) -> Result<(), Failure> {
        for alias in self.storage.site(site).trees().await.map_err(stored)? {
            self.settle_tree(site, &alias, cause).await?;
        }
        Ok(())
    }

    async fn mirror(&self, site: SiteId, alias: &AliasName, deploy: &DeployId) -> Result<Mirrored, Failure> {
        let bucket = self.storage.site(site);
        let manifest = bucket.manifest(deploy).await.map_err(stored)?;
        let missing = || Failure::Park(format!("deploy `{deploy}` has no manifest").into());
        bucket.mirror(&alias.tree(), &manifest.ok_or_else(missing)?).await.map_err(stored)
    }

    async fn remove_tree(&self, site: SiteId, alias: &AliasName) -> Result<Mirrored, Failure> {
        let removed = self.storage.site(site).remove_tree(&alias.tree()).await.map_err(stored)?;
        Ok(Mirrored { written: 0, removed })
    }

    /// What readers shall see: of a deleted site nothing, although its aliases stay as they are.
    async fn shown(&self, site: SiteId, alias: &AliasName) -> Result<Option<DeployId>, Failure> {
        if let Site::Deleted(_) | Site::Erased(_) = self.log.load::<Site>(&site.to_string()).await?.state {
            return Ok(None);
        }
        Ok(self.log.load::<Alias>(&subject::alias_id(site, alias)).await?.state.deploy)
    }
}
