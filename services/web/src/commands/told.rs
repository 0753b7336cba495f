//! The log is told what moved in the repositories that are kept here, and nothing is kept of sites that are no more.

use super::execute::ask;
use crate::app::Shared;
use crate::github;
use crate::problem::Problem;
use crate::repositories::Fault;
use events::repository::{Change, Command, Delivery};
use events::{Actor, Branch, Cause, Repository, RepositoryUrl, Site, SiteId};
use runtime::clock;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often it is looked what is kept of sites that are no more.
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);

/// States what became of the branches of a site's own repository since it was told last.
pub(crate) async fn tell(app: &Shared, site: SiteId, actor: &Actor) -> Result<(), Problem> {
    let _turn = app.own.turn_to_tell().await;
    let Some(repository) = app.own.open(site).await? else { return Ok(()) };
    for (name, place) in repository.news().await.map_err(Fault::into_problem)? {
        if let Ok(branch) = name.parse::<Branch>() {
            let change = match &place.now {
                Some(commit) => {
                    let message = repository.message(commit).await.map_err(Fault::into_problem)?;
                    let (summary, skip) = (github::summary(&message), github::asks_to_skip(&message));
                    Change::Pushed { commit: commit.clone(), summary, skip, paths: None }
                }
                None => Change::Deleted,
            };
            let (id, repository) = (clock::new_id().to_string(), RepositoryUrl::own(site));
            let delivery = Delivery {
                id,
                repository,
                branch,
                before: place.told.clone(),
                change,
                site: Some(site),
                pull_request: None,
            };
            let (about, cause) = (delivery.aggregate_id(), Cause::new(actor.clone()));
            ask::<Repository>(app, &about, &Command::Receive(delivery), &cause).await?;
        }
        repository.note(&name, &place).await.map_err(Fault::into_problem)?;
    }
    Ok(())
}

/// Tells what an earlier life took in and did not tell, and removes what is kept of sites that are erased, now and every hour.
pub(crate) async fn sweep(app: Shared, stop: CancellationToken) {
    let sweeping = async {
        loop {
            for site in app.own.sites().await.unwrap_or_default() {
                if let Err(problem) = settle(&app, site).await {
                    tracing::warn!(%site, error = &problem as &dyn std::error::Error, "a repository is looked at again later");
                }
            }
            tokio::time::sleep(SWEEP_EVERY).await;
        }
    };
    stop.run_until_cancelled(Box::pin(sweeping)).await;
}

async fn settle(app: &Shared, site: SiteId) -> Result<(), Problem> {
    match app.log.load::<Site>(&site.to_string()).await?.state {
        Site::Active(_) => {
            tell(app, site, &Actor::service("web")).await?;
            let Some(repository) = app.own.open(site).await? else { return Ok(()) };
            repository.tidy().await.map_err(Fault::into_problem)
        }
        Site::Erased(_) => app.own.remove(site).await,
        Site::Unknown => app.own.abandon(site).await,
        Site::Deleted(_) => Ok(()),
    }
}
