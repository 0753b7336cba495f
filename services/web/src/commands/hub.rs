//! What somebody has done with their account at GitHub. Whoever acts for them with less than all of their authority, such as a token
//! for one site, does not reach it.

use super::active::active;
use super::execute::ask;
use super::permit::{About, permit};
use super::secrets::{WebhookSecret, rotate_webhook_secret};
use crate::app::Shared;
use crate::caller::Caller;
use crate::hub::Hub;
use crate::place::Place;
use crate::problem::Problem;
use crate::sign_in::Granted;
use ::github::{Found, Hook, Repository};
use events::authority::Command;
use events::{Actor, Cause, Refusal, User, UserId, user};
use runtime::Owner;
use secrecy::{ExposeSecret as _, SecretString};

/// An account that is used for somebody.
struct Connection<'a> {
    hub: &'a Hub,
    account: String,
    token: SecretString,
}

/// Has somebody's account used for them from now on; the token of one before it is taken back.
pub(crate) async fn connect_github(app: &Shared, user: UserId, granted: &Granted) -> Result<(), Problem> {
    let before = of_person(app, user).await?;
    let key = app.vault.introduce(Owner::Person(user)).await?;
    let (account, token) = (key.seal(&granted.account), key.seal(granted.token.expose_secret()));
    let connect = user::Command::ConnectGithub(user::Github { account, token });
    ask::<User>(app, &user.to_string(), &connect, &Cause::new(Actor::user(user))).await?;
    if let Some(before) = before.filter(|before| before.token.expose_secret() != granted.token.expose_secret()) {
        before.revoke().await;
    }
    Ok(())
}

/// Has it used no longer: GitHub takes its token no more, and if that cannot be said there, we have it no more.
pub(crate) async fn disconnect_github(app: &Shared, caller: &Caller) -> Result<(), Problem> {
    let cause = permit(app, caller, Command::ChangeIdentities, About::Own).await?;
    let user = caller.holder.user.ok_or(Problem::Refused(Refusal::UserNotFound))?;
    let before = of_person(app, user).await?;
    ask::<User>(app, &user.to_string(), &user::Command::DisconnectGithub, &cause).await?;
    if let Some(before) = before {
        before.revoke().await;
    }
    Ok(())
}

/// What the account is called that is used for the caller.
pub(crate) async fn github_account(app: &Shared, caller: &Caller) -> Result<Option<String>, Problem> {
    permit(app, caller, Command::ChangeIdentities, About::Own).await?;
    let Some(user) = caller.holder.user else { return Ok(None) };
    Ok(of_person(app, user).await?.map(|connection| connection.account))
}

/// The repositories that the caller may push to at GitHub.
pub(crate) async fn github_repositories(
    app: &Shared,
    caller: &Caller,
    search: &str,
    page: u32,
) -> Result<Found, Problem> {
    let Connection { hub, token, .. } = connection(app, caller).await?;
    hub.pushable(&token, search, page).await
}

/// One of them, by what it is called there.
pub(crate) async fn github_repository(app: &Shared, caller: &Caller, name: &str) -> Result<Repository, Problem> {
    let Connection { hub, token, .. } = connection(app, caller).await?;
    let place = hub.named(name).ok_or_else(|| Problem::InvalidInput("this is no repository of GitHub".to_owned()))?;
    hub.look_up(&token, &place).await
}

/// Has the repository of a site tell of pushes; answers where it tells them. It signs them with a secret that is made for that.
pub(crate) async fn install_webhook(app: &Shared, place: &Place, caller: &Caller) -> Result<String, Problem> {
    let Connection { hub, token, .. } = connection(app, caller).await?;
    let id = app.site_id(place).await?;
    permit(app, caller, Command::RotateWebhookSecret, About::Site(id)).await?;
    let there = hub.place(&active(app, id).await?.settings.repository);
    let there = there.ok_or_else(|| Problem::InvalidInput("the repository of the site is not at GitHub".to_owned()))?;
    // Whoever may not make webhooks there leaves the secret as it is.
    hub.look_up(&token, &there).await?;
    let WebhookSecret { url, secret } = rotate_webhook_secret(app, &Place::Id(id), caller.clone()).await?;
    hub.install(&token, &there, &Hook { url: url.clone(), secret: secret.into() }).await?;
    Ok(url)
}

/// Has GitHub take the token of somebody no more who is being forgotten, as far as GitHub can be told.
pub(super) async fn token_of(app: &Shared, user: UserId) -> Option<impl Future<Output = ()>> {
    Some(of_person(app, user).await.ok()??.revoke())
}

async fn connection<'a>(app: &'a Shared, caller: &Caller) -> Result<Connection<'a>, Problem> {
    permit(app, caller, Command::ChangeIdentities, About::Own).await?;
    let user = caller.holder.user.ok_or(Problem::GithubNotConnected)?;
    of_person(app, user).await?.ok_or(Problem::GithubNotConnected)
}

async fn of_person(app: &Shared, user: UserId) -> Result<Option<Connection<'_>>, Problem> {
    let (Some(hub), User::Active(active)) = (&app.hub, app.log.load::<User>(&user.to_string()).await?.state) else {
        return Ok(None);
    };
    let Some((github, key)) = active.github.zip(app.vault.key(Owner::Person(user)).await?) else { return Ok(None) };
    let opened = key.open(&github.account).zip(key.open(&github.token));
    Ok(opened.map(|(account, token)| Connection { hub, account, token: token.into() }))
}

impl Connection<'_> {
    async fn revoke(self) {
        if let Err(problem) = self.hub.revoke(&self.token).await {
            tracing::warn!(error = &problem as &dyn std::error::Error, "GitHub was not told that a token is over");
        }
    }
}
