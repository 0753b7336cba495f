//! People as admins see them.

use super::execute::ask;
use super::permit::{About, permit};
use crate::app::Shared;
use crate::caller::Caller;
use crate::problem::Problem;
use events::authority::{Command, PlatformRole};
use events::{User, UserId, user};
use runtime::Owner;

/// Gives a person a role for the whole installation, or takes it.
pub(crate) async fn set_platform_role(
    app: &Shared,
    id: UserId,
    role: Option<PlatformRole>,
    caller: Caller,
) -> Result<(), Problem> {
    let cause = permit(app, &caller, Command::ChangePlatformRoles, About::Platform).await?;
    ask::<User>(app, &id.to_string(), &user::Command::SetPlatformRole(role), &cause).await
}

/// Forgets who a person is: first they may do nothing any more, then nobody can read what they were called. If the second is
/// interrupted, asking again completes it.
pub(crate) async fn erase(app: &Shared, id: UserId, caller: Caller) -> Result<(), Problem> {
    let about = if caller.holder.user == Some(id) { About::Own } else { About::Platform };
    let cause = permit(app, &caller, Command::ErasePeople, about).await?;
    ask::<User>(app, &id.to_string(), &user::Command::Erase, &cause).await?;
    Ok(app.vault.destroy(Owner::Person(id)).await?)
}
