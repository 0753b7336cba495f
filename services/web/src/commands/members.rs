//! Who belongs to an organization, and who is invited to.

use super::execute::commit;
use super::invitation_mail;
use super::permit::{About, permit};
use super::vouched::{bind, called, name_of};
use crate::app::Shared;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::sign_in::Vouched;
use events::authority::{Command, Role};
use events::event::Invited;
use events::{
    Actor, Cause, Digest, Identity, Invitation, InvitationId, Organization, OrganizationId, Refusal, User, UserId,
    invitation, organization, user,
};
use runtime::{Owner, clock};
use subtle::ConstantTimeEq;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// How long an invitation is good.
const INVITATION: Duration = Duration::days(7);
/// Longest address of mail in bytes (RFC 5321 4.5.3.1.3).
const EMAIL_MAX: usize = 254;

/// Makes somebody a member, or gives a member another role.
pub(crate) async fn set_member(
    app: &Shared,
    organization: OrganizationId,
    user: UserId,
    role: Role,
    caller: Caller,
) -> Result<(), Problem> {
    let cause = permit(app, &caller, Command::ChangeMembers, About::Organization(organization)).await?;
    if !matches!(app.log.load::<User>(&user.to_string()).await?.state, User::Active(_)) {
        return Err(Refusal::UserNotFound.into());
    }
    let command = organization::Command::SetMember { user, role };
    commit(app, app.log.transaction(cause).with::<Organization>(organization, command)).await.map(drop)
}

/// Lets somebody belong to an organization no more. Whoever wants to leave may.
pub(crate) async fn remove_member(
    app: &Shared,
    organization: OrganizationId,
    user: UserId,
    caller: Caller,
) -> Result<(), Problem> {
    let about = if caller.holder.user == Some(user) {
        // Whoever is no member has nothing to leave, and is not told that there is such an organization.
        permit(app, &caller, Command::Read, About::Organization(organization)).await?;
        About::Own
    } else {
        About::Organization(organization)
    };
    let cause = permit(app, &caller, Command::ChangeMembers, about).await?;
    let command = organization::Command::RemoveMember { user };
    commit(app, app.log.transaction(cause).with::<Organization>(organization, command)).await.map(drop)
}

/// An invitation that was made: the only time that its link can be read.
pub(crate) struct Sent {
    pub(crate) id: InvitationId,
    pub(crate) url: String,
    /// Whether the link was sent to them by mail.
    pub(crate) mailed: bool,
    pub(crate) expires_at: OffsetDateTime,
}

/// Invites somebody to an organization.
pub(crate) async fn invite(
    app: &Shared,
    organization: OrganizationId,
    email: &str,
    role: Role,
    caller: Caller,
) -> Result<Sent, Problem> {
    let cause = permit(app, &caller, Command::InvitePeople, About::Organization(organization)).await?;
    let active = super::organizations::active(app, organization).await?;
    let to = address(email)?;
    let id = InvitationId(caller.new_id(format_args!("invitation/{organization}/{to}/{role}")));
    // Who they will be follows from the invitation: asked again with the same key, it is the same person.
    let user = UserId(Uuid::new_v5(&id.0, b"user"));
    let key = app.vault.introduce(Owner::Person(user)).await?;
    let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let expires_at = (clock::now() + INVITATION).replace_nanosecond(0).unwrap_or_else(|_| clock::now());
    let (email, digest) = (key.seal(to), Digest::of(secret.as_bytes()));
    let invited = Invited { organization, role, user, email, digest, expires_at };
    let transaction = app.log.transaction(cause).with::<Invitation>(id, invitation::Command::Create(invited));
    if commit(app, transaction).await? {
        let url = format!("{}/invitations/{id}/{secret}", app.web_url);
        let letter = invitation_mail::Letter { id, to, organization: &active.name, url: &url, expires_at };
        let mailed = invitation_mail::send(app, &letter).await;
        Ok(Sent { id, url, mailed, expires_at })
    } else {
        Err(Refusal::InvitationExists.into())
    }
}

