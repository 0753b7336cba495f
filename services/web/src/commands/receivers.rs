//! Who is told what happens to a site.

use super::active::active;
use super::execute::ask;
use super::permit::{About, permit};
use crate::app::Shared;
use crate::caller::Caller;
use crate::place::Place;
use crate::problem::Problem;
use crate::reception;
use crate::seen::Seen;
use events::authority::Command;
use events::event::Reception;
use events::receiver::{self, Kind, Known, Occasion, ReceiverName};
use events::{Cause, Notice, NoticeId, ReceiverId, Receivers, Refusal, SiteId, notice};
use runtime::Owner;
use std::collections::BTreeSet;

/// A receiver to be told.
pub(crate) struct NewReceiver {
    pub(crate) kind: Kind,
    pub(crate) name: ReceiverName,
    pub(crate) wants: Option<BTreeSet<Occasion>>,
    pub(crate) address: String,
    /// What lets notices in there, where somebody else made it.
    pub(crate) token: Option<String>,
}

/// A receiver that was made: the only time that its secret can be read.
pub(crate) struct NewReception {
    pub(crate) known: Known,
    pub(crate) site: SiteId,
    pub(crate) secret: Option<String>,
}

/// What of a receiver shall be otherwise.
pub(crate) struct ReceiverEdit {
    pub(crate) name: Option<ReceiverName>,
    pub(crate) wants: Option<BTreeSet<Occasion>>,
    pub(crate) address: Option<String>,
    /// Another token; an empty one takes it away.
    pub(crate) token: Option<String>,
    /// The version the caller saw.
    pub(crate) seen: Seen,
}

/// Tells another what happens to a site, from now on.
pub(crate) async fn create_receiver(
    app: &Shared,
    place: &Place,
    new: NewReceiver,
    caller: Caller,
) -> Result<NewReception, Problem> {
    let (site, cause) = may_change(app, place, &caller).await?;
    let NewReceiver { kind, name, wants, address, token } = new;
    let address = reception::address(kind, &address, &app.receivers)?;
    let wants = wants.unwrap_or_else(|| reception::usual(kind));
    reception::wants(&wants)?;
    let receiver = ReceiverId(caller.new_id(format_args!("receiver/{site}/{}/{name}/{address}", kind.as_str())));
    let secret = reception::secret(kind, token.as_deref())?;
    let key = app.vault.introduce(Owner::Site(site)).await?;
    let (address, sealed) = (key.seal(&address), secret.as_ref().map(|secret| key.seal(secret)));
    let reception = Reception { receiver, kind, name, wants, address, secret: sealed };
    ask::<Receivers>(app, &site.to_string(), &receiver::Command::Create(reception.clone()), &cause).await?;
    Ok(NewReception { known: Known { reception, version: 1 }, site, secret: secret.filter(|_| kind == Kind::Webhook) })
}

/// Tells a receiver otherwise. What it wants from now on changes nothing about what waits for it already.
pub(crate) async fn change_receiver(
    app: &Shared,
    place: &Place,
    id: ReceiverId,
    edit: ReceiverEdit,
    caller: Caller,
) -> Result<(SiteId, Known), Problem> {
    let (site, cause) = may_change(app, place, &caller).await?;
    let Known { mut reception, version } = known(app, site, id).await?;
    if let Some(wants) = edit.wants {
        reception::wants(&wants)?;
        reception.wants = wants;
    }
    if let Some(address) = &edit.address {
        reception::stays(&reception, edit.token.as_deref())?;
        let address = reception::address(reception.kind, address, &app.receivers)?;
        reception.address = app.vault.introduce(Owner::Site(site)).await?.seal(&address);
    }
    if let Some(token) = &edit.token {
        let token = reception::other_token(reception.kind, token)?;
        let key = app.vault.introduce(Owner::Site(site)).await?;
        reception.secret = token.map(|token| key.seal(&token));
    }
    reception.name = edit.name.unwrap_or(reception.name);
    let command = receiver::Command::Change { reception, seen: edit.seen.version(version) };
    ask::<Receivers>(app, &site.to_string(), &command, &cause).await?;
    Ok((site, known(app, site, id).await?))
}

/// Tells a receiver nothing any more.
pub(crate) async fn remove_receiver(
    app: &Shared,
    place: &Place,
    id: ReceiverId,
    caller: Caller,
) -> Result<(), Problem> {
    let (site, cause) = may_change(app, place, &caller).await?;
    ask::<Receivers>(app, &site.to_string(), &receiver::Command::Remove(id), &cause).await
}

/// Tells a receiver something, so that somebody sees it arrive; answers the notice.
pub(crate) async fn test_receiver(
    app: &Shared,
    place: &Place,
    id: ReceiverId,
    caller: Caller,
) -> Result<NoticeId, Problem> {
    let (site, cause) = may_change(app, place, &caller).await?;
    let about = (site.to_string(), receiver::Command::Test(id));
    let stated = super::execute::execute::<Receivers>(app, &about.0, &about.1, &cause).await?;
    let tested = stated.first().ok_or(Refusal::ReceiverNotFound)?;
    Ok(NoticeId::of(id, tested))
}

/// Sends a notice of a receiver once more.
pub(crate) async fn resend_notice(
    app: &Shared,
    place: &Place,
    (receiver, id): (ReceiverId, NoticeId),
    caller: Caller,
) -> Result<(), Problem> {
    let (site, cause) = may_change(app, place, &caller).await?;
    known(app, site, receiver).await?;
    match app.log.load::<Notice>(&id.to_string()).await?.state {
        Notice::Settled(noticed) | Notice::Requested(noticed) if noticed.receiver == receiver => {}
        Notice::Unknown | Notice::Settled(_) | Notice::Requested(_) => return Err(Refusal::NoticeNotFound.into()),
    }
    ask::<Notice>(app, &id.to_string(), &notice::Command::Redeliver, &cause).await
}

async fn may_change(app: &Shared, place: &Place, caller: &Caller) -> Result<(SiteId, Cause), Problem> {
    let site = app.site_id(place).await?;
    let cause = permit(app, caller, Command::ChangeReceivers, About::Site(site)).await?;
    active(app, site).await?;
    Ok((site, cause))
}

async fn known(app: &Shared, site: SiteId, id: ReceiverId) -> Result<Known, Problem> {
    let receivers = app.log.load::<Receivers>(&site.to_string()).await?.state;
    Ok(receivers.known(id)?.clone())
}
