//! Domains: names that are other people's, and show a site or lead to another of its names.

use super::address::Address;
use super::chain::{self, Step};
use super::deciding::{Decided, Decision, decide};
use super::{Explained, RENAMED, Shown, explained, promoted, seen};
use crate::problem::Problem;
use crate::view::View;
use events::AliasName;
use events::routing::HostName;
use projections::domains::DomainRow;

/// Explains what is answered at a domain, if whoever asks may know of its site.
pub(super) async fn explain(view: &View, address: Address) -> Result<Explained, Problem> {
    let name: HostName = address.host.parse().map_err(|_| Problem::HostNotFound)?;
    let row = verified(view, &name).await?.ok_or(Problem::HostNotFound)?;
    let site = seen(view, row.site).await?.ok_or(Problem::HostNotFound)?;
    let fact = chain::last(view, ("domain", name.to_string()), "domain.verified.").await?;
    let step = fact.map(|fact| Step { what: "domain", fact });
    if let Some(to) = leads_to(view, &row).await? {
        let port = address.port.map(|port| port.to_string());
        let location = answers::elsewhere(to.as_str(), port.as_deref(), &address.path, address.query.as_deref());
        let text = format!("`{name}` is a domain of the site `{}` that leads to `{to}`", site.name);
        let decided = Decided::plainly(RENAMED, Decision::of("domain", text)).to(location);
        let shown = Shown { site, alias: None, deploy: None, promotion: None, beside: Vec::new() };
        return Ok(explained(address, decided, Some(shown), step.into_iter().collect()));
    }
    let shown = promoted(view, site, AliasName::Live).await?;
    let decided = decide(view, &address, &shown).await?;
    let steps = chain::of(view, &shown).await?;
    Ok(explained(address, decided, Some(shown), steps.into_iter().chain(step).collect()))
}

async fn verified(view: &View, name: &HostName) -> Result<Option<DomainRow>, Problem> {
    Ok(view.model.domain(name).await?.filter(|row| row.proven))
}

/// The name that a domain leads to, as the edge has it: one of the same site that is verified and leads no further.
async fn leads_to(view: &View, row: &DomainRow) -> Result<Option<HostName>, Problem> {
    let Some(to) = &row.redirect_to else { return Ok(None) };
    let other = verified(view, to).await?;
    Ok(other.filter(|other| other.site == row.site && other.redirect_to.is_none()).map(|other| other.name))
}
