//! Identities that providers vouch for: whom they sign in. What a provider says of somebody's address makes nobody a person who is
//! known here already: addresses of people are what those say who invite them.

use super::execute::commit;
use super::members::{Guest, accept};
use super::permit::{About, permit};
use super::vouched::{bind, name_of};
use crate::app::Shared;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::sign_in::{Purpose, Vouched};
use events::authority::Command;
use events::{Actor, Cause, Identity, IdentityId, Refusal, User, UserId, identity, user};
use runtime::{Owner, clock};

/// Who has come from a provider, for what they went to it.
pub(crate) async fn welcome(app: &Shared, vouched: &Vouched, purpose: &Purpose) -> Result<UserId, Problem> {
    let id = vouched.id(&app.key);
    let known = known(app, id).await?;
    match purpose {
        Purpose::Enter { .. } => match known {
            Some(user) => Ok(user),
            None if app.providers.welcomes(vouched) => match introduce(app, vouched, id).await {
                // They came twice at the same time.
                Err(Problem::Refused(Refusal::IdentityTaken)) => self::known(app, id).await?.ok_or(Problem::NotInvited),
                introduced => introduced,
            },
            None => Err(Problem::NotInvited),
        },
        Purpose::Join { invitation, secret } => {
            let guest = known.map_or_else(|| Guest::Vouched(vouched.clone()), Guest::Known);
            accept(app, *invitation, secret, guest).await
        }
        Purpose::Connect { user } => {
            let command = bind(app, vouched, *user).await?;
            let cause = Cause::new(Actor::user(*user));
            commit(app, app.log.transaction(cause).with::<Identity>(id, command)).await?;
            Ok(*user)
        }
        // It signs nobody in.
        Purpose::Repositories { .. } => Err(Problem::SignInFailed),
    }
}

/// Whom an identity signs in. One of somebody who was forgotten becomes nobody's.
async fn known(app: &Shared, id: IdentityId) -> Result<Option<UserId>, Problem> {
    let Identity::Bound(user) = app.log.load::<Identity>(&id.to_string()).await?.state else { return Ok(None) };
    match app.log.load::<User>(&user.to_string()).await?.state {
        User::Active(_) => Ok(Some(user)),
        User::Unknown | User::Erased => {
            let cause = Cause::new(Actor::service("web"));
            let unbind = identity::Command::Unbind { user };
            commit(app, app.log.transaction(cause).with::<Identity>(id, unbind)).await?;
            Ok(None)
        }
    }
}

/// Makes somebody known who needs no invitation. They belong to no organization yet.
async fn introduce(app: &Shared, vouched: &Vouched, id: IdentityId) -> Result<UserId, Problem> {
    let user = UserId(clock::new_id());
    let key = app.vault.introduce(Owner::Person(user)).await?;
    let email = key.seal(vouched.email.as_deref().unwrap_or_default());
    let create = user::Command::Create { name: key.seal(name_of(vouched)), email };
    let bind = bind(app, vouched, user).await?;
    let transaction = app.log.transaction(Cause::new(Actor::user(user))).with::<User>(user, create);
    let made = commit(app, transaction.with::<Identity>(id, bind)).await;
    if made.is_err() {
        app.vault.destroy(Owner::Person(user)).await?;
    }
    made.map(|_| user)
}

/// Lets a person begin to be vouched for by one more provider; answers who they are.
pub(crate) async fn connect(app: &Shared, caller: &Caller) -> Result<UserId, Problem> {
    permit(app, caller, Command::ChangeIdentities, About::Own).await?;
    caller.holder.user.ok_or(Problem::Refused(Refusal::UserNotFound))
}

/// Has one of one's identities sign one in no longer.
pub(crate) async fn disconnect(app: &Shared, id: IdentityId, caller: &Caller) -> Result<(), Problem> {
    let cause = permit(app, caller, Command::ChangeIdentities, About::Own).await?;
    let user = caller.holder.user.ok_or(Problem::Refused(Refusal::IdentityNotFound))?;
    if app.log.load::<Identity>(&id.to_string()).await?.state != Identity::Bound(user) {
        return Err(Refusal::IdentityNotFound.into());
    }
    let unbind = identity::Command::Unbind { user };
    commit(app, app.log.transaction(cause).with::<Identity>(id, unbind)).await.map(drop)
}
