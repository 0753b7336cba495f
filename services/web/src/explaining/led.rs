//! Routes of a host, which go before its site.

use super::address::Address;
use super::chain::{self, Step, last};
use super::deciding::{Decided, Decision, decide};
use super::{Explained, explained, promoted, seen};
use crate::problem::Problem;
use crate::view::View;
use answers::{Leading, path_of};
use events::event::Routed;
use events::route::route_id;
use events::routing::{HostName, Leads};
use events::{AliasName, RouteEvent};
use projections::routes::RouteRow;

/// How it is told that a page is gone for good.
const GONE: u16 = 410;

/// The route of an address.
pub(super) struct Led {
    row: RouteRow,
    /// What the path has beyond the route's.
    below: String,
}

/// The route that answers, if one does. That of a host that whoever asks may not know of is none of their matter, and so is the host.
pub(super) async fn find(view: &View, address: &Address) -> Result<Option<Led>, Problem> {
    let (Ok(host), Some(path)) = (address.host.parse::<HostName>(), path_of(&address.path)) else { return Ok(None) };
    let paths = answers::at_or_above(&path);
    let rows = view.model.routes_at(&host, &paths).await?;
    let mut leading = Leading::default();
    for RouteRow { id: route, host, path, kind, leads, owner, .. } in rows.iter().cloned() {
        leading.apply(&RouteEvent::Added(Routed { route, host, path, kind, leads, owner }));
    }
    let Some(found) = leading.find(host.as_str(), &path) else { return Ok(None) };
    let below = found.below.to_owned();
    let Some(row) = rows.into_iter().find(|row| row.id == found.led.route) else { return Ok(None) };
    let sees = match row.owner {
        Some(owner) => seen(view, owner).await?.is_some(),
        None => view.sight == projections::Sight::All,
    };
    if sees { Ok(Some(Led { row, below })) } else { Err(Problem::HostNotFound) }
}

pub(super) async fn explain(view: &View, address: Address, Led { row, below }: Led) -> Result<Explained, Problem> {
    let fact = last(view, ("route", route_id(&row.host, &row.path)), "route.added.").await?;
    let step = fact.map(|fact| Step { what: "route", fact });
    let text = |says: String| format!("the route of {}{} ({}) {says}", row.host, row.path, row.kind.as_str());
    let decision = |says: String| Decision::of("route", text(says));
    let query = address.query.as_deref();
    let decided = match &row.leads {
        Leads::Redirect { to, status, segments } => {
            let location = answers::location(to, *segments, &below, query);
            Decided::plainly(status.code(), decision(row.leads.to_string())).to(location)
        }
        Leads::Gone { .. } => Decided::plainly(GONE, decision(row.leads.to_string())),
        Leads::Backend { .. } => elsewhere(decision(row.leads.to_string())),
        Leads::Site { site } => match seen(view, *site).await? {
            Some(site) => {
                let shown = promoted(view, site, AliasName::Live).await?;
                let mut decided = decide(view, &address, &shown).await?;
                decided.decision.text =
                    format!("{}, where {}", text(format!("shows site `{}`", shown.site.name)), decided.decision.text);
                let steps = chain::of(view, &shown).await?;
                return Ok(explained(address, decided, Some(shown), steps.into_iter().chain(step).collect()));
            }
            None => elsewhere(decision("shows a site that you may not see".to_owned())),
        },
    };
    Ok(explained(address, decided, None, step.into_iter().collect()))
}

/// What is answered is decided where we do not look.
fn elsewhere(decision: Decision) -> Decided {
    Decided { status: None, location: None, decision, headers: Vec::new() }
}
