//! People as admins see them.

use super::execute::{ask, commit, shown, soon};
use super::hub;
use super::permit::{About, permit};
use crate::app::Shared;
use crate::caller::Caller;
use crate::problem::Problem;
use events::authority::{Command, PlatformRole};
use events::{Identity, Organization, User, UserId, identity, organization, user};
use runtime::Owner;

/// Identities of one person that are given up when they are forgotten.
const IDENTITIES_MAX: u32 = 100;

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
/// interrupted, asking again completes it. What they signed in with is nobody's any more, and they belong to nothing.
pub(crate) async fn erase(app: &Shared, id: UserId, caller: Caller) -> Result<(), Problem> {
    let about = if caller.holder.user == Some(id) { About::Own } else { About::Platform };
    let cause = permit(app, &caller, Command::ErasePeople, about).await?;
    shown(app, app.log.last_sequence().await?).await;
    let github = hub::token_of(app, id).await;
    let mut transaction = app.log.transaction(cause).with::<User>(id, user::Command::Erase);
    for member in soon(app.model.memberships(id)).await.unwrap_or_default() {
        let forget = organization::Command::ForgetMember { user: id };
        transaction = transaction.with::<Organization>(member.organization, forget);
    }
    // One that the read model does not tell of yet is given up when somebody comes with it.
    for known in soon(app.model.identities(id, IDENTITIES_MAX, None)).await.unwrap_or_default() {
        transaction = transaction.with::<Identity>(known.id, identity::Command::Unbind { user: id });
    }
    commit(app, transaction).await?;
    if let Some(revoked) = github {
        revoked.await;
    }
    Ok(app.vault.destroy(Owner::Person(id)).await?)
}
