//! Why readers of an address are answered as they are: what its host shows, which facts put that there, and which rule or file
//! decides. What decides is the same function that the edge answers by; only where it reads what it knows is another place.

mod address;
mod chain;
mod deciding;
mod led;
mod named;

use crate::problem::Problem;
use crate::promotions::promotion_at;
use crate::view::View;
use address::Address;
use answers::host;
use events::access::Mode;
use events::{AliasName, DeployId, HostLabel, SiteId};
use projections::aliases::AliasRow;
use projections::deploys::DeployRow;
use projections::sites::SiteRow;
use projections::timeline::FactRow;

pub(crate) use address::URL_MAX;
pub(crate) use chain::Step;
use deciding::Decided;
pub(crate) use deciding::{Decision, Heading};

/// Aliases of a site that are looked at together.
const PART: u32 = 1000;
/// How another name of a site is told.
const RENAMED: u16 = 308;
/// What is told where nothing is shown.
const NOTHING: u16 = 404;

/// Why an address is answered as it is.
#[derive(Debug)]
pub(crate) struct Explained {
    pub(crate) host: String,
    pub(crate) path: String,
    /// None if a server elsewhere decides it.
    pub(crate) status: Option<u16>,
    pub(crate) location: Option<String>,
    pub(crate) decision: Decision,
    /// The rules of `_headers` that change the answer.
    pub(crate) headers: Vec<Heading>,
    pub(crate) shown: Option<Shown>,
    /// What led to it, the oldest first.
    pub(crate) steps: Vec<Step>,
}

/// What a host shows.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) site: SiteRow,
    /// None for the host of one deploy.
    pub(crate) alias: Option<AliasName>,
    pub(crate) deploy: Option<DeployRow>,
    /// What put it there.
    promotion: Option<FactRow>,
    /// What shows the deploy now, where the host is its own.
    beside: Vec<AliasName>,
}

impl Shown {
    /// Who is let in there: on the own host of a deploy what all let in that show it, and where none does, what all would.
    pub(crate) fn access(&self) -> Mode {
        let access = self.site.settings.serving.access;
        let shown = self.alias.iter().chain(&self.beside).map(|alias| access.of(alias)).max();
        shown.unwrap_or_else(|| access.live.max(access.preview))
    }
}

/// Explains what readers are answered who ask for `url`, and bring no cookie.
pub(crate) async fn explain(view: &View, url: &str) -> Result<Explained, Problem> {
    let address = Address::read(url)?;
    if let Some(led) = led::find(view, &address).await? {
        return led::explain(view, address, led).await;
    }
    let domain = view.sites_url.base_domain.trim_matches('.').to_ascii_lowercase();
    let Some(label) = host::label(&address.host, &domain).and_then(HostLabel::parse) else {
        return named::explain(view, address).await;
    };
    let site = site_of(view, &label).await?;
    if site.name != label.site {
        return renamed(view, address, &label, site).await;
    }
    let shown = shown(view, site, &label).await?;
    let decided = deciding::decide(view, &address, &shown).await?;
    let steps = chain::of(view, &shown).await?;
    Ok(explained(address, decided, Some(shown), steps))
}

/// The site of a host, if whoever asks may know of it.
async fn site_of(view: &View, label: &HostLabel) -> Result<SiteRow, Problem> {
    let id = view.model.host(&label.site).await?.ok_or(Problem::HostNotFound)?;
    seen(view, id).await?.ok_or(Problem::HostNotFound)
}

async fn seen(view: &View, id: SiteId) -> Result<Option<SiteRow>, Problem> {
    let site = view.model.site(id).await?.filter(|site| site.deleted_at.is_none());
    Ok(site.filter(|site| view.sight.sees_site(site.id, site.organization)))
}

/// A host of before leads to that of the site's present name.
async fn renamed(view: &View, address: Address, label: &HostLabel, site: SiteRow) -> Result<Explained, Problem> {
    let name = label.prefix.as_ref().map_or_else(|| site.name.to_string(), |prefix| format!("{prefix}--{}", site.name));
    let host = format!("{name}.{}", view.sites_url.base_domain);
    let port = address.port.map(|port| port.to_string());
    let location = answers::elsewhere(&host, port.as_deref(), &address.path, address.query.as_deref());
    let text =
        format!("the site is called `{}` by now, and hosts of its former names lead to its present ones", site.name);
    let step = chain::last(view, ("site", site.id.to_string()), "site.renamed.").await?;
    let steps = step.into_iter().map(|fact| Step { what: "rename", fact }).collect();
    let decided = Decided::plainly(RENAMED, Decision::of("renamed", text)).to(location);
    let shown = Shown { site, alias: None, deploy: None, promotion: None, beside: Vec::new() };
    Ok(explained(address, decided, Some(shown), steps))
}

fn explained(address: Address, decided: Decided, shown: Option<Shown>, steps: Vec<Step>) -> Explained {
    let Decided { status, location, decision, headers } = decided;
    Explained { host: address.host, path: address.path, status, location, decision, headers, shown, steps }
}

/// What a host of a site shows: what an alias was promoted to, or the deploy that it is named for.
async fn shown(view: &View, site: SiteRow, label: &HostLabel) -> Result<Shown, Problem> {
    let aliases = aliases(view, &site).await?;
    let of_host = aliases.iter().find(|row| row.alias.host_prefix() == label.prefix).map(|row| row.alias.clone());
    match (of_host, &label.prefix) {
        (Some(alias), _) => promoted(view, site, alias).await,
        (None, Some(prefix)) => {
            let deploy = match prefix.parse::<DeployId>() {
                Ok(id) => view.model.deploy(&id).await?.filter(|deploy| deploy.site == site.id),
                Err(_) => None,
            };
            let shows = |row: &AliasRow| deploy.as_ref().is_some_and(|deploy| deploy.id == row.deploy);
            let beside = aliases.into_iter().filter(shows).map(|row| row.alias).collect();
            Ok(Shown { site, alias: None, deploy, promotion: None, beside })
        }
        (None, None) => promoted(view, site, AliasName::Live).await,
    }
}

/// The aliases of a site that show something.
async fn aliases(view: &View, site: &SiteRow) -> Result<Vec<AliasRow>, Problem> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let part = view.model.aliases(site.id, PART, after.as_deref()).await?;
        let Some(last) = part.last() else { return Ok(all) };
        after = Some(last.alias.to_string());
        all.extend(part);
    }
}

/// What an alias shows, and the fact that says so.
async fn promoted(view: &View, site: SiteRow, alias: AliasName) -> Result<Shown, Problem> {
    let promotion = promotion_at(view, site.id, &alias, u64::MAX).await?;
    let (deploy, promotion) = promotion.unzip();
    let deploy = match deploy {
        Some(deploy) => view.model.deploy(&deploy).await?,
        None => None,
    };
    Ok(Shown { site, alias: Some(alias), deploy, promotion, beside: Vec::new() })
}
