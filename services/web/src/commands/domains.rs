//! Which names that are other people's show a site. Whoever adds one has it proven by its records, which others look at.

use super::active::active;
use super::execute::{ask, soon};
use super::permit::{About, permit};
use crate::app::{App, Shared};
use crate::caller::Caller;
use crate::place::Place;
use crate::problem::Problem;
use events::authority::Command;
use events::domain::{self, Claim, DOMAINS_MAX};
use events::routing::HostName;
use events::{Cause, Domain, Refusal, SiteId, SiteName};

/// A domain to be added.
pub(crate) struct NewDomain {
    pub(crate) name: HostName,
    /// Another name of the site that it only leads to.
    pub(crate) redirect_to: Option<HostName>,
}

/// Has a name show a site as soon as it is proven. Asked again, it is looked at anew and leads where it is to lead now.
pub(crate) async fn add_domain(
    app: &Shared,
    place: &Place,
    new: NewDomain,
    caller: Caller,
) -> Result<(SiteName, Claim), Problem> {
    let site = app.site_id(place).await?;
    let cause = permit(app, &caller, Command::ChangeDomains, About::Site(site)).await?;
    let active = active(app, site).await?;
    let NewDomain { name, redirect_to } = new;
    if app.is_own(&name) {
        return Err(Refusal::DomainReserved.into());
    }
    if let Some(to) = &redirect_to {
        may_lead_to(app, site, &name, to).await?;
    }
    let those = soon(app.model.domains(site, u32::MAX, None)).await.unwrap_or_default();
    if those.len() >= DOMAINS_MAX && !those.iter().any(|row| row.name == name) {
        return Err(Refusal::TooManyDomains.into());
    }
    let proof = caller.new_id(format_args!("domain/{site}/{name}"));
    let claim = decided(app, &name, domain::Command::Add { site, proof, redirect_to }, &cause).await?;
    Ok((active.name, claim))
}

/// Has the records of a domain looked at now.
pub(crate) async fn check_domain(app: &Shared, place: &Place, name: HostName, caller: Caller) -> Result<(), Problem> {
    let site = app.site_id(place).await?;
    let cause = permit(app, &caller, Command::ChangeDomains, About::Site(site)).await?;
    let state = app.log.load::<Domain>(name.as_str()).await?.state;
    let claim = state.claim().filter(|claim| claim.site == site).ok_or(Refusal::DomainNotFound)?;
    let (proof, redirect_to) = (claim.proof, claim.redirect_to.clone());
    decided(app, &name, domain::Command::Add { site, proof, redirect_to }, &cause).await.map(drop)
}

/// Has a name show nothing here any more. It is anybody's from then on.
pub(crate) async fn remove_domain(app: &Shared, place: &Place, name: HostName, caller: Caller) -> Result<(), Problem> {
    let site = app.site_id(place).await?;
    let cause = permit(app, &caller, Command::ChangeDomains, About::Site(site)).await?;
    ask::<Domain>(app, name.as_str(), &domain::Command::Remove { site }, &cause).await
}

async fn decided(app: &Shared, name: &HostName, command: domain::Command, cause: &Cause) -> Result<Claim, Problem> {
    ask::<Domain>(app, name.as_str(), &command, cause).await?;
    let state = app.log.load::<Domain>(name.as_str()).await?.state;
    Ok(state.claim().cloned().ok_or(Refusal::DomainNotFound)?)
}

/// A name leads to another of the same site, which leads no further.
async fn may_lead_to(app: &App, site: SiteId, name: &HostName, to: &HostName) -> Result<(), Problem> {
    let other = app.log.load::<Domain>(to.as_str()).await?.state;
    let claim = other.claim().filter(|claim| claim.site == site && to != name);
    match claim {
        None => Err(Problem::InvalidInput("`redirect_to` must be another domain of this site".to_owned())),
        Some(Claim { redirect_to: Some(further), .. }) => Err(Problem::InvalidInput(format!(
            "`redirect_to` must show the site itself, and `{to}` leads to `{further}`"
        ))),
        Some(Claim { redirect_to: None, .. }) => Ok(()),
    }
}

impl App {
    /// Whether a name is one that the platform itself answers at.
    fn is_own(&self, name: &HostName) -> bool {
        let sites = self.sites_url.base_domain.trim_matches('.').to_ascii_lowercase();
        let web = self.web_url.parse::<http::Uri>().ok();
        let is_web =
            web.as_ref().and_then(http::Uri::host).is_some_and(|host| host.eq_ignore_ascii_case(name.as_str()));
        is_web || name.is_at_or_below(&sites)
    }
}