/// Takes an invitation back.
pub(crate) async fn withdraw(
    app: &Shared,
    organization: OrganizationId,
    id: InvitationId,
    caller: Caller,
) -> Result<(), Problem> {
    let cause = permit(app, &caller, Command::InvitePeople, About::Organization(organization)).await?;
    match app.log.load::<Invitation>(&id.to_string()).await?.state {
        Invitation::Open(invited) if invited.organization == organization => {}
        Invitation::Withdrawn => return Ok(()),
        Invitation::Accepted(_) => return Err(Refusal::InvitationOver.into()),
        Invitation::Open(_) | Invitation::Unknown => return Err(Refusal::InvitationNotFound.into()),
    }
    let transaction = app.log.transaction(cause).with::<Invitation>(id, invitation::Command::Withdraw);
    commit(app, transaction).await.map(drop)
}

/// The invitation of a link, if it is good.
pub(crate) async fn invitation(app: &Shared, id: InvitationId, secret: &str) -> Result<Invited, Problem> {
    let invited = match app.log.load::<Invitation>(&id.to_string()).await?.state {
        Invitation::Open(invited) => invited,
        Invitation::Accepted(_) | Invitation::Withdrawn => return Err(Refusal::InvitationOver.into()),
        Invitation::Unknown => return Err(Refusal::InvitationNotFound.into()),
    };
    let presented = Digest::of(secret.as_bytes());
    if !bool::from(presented.as_bytes().ct_eq(invited.digest.as_bytes())) {
        return Err(Refusal::InvitationNotFound.into());
    }
    if clock::now() >= invited.expires_at { Err(Refusal::InvitationOver.into()) } else { Ok(invited) }
}

/// Whoever comes by an invitation.
pub(crate) enum Guest {
    /// Somebody who is known already.
    Known(UserId),
    /// Somebody who says what they are called.
    New(String),
    /// Somebody who is vouched for, and will sign in so.
    Vouched(Vouched),
}

/// Becomes a member by an invitation; answers who that is. Whoever is more already stays what they are.
pub(crate) async fn accept(app: &Shared, id: InvitationId, secret: &str, guest: Guest) -> Result<UserId, Problem> {
    let invited = invitation(app, id, secret).await?;
    let user = if let Guest::Known(user) = guest { user } else { invited.user };
    let accept = invitation::Command::Accept { user, at: clock::now() };
    let members = super::organizations::active(app, invited.organization).await?.members;
    let role = members.get(&user).map_or(invited.role, |present| invited.role.max(*present));
    let member = organization::Command::SetMember { user, role };
    let mut transaction = app.log.transaction(Cause::new(Actor::user(user))).with::<Invitation>(id, accept);
    match guest {
        Guest::Known(_) => {}
        Guest::New(name) => {
            let key = app.vault.introduce(Owner::Person(user)).await?;
            let create = user::Command::Create { name: key.seal(called(&name)?), email: invited.email.clone() };
            transaction = transaction.with::<User>(user, create);
        }
        Guest::Vouched(vouched) => {
            let key = app.vault.introduce(Owner::Person(user)).await?;
            let email = vouched.email.as_deref().map_or_else(|| invited.email.clone(), |email| key.seal(email));
            let create = user::Command::Create { name: key.seal(name_of(&vouched)), email };
            let bind = bind(app, &vouched, user).await?;
            transaction = transaction.with::<User>(user, create).with::<Identity>(vouched.id(&app.key), bind);
        }
    }
    commit(app, transaction.with::<Organization>(invited.organization, member)).await?;
    Ok(user)
}

fn address(text: &str) -> Result<&str, Problem> {
    let text = text.trim();
    let parts = text.split_once('@').is_some_and(|(who, whose)| !who.is_empty() && !whose.is_empty());
    let is_plain = !text.contains(|character: char| character.is_control() || character.is_whitespace());
    if parts && is_plain && text.len() <= EMAIL_MAX {
        Ok(text)
    } else {
        Err(Problem::InvalidInput(format!("`email` must be an address of mail, at most {EMAIL_MAX} bytes")))
    }
}
