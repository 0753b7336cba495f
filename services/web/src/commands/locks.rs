//! A lock on what the readers of a site see. It stands on the aliases, which decide what is shown: no promotion, whoever asks
//! for it, can come between the lock and what it holds.

use super::active::active;
use super::execute::commit;
use super::permit::{About, permit};
use crate::app::Shared;
use crate::caller::Caller;
use crate::place::Place;
use crate::problem::Problem;
use events::alias::Command;
use events::authority;
use events::{Alias, AliasName, SiteId, subject};

/// What a lock holds. Previews go on, so that a change can be prepared meanwhile.
const HELD: [AliasName; 2] = [AliasName::Live, AliasName::Demo];

/// Locks a site, or gives another reason for its lock. Answers the reason.
pub(crate) async fn lock_site(app: &Shared, place: &Place, reason: &str, caller: Caller) -> Result<String, Problem> {
    let reason = super::reason::reason(reason)?;
    let lock = |site, alias| Command::Lock { site, alias, reason: reason.clone() };
    hold(app, place, lock, caller).await?;
    Ok(reason)
}

/// Lets a site move again. What was stored meanwhile stays where it is until somebody shows it, or the next build does.
pub(crate) async fn unlock_site(app: &Shared, place: &Place, caller: Caller) -> Result<(), Problem> {
    hold(app, place, |site, alias| Command::Unlock { site, alias }, caller).await
}

async fn hold(
    app: &Shared,
    place: &Place,
    command: impl Fn(SiteId, AliasName) -> Command,
    caller: Caller,
) -> Result<(), Problem> {
    let site = app.site_id(place).await?;
    let cause = permit(app, &caller, authority::Command::LockSite, About::Site(site)).await?;
    active(app, site).await?;
    let mut transaction = app.log.transaction(cause);
    for alias in HELD {
        transaction = transaction.with::<Alias>(subject::alias_id(site, &alias), command(site, alias));
    }
    commit(app, transaction).await.map(drop)
}

/// Why a site is locked, as the log knows it; none if it is not.
pub(super) async fn lock_of(app: &Shared, site: SiteId) -> Result<Option<String>, Problem> {
    Ok(app.log.load::<Alias>(&subject::alias_id(site, &AliasName::Live)).await?.state.locked)
}
