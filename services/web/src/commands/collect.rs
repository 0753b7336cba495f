//! Deploys that are kept no longer, by what each site keeps: found in the read model, and stated one by one. Their bytes go
//! when the syncer hears of it.

use super::execute::{execute, seen};
use super::permit::{About, permit};
use crate::app::{App, Shared};
use crate::caller::Caller;
use crate::problem::Problem;
use events::authority::Command;
use events::{Actor, Cause, Deploy, DeployId, Recorded, SiteId, deploy};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use projections::surplus::SurplusRow;
use runtime::clock;
use std::collections::BTreeMap;
use std::time::Duration;
use storage::Unneeded;
use tokio_util::sync::CancellationToken;

/// Deploys that are told of, or stated, at once.
pub(crate) const COLLECTED_MAX: u32 = 1000;
/// How often that is done without being asked, and for how long a process that begins leaves it to others.
const EVERY: Duration = Duration::from_secs(24 * 60 * 60);
const FIRST_AFTER: Duration = Duration::from_secs(10 * 60);
/// The rest between two parts of a sweep: builds that are published meanwhile come first.
const REST: Duration = Duration::from_secs(30);
/// Sites whose buckets are looked through at the same time.
const SITES_AT_ONCE: usize = 4;

/// Deploys that are kept no longer, and what goes with them.
#[derive(Debug)]
pub(crate) struct Surplus {
    /// The oldest, at most [`COLLECTED_MAX`].
    pub(crate) deploys: Vec<SurplusRow>,
    /// Whether there are more.
    pub(crate) more: bool,
    pub(crate) packs: u64,
    pub(crate) bytes: u64,
}

/// What would go now.
pub(crate) async fn surplus(app: &App, site: Option<SiteId>) -> Result<Surplus, Problem> {
    let mut deploys = app.model.surplus(site, clock::now(), COLLECTED_MAX + 1).await?;
    let more = deploys.len() > COLLECTED_MAX as usize;
    deploys.truncate(COLLECTED_MAX as usize);
    let mut by_site: BTreeMap<SiteId, Vec<DeployId>> = BTreeMap::new();
    for row in &deploys {
        by_site.entry(row.site).or_default().push(row.id.clone());
    }
    let looking = by_site.into_iter().map(|(site, gone)| async move { app.storage.site(site).unneeded(&gone).await });
    let found: Vec<Unneeded> = stream::iter(looking).buffer_unordered(SITES_AT_ONCE).try_collect().await?;
    let (packs, bytes) = found.iter().fold((0, 0), |(packs, bytes), one| (packs + one.packs, bytes + one.bytes));
    Ok(Surplus { deploys, more, packs, bytes })
}

/// States of each that it is kept no longer.
pub(crate) async fn collect(app: &Shared, surplus: &Surplus, caller: &Caller) -> Result<(), Problem> {
    let cause = permit(app, caller, Command::CollectDeploys, About::Platform).await?;
    let mut stated = Vec::new();
    for row in &surplus.deploys {
        stated.extend(state(app, row, &cause).await?);
    }
    seen(app, &stated).await;
    Ok(())
}

async fn state(app: &Shared, row: &SurplusRow, cause: &Cause) -> Result<Vec<Recorded>, Problem> {
    let command = deploy::Command::Collect { keeping: row.keeping };
    execute::<Deploy>(app, row.id.as_str(), &command, cause).await
}

/// Does it every day. Several processes may: what is stated is stated once.
pub(crate) async fn keep_collecting(app: Shared, stop: CancellationToken) {
    let collecting = async {
        tokio::time::sleep(FIRST_AFTER).await;
        loop {
            match collect_some(&app).await {
                Ok(true) => tokio::time::sleep(REST).await,
                Ok(false) => tokio::time::sleep(EVERY).await,
                Err(problem) => {
                    tracing::warn!(error = &problem as &dyn std::error::Error, "deploys that are kept no longer wait");
                    tokio::time::sleep(FIRST_AFTER).await;
                }
            }
        }
    };
    stop.run_until_cancelled(Box::pin(collecting)).await;
}

/// Whether there is more to do.
async fn collect_some(app: &Shared) -> Result<bool, Problem> {
    let rows = app.model.surplus(None, clock::now(), COLLECTED_MAX).await?;
    let cause = Cause::new(Actor::service("web"));
    for row in &rows {
        state(app, row, &cause).await?;
    }
    Ok(rows.len() == COLLECTED_MAX as usize)
}
