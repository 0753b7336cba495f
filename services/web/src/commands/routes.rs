//! What paths of hosts lead to. Whoever manages the organization of a site decides it for the site's hosts; for all others the
//! platform's admins do.

use super::active::active;
use super::execute::{ask, commit};
use super::permit::{About, permit};
use crate::app::{App, Shared};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::routing::{Draft, Goes, Line};
use events::authority::Command;
use events::event::Routed;
use events::route::{self, route_id};
use events::routing::{HostName, Leads, Origin};
use events::{Cause, Domain, Host, HostLabel, Refusal, Route, RouteId, SiteId};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use projections::routes::RouteRow;
use std::collections::{BTreeMap, BTreeSet};

/// Paths of an import that are looked at beside each other.
const LOOKS: usize = 16;
/// Lines of an import whose errors are told; there may be more.
const ERRORS_MAX: usize = 100;

/// What an import comes to.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    /// Routes that are new.
    pub(crate) added: Vec<Routed>,
    /// Lines that say what is so already.
    pub(crate) unchanged: usize,
    /// Lines that cannot be routes, by their numbers.
    pub(crate) errors: Vec<(u64, String)>,
}

/// Leads a path somewhere that leads nowhere of its own yet.
pub(crate) async fn add_route(app: &Shared, draft: Draft, caller: Caller) -> Result<Routed, Problem> {
    let (owner, cause) = may_route(app, &draft.host, &caller).await?;
    let routed = routed(app, draft, owner, &caller).await?;
    ask::<Route>(app, &id_of(&routed), &route::Command::Add(routed.clone()), &cause).await?;
    Ok(routed)
}

/// Leads a path there no more, and perhaps elsewhere from the same moment on.
pub(crate) async fn remove_route(
    app: &Shared,
    row: RouteRow,
    leave: Option<Goes>,
    caller: Caller,
) -> Result<(), Problem> {
    let (owner, cause) = may_route(app, &row.host, &caller).await?;
    let RouteRow { id: route, host, path, kind, .. } = row;
    let id = route_id(&host, &path);
    let leave = match leave {
        Some(goes) => Some(routed(app, Draft { host, path, kind, goes }, owner, &caller).await?),
        None => None,
    };
    ask::<Route>(app, &id, &route::Command::Remove { route, leave }, &cause).await
}

/// What the lines of a table come to; adds them all if `does` and each is right, else none.
pub(crate) async fn import_routes(
    app: &Shared,
    lines: Vec<Line>,
    does: bool,
    caller: Caller,
) -> Result<Imported, Problem> {
    let mut imported = Imported::default();
    let (mut hosts, mut seen, mut wanted) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
    for (line, read) in lines {
        let checked = match read {
            Ok(draft) if !seen.insert((draft.host.clone(), draft.path.clone())) => {
                Err(format!("`{}{}` is there twice", draft.host, draft.path))
            }
            Ok(draft) => line_of(app, draft, &mut hosts, &caller).await?,
            Err(why) => Err(why),
        };
        match checked {
            Ok(routed) => wanted.push((line, routed)),
            Err(why) => imported.errors.push((line, why)),
        }
    }
    let present = stream::iter(wanted).map(async |(line, routed)| {
        let present = app.log.load::<Route>(&id_of(&routed)).await?.state;
        Ok::<_, runtime::Error>((line, routed, present))
    });
    let present: Vec<_> = present.buffered(LOOKS).try_collect().await?;
    for (line, routed, present) in present {
        match present.taken() {
            None => imported.added.push(routed),
            Some(present) if present.says_what(&routed) => imported.unchanged += 1,
            Some(present) => imported.errors.push((line, Refusal::RouteTaken { route: present.route }.to_string())),
        }
    }
    imported.errors.sort();
    imported.errors.truncate(ERRORS_MAX);
    if does && imported.errors.is_empty() {
        let cause = Cause::new(caller.actor.clone());
        let transaction = imported.added.iter().fold(app.log.transaction(cause), |transaction, routed| {
            transaction.with::<Route>(id_of(routed), route::Command::Add(routed.clone()))
        });
        commit(app, transaction).await?;
    }
    Ok(imported)
}

/// A line of a table as a route, or why it can be none for this caller.
async fn line_of(
    app: &Shared,
    draft: Draft,
    hosts: &mut BTreeMap<HostName, Option<SiteId>>,
    caller: &Caller,
) -> Result<Result<Routed, String>, Problem> {
    let owner = match hosts.get(&draft.host) {
        Some(owner) => *owner,
        None => match may_route(app, &draft.host, caller).await {
            Ok((owner, _)) => *hosts.entry(draft.host.clone()).or_insert(owner),
            Err(problem) => return told(problem),
        },
    };
    match routed(app, draft, owner, caller).await {
        Ok(routed) => Ok(Ok(routed)),
        Err(problem) => told(problem),
    }
}

/// What somebody may not or what cannot be is told of its line; what failed fails them all.
fn told<T>(problem: Problem) -> Result<Result<T, String>, Problem> {
    if problem.kind().1.is_client_error() { Ok(Err(problem.to_string())) } else { Err(problem) }
}

/// The route that a draft becomes, if its caller may have it lead there.
async fn routed(app: &Shared, draft: Draft, owner: Option<SiteId>, caller: &Caller) -> Result<Routed, Problem> {
    let Draft { host, path, kind, goes } = draft;
    let leads = match goes {
        Goes::Site(place) => {
            let site = app.site_id(&place).await?;
            permit(app, caller, Command::ChangeRoutes, About::Site(site)).await?;
            active(app, site).await?;
            Leads::Site { site }
        }
        Goes::There(leads) => {
            if let Leads::Backend { backend } = &leads {
                may_be_asked(app, backend).await?;
            }
            leads
        }
    };
    leads.check(&host, &path, kind)?;
    let route = RouteId(caller.new_id(format_args!("route/{host}{path}/{}/{leads}", kind.as_str())));
    Ok(Routed { route, host, path, kind, leads, owner })
}

/// A server that must not be asked is refused at once; one that only cannot be reached now may be there later. The edge looks
/// again whenever it connects.
async fn may_be_asked(app: &App, backend: &Origin) -> Result<(), Problem> {
    match app.backends.check(backend.host(), backend.port()).await {
        Err(unreached) if unreached.is_forbidden() => Err(Problem::BackendNotAllowed(unreached)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn id_of(routed: &Routed) -> String {
    route_id(&routed.host, &routed.path)
}

/// Whose host it is, if the caller may say where its paths lead.
async fn may_route(app: &Shared, host: &HostName, caller: &Caller) -> Result<(Option<SiteId>, Cause), Problem> {
    let owner = app.owner_of_host(host).await?;
    let cause = match owner {
        Some(site) => permit(app, caller, Command::ChangeRoutes, About::Site(site)).await?,
        None => permit(app, caller, Command::RouteHosts, About::Platform).await?,
    };
    Ok((owner, cause))
}

impl App {
    /// The site that a host shows, or showed last: as long as nobody else can have its name, its organization has its host. A
    /// domain is its site's once it is verified. None for a host that is no site's.
    pub(crate) async fn owner_of_host(&self, host: &HostName) -> Result<Option<SiteId>, Problem> {
        let domain = self.sites_url.base_domain.trim_matches('.').to_ascii_lowercase();
        let Some(HostLabel { site, .. }) = host.label_below(&domain).and_then(HostLabel::parse) else {
            return Ok(self.log.load::<Domain>(host.as_str()).await?.state.owner());
        };
        Ok(self.log.load::<Host>(site.as_str()).await?.state.site())
    }
}
