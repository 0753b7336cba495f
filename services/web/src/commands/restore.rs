//! Brings a deleted site back, with the hosts that nobody has taken since.

use super::execute::commit;
use super::permit::{About, permit};
use crate::app::Shared;
use crate::caller::Caller;
use crate::problem::Problem;
use events::authority::Command;
use events::host::{self, Owner};
use events::site::{self, Active};
use events::{Host, Refusal, Site, SiteId, SiteName};
use std::collections::BTreeSet;

/// How often it is tried anew when others claim hosts at the same time.
const ROUNDS_MAX: usize = 5;

/// Answers what the site is then. One that is there already stays as it is.
pub(crate) async fn restore_site(
    app: &Shared,
    id: SiteId,
    name: Option<&SiteName>,
    caller: Caller,
) -> Result<Active, Problem> {
    for _ in 1..ROUNDS_MAX {
        match restore_once(app, id, name, caller.clone()).await {
            // A former host was claimed meanwhile.
            Err(Problem::Refused(Refusal::SiteExists)) if !is_taken(app, id, name).await? => {}
            restored => return restored,
        }
    }
    restore_once(app, id, name, caller).await
}

async fn restore_once(app: &Shared, id: SiteId, name: Option<&SiteName>, caller: Caller) -> Result<Active, Problem> {
    let cause = permit(app, &caller, Command::RestoreSite, About::Site(id)).await?;
    let deleted = match app.log.load::<Site>(&id.to_string()).await?.state {
        Site::Deleted(deleted) => deleted,
        Site::Active(active) => return Ok(active),
        Site::Erased(_) => return Err(Refusal::SiteErased.into()),
        Site::Unknown => return Err(Refusal::SiteNotFound.into()),
    };
    let _room = super::limits::room(app, deleted.organization).await?;
    let (name, owner) = (name.unwrap_or(&deleted.name), Owner { site: id, organization: deleted.organization });
    let mut former = BTreeSet::new();
    for host in deleted.hosts().filter(|host| *host != name) {
        if app.log.load::<Host>(host.as_str()).await?.state == Host::Released(owner) {
            former.insert(host.clone());
        }
    }
    let restore = site::Command::Restore { name: name.clone(), former: former.clone() };
    let mut transaction = app.log.transaction(cause).with::<Site>(id, restore);
    for host in former.iter().chain([name]) {
        transaction = transaction.with::<Host>(host, host::Command::Claim(owner));
    }
    commit(app, transaction).await?;
    super::active::active(app, id).await
}

/// Whether the name it shall have is another's.
async fn is_taken(app: &Shared, id: SiteId, name: Option<&SiteName>) -> Result<bool, Problem> {
    let Site::Deleted(deleted) = app.log.load::<Site>(&id.to_string()).await?.state else { return Ok(false) };
    let host = app.log.load::<Host>(name.unwrap_or(&deleted.name).as_str()).await?.state;
    Ok(matches!(host, Host::Claimed(owner) if owner.site != id))
}
