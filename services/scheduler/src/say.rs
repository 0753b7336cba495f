//! Says what was decided: a refusal means that somebody spoke first.

use crate::NAME;
use crate::queue::{Due, Origin};
use crate::schedule::Decision;
use events::host::{self, Owner};
use events::{Actor, AliasName, Cause, Host, Recorded, Site, SiteId, alias, build, site, subject};
use runtime::{Error, ExecuteError, Log};
use time::OffsetDateTime;

pub(super) async fn say(log: &Log, decision: &Decision) -> Result<Vec<Recorded>, Error> {
    let said = match decision {
        Decision::Build(id, command, origin) => {
            log.execute::<events::Build>(&id.to_string(), command, &cause(origin.clone())).await
        }
        Decision::Schedule(due) => schedule(log, due).await,
        Decision::Expire(due) => expire(log, due).await,
        Decision::Alias(site, alias, command, origin) => {
            log.execute::<events::Alias>(&subject::alias_id(*site, alias), command, &cause(origin.clone())).await
        }
        Decision::Organization(id, command, origin) => {
            log.execute::<events::Organization>(&id.to_string(), command, &cause(origin.clone())).await
        }
        Decision::DeleteSite(site, origin) => delete(log, *site, cause(origin.clone())).await,
        Decision::Site(site, command, origin) => {
            log.execute::<Site>(&site.to_string(), command, &cause(origin.clone())).await
        }
    };
    match said {
        Ok(recorded) => Ok(recorded),
        // Somebody else spoke first; the fold will tell.
        Err(ExecuteError::Refused(refusal)) => {
            tracing::debug!(%refusal, "a decision was overtaken");
            Ok(Vec::new())
        }
        Err(ExecuteError::Failed(error)) => {
            tracing::warn!(%error, "a decision could not be said, trying again");
            Err(error)
        }
    }
}

/// Its story begins here.
async fn schedule(log: &Log, due: &Due) -> Result<Vec<Recorded>, ExecuteError> {
    let Ok(moment) = OffsetDateTime::from_unix_timestamp(due.at_s) else { return Ok(Vec::new()) };
    let command = build::Command::Schedule { site: due.site, branch: due.branch.clone(), due: moment };
    log.execute::<events::Build>(&due.build().to_string(), &command, &Cause::new(Actor::service(NAME))).await
}

/// Its story ends here.
async fn expire(log: &Log, Due { site, branch, .. }: &Due) -> Result<Vec<Recorded>, ExecuteError> {
    let alias = AliasName::Preview(branch.clone());
    let (id, command) = (subject::alias_id(*site, &alias), alias::Command::Remove { site: *site, alias });
    log.execute::<events::Alias>(&id, &command, &Cause::new(Actor::service(NAME))).await
}

/// Deletes a site and gives up its hosts at the same moment, as its people would.
async fn delete(log: &Log, id: SiteId, cause: Cause) -> Result<Vec<Recorded>, ExecuteError> {
    let Site::Active(active) = log.load::<Site>(&id.to_string()).await?.state else { return Ok(Vec::new()) };
    let owner = Owner { site: id, organization: active.organization };
    let mut transaction = log.transaction(cause).with::<Site>(id, site::Command::Delete { seen: active.version });
    for name in active.hosts() {
        transaction = transaction.with::<Host>(name, host::Command::Release(owner));
    }
    transaction.commit().await
}

fn cause(origin: Origin) -> Cause {
    Cause {
        causation: Some(origin.id),
        correlation: Some(origin.correlation),
        actor: Actor::service(NAME),
        traceparent: origin.traceparent,
        tracestate: origin.tracestate,
        id: None,
    }
}
