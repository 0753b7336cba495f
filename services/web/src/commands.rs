//! What may be asked of the platform, once for the API and the dashboard.
//!
//! Every command is decided on the log, so none of them needs Postgres. Afterwards the read model is given a moment to
//! catch up, so that whoever asked sees what they did.

mod organizations;
mod sites;

pub(crate) use organizations::{Rename, create_organization, rename_organization};
pub(crate) use sites::{Created, Edit, NewSite, change_site, create_site, delete_site, name_of};

use crate::app::Shared;
use crate::place::Place;
use crate::problem::Problem;
use crate::token::Caller;
use events::alias::{self, Claim};
use events::{
    Aggregate, Alias, AliasName, Branch, Build, BuildId, Cause, CommitId, Deploy, DeployId, Recorded, Refusal, Site,
    build, subject,
};
use runtime::{ExecuteError, Transaction, clock};
use std::time::Duration;
use tokio::time::Instant;

/// How long a command may take; GitHub gives up on a delivery after 10 seconds.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(8);
/// How long an answer waits for the read model.
const READ_MODEL_PATIENCE: Duration = Duration::from_secs(2);
const READ_MODEL_POLL: Duration = Duration::from_millis(20);

/// Decides a command and appends what follows, within the time a caller waits. When that runs out the append may still
/// happen; every command here is safe to repeat.
pub(crate) async fn execute<A: Aggregate>(
    app: &Shared,
    id: &str,
    command: &A::Command,
    cause: &Cause,
) -> Result<Vec<Recorded>, Problem> {
    in_time(app, app.log.execute::<A>(id, command, cause)).await
}

async fn in_time(
    app: &Shared,
    deciding: impl Future<Output = Result<Vec<Recorded>, ExecuteError>>,
) -> Result<Vec<Recorded>, Problem> {
    let operation = "append";
    let silent = |source: &str| runtime::Error::Unavailable { operation, source: source.into() };
    if !app.log.connection().is_up().await {
        return Err(silent("the connection is down").into());
    }
    let outcome = tokio::time::timeout(COMMAND_TIMEOUT, Box::pin(deciding)).await;
    Ok(outcome.map_err(|_| silent("the command took too long"))??)
}

/// Decides commands together, and waits for the read model; answers whether anything came of them.
async fn commit(app: &Shared, transaction: Transaction<'_>) -> Result<bool, Problem> {
    let recorded = in_time(app, transaction.commit()).await?;
    seen(app, &recorded).await;
    Ok(!recorded.is_empty())
}

async fn ask<A: Aggregate>(app: &Shared, id: &str, command: &A::Command, cause: &Cause) -> Result<(), Problem> {
    let recorded = execute::<A>(app, id, command, cause).await?;
    seen(app, &recorded).await;
    Ok(())
}

/// What the read model answers, if it does so soon: a command does not hang on it.
pub(crate) async fn soon<T>(asking: impl Future<Output = Result<T, projections::Error>>) -> Option<T> {
    tokio::time::timeout(READ_MODEL_PATIENCE, asking).await.ok()?.ok()
}

/// Waits until the read model shows what was recorded, but not for long, and not at all if it is down.
async fn seen(app: &Shared, recorded: &[Recorded]) {
    let Some(Recorded { sequence, .. }) = recorded.last() else { return };
    let deadline = Instant::now() + READ_MODEL_PATIENCE;
    let caught_up = async {
        while app.model.position().await.is_ok_and(|position| position < *sequence) {
            tokio::time::sleep(READ_MODEL_POLL).await;
        }
    };
    if tokio::time::timeout_at(deadline, caught_up).await.is_err() {
        tracing::debug!(sequence, "the read model lags behind an answer");
    }
}

/// What of a site's repository shall be built.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// The branch; the live one if absent.
    pub(crate) branch: Option<Branch>,
    /// The commit; the newest of the branch if absent.
    pub(crate) commit: Option<CommitId>,
}

/// Answers the build that will be queued.
pub(crate) async fn request_build(
    app: &Shared,
    place: &Place,
    source: Source,
    caller: Caller,
) -> Result<BuildId, Problem> {
    let site = app.site_id(place).await?;
    let Site::Active(active) = app.log.load::<Site>(&site.to_string()).await?.state else {
        return Err(Refusal::SiteNotFound.into());
    };
    let branch = source.branch.unwrap_or(active.settings.branch);
    let (id, command) = (BuildId(clock::new_id()), build::Command::Request { site, branch, commit: source.commit });
    ask::<Build>(app, &id.to_string(), &command, &Cause::new(caller.0)).await?;
    Ok(id)
}

/// The cancellation joins the build's story, if the read model knows it.
pub(crate) async fn cancel_build(app: &Shared, id: BuildId, caller: Caller) -> Result<(), Problem> {
    let known = soon(app.model.build(id)).await.flatten();
    let command = build::Command::Cancel { reason: format!("canceled by {}", caller.0), superseded_by: None };
    let cause = Cause { correlation: known.map(|build| build.correlation), ..Cause::new(caller.0) };
    ask::<Build>(app, &id.to_string(), &command, &cause).await
}

/// What an alias shall show from now on.
#[derive(Debug)]
pub(crate) struct Promotion {
    pub(crate) alias: AliasName,
    pub(crate) deploy: DeployId,
    /// What it shows now, as far as the caller knows; none if that does not matter to them.
    pub(crate) expected: Option<DeployId>,
}

/// Moves an alias to a deploy of its site, forwards or back, if it still shows what the caller expects. Answers the number
/// of the build that made the deploy.
pub(crate) async fn promote(
    app: &Shared,
    place: &Place,
    promotion: &Promotion,
    caller: Caller,
) -> Result<u64, Problem> {
    let Promotion { alias, deploy, expected } = promotion;
    let site = app.site_id(place).await?;
    if !matches!(app.log.load::<Site>(&site.to_string()).await?.state, Site::Active(_)) {
        return Err(Refusal::SiteNotFound.into());
    }
    let (number, source_sequence) = match app.log.load::<Deploy>(deploy.as_str()).await?.state {
        Deploy::Synced { site: owner, number, source_sequence } if owner == site => (number, source_sequence),
        Deploy::Synced { .. } | Deploy::Unknown => return Err(Refusal::DeployNotFound(deploy.clone()).into()),
    };
    let (id, claim) = (subject::alias_id(site, alias), Claim::Chosen { expected: expected.clone() });
    let (alias, deploy) = (alias.clone(), deploy.clone());
    let command = alias::Command::Promote { site, alias, deploy, number, source_sequence, claim };
    ask::<Alias>(app, &id, &command, &Cause::new(caller.0)).await?;
    Ok(number)
}
