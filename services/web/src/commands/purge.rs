//! What edges keep of pages is asked for again in the store.

use super::active::active;
use super::execute::commit;
use super::permit::{About, permit};
use crate::caller::Caller;
use crate::place::Place;
use crate::problem::Problem;
use crate::view::View;
use events::authority::Command;
use events::event::Purge;
use events::routing::{HostName, Leads, RoutePath};
use events::{Refusal, Site, SiteId, site};
use projections::Sight;
use projections::routes::Routes;
use std::collections::BTreeSet;

/// Routes of a host that are looked at together.
const PART: u32 = 1000;

/// What is purged.
pub(crate) enum Whose {
    /// What a host shows.
    Host(HostName),
    /// What all hosts of a site show.
    Site(Place),
}

/// Has every edge ask the store again for what it keeps of these pages. Answers whose they are.
pub(crate) async fn purge(
    view: &View,
    whose: Whose,
    path: Option<RoutePath>,
    caller: Caller,
) -> Result<BTreeSet<SiteId>, Problem> {
    let app = &view.app;
    let (sites, host) = match whose {
        Whose::Site(place) => (BTreeSet::from([app.site_id(&place).await?]), None),
        Whose::Host(host) => (shown_at(view, &host).await?, Some(host)),
    };
    let mut cause = None;
    for site in &sites {
        let permitted = permit(app, &caller, Command::Purge, About::Site(*site)).await;
        cause = Some(permitted.map_err(|problem| if host.is_some() { unknown(problem) } else { problem })?);
        active(app, *site).await?;
    }
    let purge = Purge { host, path };
    let transaction = app.log.transaction(cause.ok_or(Problem::HostNotFound)?);
    let purged = sites
        .iter()
        .fold(transaction, |transaction, site| transaction.with::<Site>(*site, site::Command::Purge(purge.clone())));
    commit(app, purged).await?;
    Ok(sites)
}

/// The sites whose pages a host shows: that whose host it is, and those that its routes lead to.
async fn shown_at(view: &View, host: &HostName) -> Result<BTreeSet<SiteId>, Problem> {
    let mut sites: BTreeSet<SiteId> = view.app.owner_of_host(host).await?.into_iter().collect();
    let mut asked = Routes { host: Some(host.clone()), owner: None, after: None, limit: PART };
    loop {
        // Whoever may purge none of the sites learns nothing of them.
        let part = view.model.routes(&asked, &Sight::All).await?;
        let Some(last) = part.last() else { return Ok(sites) };
        asked.after = Some((last.host.to_string(), last.path.to_string()));
        sites.extend(part.iter().filter_map(|row| match row.leads {
            Leads::Site { site } => Some(site),
            Leads::Redirect { .. } | Leads::Gone { .. } | Leads::Backend { .. } => None,
        }));
    }
}

/// A host whose sites somebody may not know of is none for them.
fn unknown(problem: Problem) -> Problem {
    if matches!(problem, Problem::Refused(Refusal::SiteNotFound)) { Problem::HostNotFound } else { problem }
}
