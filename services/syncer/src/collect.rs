//! What became of deploys that are kept no longer: their bytes go.

use crate::{Syncer, stored};
use events::building::SETTLING;
use events::{Alias, AliasName, Deploy, DeployId, Recorded, SiteId, subject};
use runtime::{Failure, clock, telemetry};
use std::collections::HashSet;
use storage::Unneeded;

impl Syncer {
    /// Removes what a site's deploys that are kept no longer were made of, this one and any other. Somebody may have shown it
    /// again in the moment in which it was decided: what an alias shows stays.
    pub(crate) async fn collect(&self, site: SiteId, recorded: &Recorded) -> Result<(), Failure> {
        let deploy: DeployId = recorded.envelope.subject.parse().map_err(|error| Failure::Park(Box::new(error)))?;
        let _turn = self.collecting.acquire().await.map_err(|closed| Failure::Retry(closed.into()))?;
        let bucket = self.storage.site(site);
        let settled = recorded.envelope.time + SETTLING - clock::now();
        tokio::time::sleep(settled.try_into().unwrap_or_default()).await;
        // Mostly it went with another.
        if !bucket.has(&deploy).await.map_err(stored)? {
            return Ok(());
        }
        let shown = self.shown_anywhere(site).await?;
        let mut gone = Vec::new();
        for deploy in bucket.deploys().await.map_err(stored)? {
            let state = self.log.load::<Deploy>(deploy.as_str()).await?.state;
            if matches!(state, Deploy::Collected { .. }) && !shown.contains(&deploy) {
                gone.push(deploy);
            }
        }
        let Unneeded { deploys, packs, bytes, .. } = bucket.collect(&gone).await.map_err(stored)?;
        telemetry::metrics::collected(deploys, bytes);
        tracing::info!(%site, deploys, packs, bytes, "deploys that are kept no longer are removed");
        Ok(())
    }

    /// What the aliases of a site show.
    async fn shown_anywhere(&self, site: SiteId) -> Result<HashSet<DeployId>, Failure> {
        let mut aliases = self.storage.site(site).trees().await.map_err(stored)?;
        aliases.extend([AliasName::Live, AliasName::Demo]);
        let mut shown = HashSet::new();
        for alias in aliases {
            shown.extend(self.log.load::<Alias>(&subject::alias_id(site, &alias)).await?.state.deploy);
        }
        Ok(shown)
    }
}
