//! What an organization may have, and for how long.

use super::execute::{ask, shown};
use super::organizations::active;
use super::permit::{About, permit};
use crate::app::Shared;
use crate::caller::Caller;
use crate::problem::Problem;
use events::authority::Command;
use events::event::{OrganizationLimits, Sandbox};
use events::{Organization, OrganizationId, Refusal, organization};
use runtime::clock;
use tokio::sync::MutexGuard;

/// Longest time between two clean-ups of a sandbox, in days.
const DAYS_MAX: u16 = 365;

/// Most that a limit can be.
pub(crate) const LIMIT_MAX: u32 = 1_000_000;

/// Limits what the organization may have; what it has already stays.
pub(crate) async fn limit_organization(
    app: &Shared,
    id: OrganizationId,
    limits: OrganizationLimits,
    caller: Caller,
) -> Result<(), Problem> {
    let all = [limits.sites, limits.members, limits.builds];
    if all.iter().flatten().any(|limit| *limit > LIMIT_MAX) {
        return Err(Problem::InvalidInput(format!("a limit is at most {LIMIT_MAX}; `null` is none")));
    }
    if all.contains(&Some(0)) {
        let why = "a limit is at least 1; `null` is none, and an organization that shall have nothing is suspended";
        return Err(Problem::InvalidInput(why.to_owned()));
    }
    let cause = permit(app, &caller, Command::LimitOrganization, About::Organization(id)).await?;
    ask::<Organization>(app, &id.to_string(), &organization::Command::Limit(limits), &cause).await
}

/// Deletes all sites of the organization every so many days from now on. Answers when that is next.
pub(crate) async fn begin_sandbox(
    app: &Shared,
    id: OrganizationId,
    days: u16,
    caller: Caller,
) -> Result<Sandbox, Problem> {
    if days == 0 || days > DAYS_MAX {
        return Err(Problem::InvalidInput(format!("`days` must be a number from 1 to {DAYS_MAX}")));
    }
    let cause = permit(app, &caller, Command::LimitOrganization, About::Organization(id)).await?;
    let begin = organization::Command::BeginSandbox { days, now: clock::now() };
    ask::<Organization>(app, &id.to_string(), &begin, &cause).await?;
    // Somebody else has ended it in between.
    active(app, id).await?.sandbox.ok_or(Problem::Refused(Refusal::CleanUpNotDue))
}

/// Keeps the sites of the organization.
pub(crate) async fn end_sandbox(app: &Shared, id: OrganizationId, caller: Caller) -> Result<(), Problem> {
    let cause = permit(app, &caller, Command::LimitOrganization, About::Organization(id)).await?;
    ask::<Organization>(app, &id.to_string(), &organization::Command::EndSandbox, &cause).await
}

/// Makes room for one more site, if the organization may have it. The room is the caller's until they give it back: of two who
/// ask at the same moment of the same server, the second is counted with the first.
pub(super) async fn room<'a>(app: &'a Shared, id: OrganizationId) -> Result<Option<MutexGuard<'a, ()>>, Problem> {
    let Some(max) = active(app, id).await?.limits.sites else { return Ok(None) };
    let turn = app.new_sites.lock().await;
    shown(app, app.log.last_sequence().await?).await;
    if app.model.sites_count(id).await? >= u64::from(max) {
        return Err(Refusal::OrganizationFull { of: "sites", max }.into());
    }
    Ok(Some(turn))
}
