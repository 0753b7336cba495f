//! What may be asked of the platform, once for the API and the dashboard.
//!
//! Every command is decided on the log, so none of them needs Postgres. Afterwards the read model is given a moment to
//! catch up, so that whoever asked sees what they did.

use crate::auth::Caller;
use crate::problem::Problem;
use crate::server::Shared;
use events::alias::{self, Claim};
use events::site::{self, Settings};
use events::{
    Aggregate, Alias, AliasName, Branch, Build, BuildId, Cause, CommitId, Deploy, DeployId, EventId, Recorded, Refusal,
    Site, SiteName, build, subject,
};
use std::time::Duration;
use tokio::time::Instant;

/// How long a command may take; GitHub gives up on a delivery after 10 seconds.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(8);
/// How long an answer waits for the read model.
const READ_MODEL_PATIENCE: Duration = Duration::from_secs(2);
const READ_MODEL_POLL: Duration = Duration::from_millis(20);

/// A promotion that happened, or was so already.
pub(crate) struct Promoted {
    pub(crate) number: u64,
    pub(crate) event: Option<EventId>,
}

/// Decides a command and appends what follows, within the time a caller waits. When that runs out the append may still
/// happen; every command here is safe to repeat.
pub(crate) async fn execute<A: Aggregate>(
    app: &Shared,
    id: &str,
    (command, cause): (&A::Command, &Cause),
) -> Result<Vec<Recorded>, Problem> {
    let operation = "append";
    let silent = |source: &str| runtime::Error::Unavailable { operation, source: source.into() };
    if !app.log.connection().is_up().await {
        return Err(silent("the connection is down").into());
    }
    let execution = Box::pin(app.log.execute::<A>(id, command, cause));
    let outcome = tokio::time::timeout(COMMAND_TIMEOUT, execution).await;
    Ok(outcome.map_err(|_| silent("the command took too long"))??)
}

async fn ask<A: Aggregate>(app: &Shared, id: &str, asked: (&A::Command, &Cause)) -> Result<Option<EventId>, Problem> {
    let recorded = execute::<A>(app, id, asked).await?;
    if let Some(last) = recorded.last() {
        shown(app, last.sequence).await;
    }
    Ok(recorded.first().map(|recorded| recorded.envelope.id))
}

/// What the read model answers, if it does so soon: a command does not hang on it.
pub(crate) async fn soon<T>(asking: impl Future<Output = Result<T, projections::Error>>) -> Option<T> {
    tokio::time::timeout(READ_MODEL_PATIENCE, asking).await.ok()?.ok()
}

/// Waits until the read model shows the fact at `sequence`, but not for long, and not at all if it is down.
async fn shown(app: &Shared, sequence: u64) {
    let deadline = Instant::now() + READ_MODEL_PATIENCE;
    let caught_up = async {
        while app.model.position().await.is_ok_and(|position| position < sequence) {
            tokio::time::sleep(READ_MODEL_POLL).await;
        }
    };
    if tokio::time::timeout_at(deadline, caught_up).await.is_err() {
        tracing::debug!(sequence, "the read model lags behind an answer");
    }
}

/// Answers whether the site is new.
pub(crate) async fn create_site(
    app: &Shared,
    name: &SiteName,
    (settings, caller): (Settings, Caller),
) -> Result<bool, Problem> {
    let command = site::Command::Create(settings);
    Ok(ask::<Site>(app, name.as_str(), (&command, &Cause::new(caller.0))).await?.is_some())
}

/// Answers whether there was anything to delete.
pub(crate) async fn delete_site(app: &Shared, name: &SiteName, caller: Caller) -> Result<Option<EventId>, Problem> {
    ask::<Site>(app, name.as_str(), (&site::Command::Delete, &Cause::new(caller.0))).await
}

/// Answers the build that will be queued.
pub(crate) async fn request_build(
    app: &Shared,
    name: &SiteName,
    (branch, commit, caller): (Option<Branch>, Option<CommitId>, Caller),
) -> Result<BuildId, Problem> {
    let command = site::Command::RequestBuild { branch, commit };
    let event = ask::<Site>(app, name.as_str(), (&command, &Cause::new(caller.0))).await?;
    let event = event.ok_or_else(|| Problem::Internal("a request for a build stated no fact".into()))?;
    Ok(BuildId::of(event, name.as_str()))
}

/// The cancellation joins the build's story, if the read model knows it.
pub(crate) async fn cancel_build(app: &Shared, id: BuildId, caller: Caller) -> Result<Option<EventId>, Problem> {
    let known = soon(app.model.build(id)).await.flatten();
    let command = build::Command::Cancel { reason: format!("canceled by {}", caller.0), superseded_by: None };
    let cause = Cause { correlation: known.map(|build| build.correlation), ..Cause::new(caller.0) };
    ask::<Build>(app, &id.to_string(), (&command, &cause)).await
}

/// Moves an alias to a deploy of its site, forwards or back, if it still shows what the caller expects.
pub(crate) async fn promote(
    app: &Shared,
    (site, alias): (&SiteName, &AliasName),
    (deploy, expected, caller): (DeployId, Option<DeployId>, Caller),
) -> Result<Promoted, Problem> {
    if !matches!(app.log.load::<Site>(site.as_str()).await?.state, Site::Active(_)) {
        return Err(Refusal::SiteNotFound.into());
    }
    let number = match app.log.load::<Deploy>(deploy.as_str()).await?.state {
        Deploy::Synced { site: owner, number } if owner == *site => number,
        Deploy::Synced { .. } | Deploy::Unknown => return Err(Refusal::DeployNotFound(deploy).into()),
    };
    let claim = Claim::Chosen { expected };
    let command = alias::Command::Promote { site: site.clone(), alias: alias.clone(), deploy, number, claim };
    let id = subject::alias_id(site, alias);
    let event = ask::<Alias>(app, &id, (&command, &Cause::new(caller.0))).await?;
    Ok(Promoted { number, event })
}
