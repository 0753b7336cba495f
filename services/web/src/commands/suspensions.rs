//! Suspending organizations and people, and letting them go on.

use super::execute::ask;
use super::permit::{About, permit};
use super::reason::reason;
use crate::app::Shared;
use crate::caller::Caller;
use crate::problem::Problem;
use events::authority::Command;
use events::{Organization, OrganizationId, Refusal, User, UserId, organization, user};

/// The people of the organization change nothing and its pushes are not built from now on. Answers the reason.
pub(crate) async fn suspend_organization(
    app: &Shared,
    id: OrganizationId,
    why: &str,
    caller: Caller,
) -> Result<String, Problem> {
    let why = reason(why)?;
    let cause = permit(app, &caller, Command::SuspendOrganization, About::Organization(id)).await?;
    let command = organization::Command::Suspend { reason: why.clone() };
    ask::<Organization>(app, &id.to_string(), &command, &cause).await?;
    Ok(why)
}

/// The organization goes on.
pub(crate) async fn reinstate_organization(app: &Shared, id: OrganizationId, caller: Caller) -> Result<(), Problem> {
    let cause = permit(app, &caller, Command::SuspendOrganization, About::Organization(id)).await?;
    ask::<Organization>(app, &id.to_string(), &organization::Command::Reinstate, &cause).await
}

/// No session and no token of the person is good from now on. Answers the reason.
pub(crate) async fn suspend_user(app: &Shared, id: UserId, why: &str, caller: Caller) -> Result<String, Problem> {
    let why = reason(why)?;
    let cause = permit(app, &caller, Command::SuspendPeople, About::Platform).await?;
    if caller.holder.user == Some(id) {
        return Err(Refusal::OwnSuspension.into());
    }
    ask::<User>(app, &id.to_string(), &user::Command::Suspend { reason: why.clone() }, &cause).await?;
    Ok(why)
}

/// The person goes on, with the sessions and tokens they had.
pub(crate) async fn reinstate_user(app: &Shared, id: UserId, caller: Caller) -> Result<(), Problem> {
    let cause = permit(app, &caller, Command::SuspendPeople, About::Platform).await?;
    ask::<User>(app, &id.to_string(), &user::Command::Reinstate, &cause).await
}
