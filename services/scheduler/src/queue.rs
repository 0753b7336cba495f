//! What the scheduler knows: a fold of the log, small enough to keep in memory and to store as a snapshot.
//!
//! A push or a request becomes a *wish*, and stays one until its build is queued; so a scheduler that dies between
//! hearing and saying finds the wish again. Times come from the facts themselves.
//!
//! What is to be said is noted when a fact is heard, so that neither a fact nor a decision looks at more than it is about.

mod builds;
mod gone;
mod model;
mod open;
mod organizations;
mod schedules;
mod source;
mod times;

pub use gone::Gone;
pub use model::{DeletedSite, End, KnownRepository, KnownSite, OpenBuild, Origin, Progress, Reason, Wish};
pub use organizations::{KnownOrganization, KnownSandbox, Organizations};
pub use times::{Due, Times};

use crate::slots::{Active, Waiting};
use events::{AliasEvent, AliasName, Branch, BuildId, Event, Recorded, SiteEvent, SiteId, SiteSettings};
use open::Open;
use runtime::fold::Map;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The scheduler's state.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Told")]
pub struct Queue {
    /// Sites that can be built.
    pub sites: Map<SiteId, KnownSite>,
    /// The repositories of these sites, by canonical name.
    pub repositories: Map<String, KnownRepository>,
    /// Builds asked for and not queued yet.
    pub wishes: BTreeMap<BuildId, Wish>,
    /// Builds that have not ended.
    pub builds: Map<BuildId, OpenBuild>,
    /// Open builds that shall be ended from here, and why.
    pub ends: BTreeMap<BuildId, End>,
    /// Sites that were deleted and can be restored.
    pub deleted: Map<SiteId, DeletedSite>,
    /// The same by when they were deleted, the oldest first.
    pub erasures: BTreeSet<(i64, SiteId)>,
    /// Previews that shall be taken down, each with what it follows from.
    pub removals: BTreeMap<SiteId, BTreeMap<Branch, Origin>>,
    /// Whose sites they are.
    pub organizations: Organizations,
    /// What is built at set times.
    pub schedules: Times,
    /// When previews end.
    pub expiries: Times,
    #[serde(skip)]
    open: Open,
}

/// What a snapshot holds. The rest follows from it.
#[derive(Deserialize)]
struct Told {
    sites: Map<SiteId, KnownSite>,
    repositories: Map<String, KnownRepository>,
    wishes: BTreeMap<BuildId, Wish>,
    builds: Map<BuildId, OpenBuild>,
    ends: BTreeMap<BuildId, End>,
    deleted: Map<SiteId, DeletedSite>,
    erasures: BTreeSet<(i64, SiteId)>,
    removals: BTreeMap<SiteId, BTreeMap<Branch, Origin>>,
    organizations: Organizations,
    schedules: Times,
    expiries: Times,
}

impl From<Told> for Queue {
    fn from(told: Told) -> Self {
        let Told {
            sites,
            repositories,
            wishes,
            builds,
            ends,
            deleted,
            erasures,
            removals,
            organizations,
            schedules,
            expiries,
        } = told;
        let open = Open::of(&builds, &ends);
        Self {
            sites,
            repositories,
            wishes,
            builds,
            ends,
            deleted,
            erasures,
            removals,
            organizations,
            schedules,
            expiries,
            open,
        }
    }
}

impl Queue {
    /// The state after a fact; answers whether it changed anything.
    pub fn apply(&mut self, recorded: &Recorded) -> bool {
        match &recorded.event {
            Event::Site(fact) => self.apply_site(recorded, fact),
            Event::Repository(fact) => self.apply_repository(recorded, fact),
            Event::Build(fact) => self.apply_build(recorded, fact),
            Event::Alias(fact) => self.apply_alias(recorded, fact),
            Event::Organization(fact) => self.apply_organization(recorded, fact),
            Event::Handle(_)
            | Event::User(_)
            | Event::Invitation(_)
            | Event::Identity(_)
            | Event::Token(_)
            | Event::Receiver(_)
            | Event::Notice(_)
            | Event::Host(_)
            | Event::Route(_)
            | Event::Domain(_)
            | Event::Deploy(_) => return false,
        }
        true
    }

    /// These builds are there already: the log answers so, and will not tell it again.
    pub fn drop_wishes(&mut self, builds: &BTreeSet<BuildId>) {
        self.wishes.retain(|build, _| !builds.contains(build));
    }

    /// Builds that have a slot.
    pub(crate) const fn active(&self) -> &Active {
        &self.open.active
    }

    /// Whether a build of the branch has not begun yet, or will be queued beside a scheduled one.
    pub(crate) fn is_awaited(&self, site: SiteId, branch: &Branch) -> bool {
        let has_begun = |build: &OpenBuild| matches!(build.progress, Progress::Running(_));
        let waits = |id: &BuildId| self.builds.get(id).is_some_and(|build| !has_begun(build));
        let is_built = |reason| matches!(reason, Reason::Push | Reason::Request | Reason::NewSource);
        let is_wished = |wish: &Wish| wish.site == site && wish.branch == *branch && is_built(wish.reason);
        self.open.on(site, branch).iter().any(waits) || self.wishes.values().any(is_wished)
    }

    /// Builds that wait for one.
    pub(crate) const fn waiting(&self) -> &Waiting {
        &self.open.waiting
    }

    fn apply_site(&mut self, recorded: &Recorded, fact: &SiteEvent) {
        let Ok(id) = recorded.envelope.subject.parse::<SiteId>() else { return };
        match fact {
            SiteEvent::Created { organization, settings, .. } => {
                self.sites.insert(id, KnownSite::new(*organization, settings.clone()));
                self.organizations.own(*organization, id);
                self.use_repository(id, &settings.repository.canonical());
                self.wish_new_source(id, "First build", recorded);
                self.plan(id, recorded.envelope.time);
            }
            SiteEvent::SettingsChanged { settings } => self.change_settings(id, settings, recorded),
            SiteEvent::Renamed { .. }
            | SiteEvent::WebhookSecretRotated { .. }
            | SiteEvent::WebhookPinged {}
            | SiteEvent::VariableSet { .. }
            | SiteEvent::VariableRemoved { .. }
            | SiteEvent::DeployKeyMade { .. }
            | SiteEvent::DeployKeyRemoved {}
            | SiteEvent::SourceTokenSet { .. }
            | SiteEvent::SourceTokenRemoved {}
            | SiteEvent::PasswordSet { .. }
            | SiteEvent::ShareLinkMade(_)
            | SiteEvent::ShareLinkRevoked { .. }
            | SiteEvent::Purged(_) => {}
            SiteEvent::Deleted {} => self.delete_site(id, recorded),
            SiteEvent::Restored { .. } => self.restore_site(id, recorded),
            SiteEvent::Erased {} => drop(self.forget_site(id)),
        }
    }

    fn change_settings(&mut self, id: SiteId, settings: &SiteSettings, recorded: &Recorded) {
        let Some(site) = self.sites.get_mut(&id) else { return };
        let (former, present) = (site.settings.repository.canonical(), settings.repository.canonical());
        let (was, is) = (&site.settings.building, &settings.building);
        let is_rescheduled = was.schedules != is.schedules || was.preview_days != is.preview_days;
        site.settings = settings.clone();
        if is_rescheduled {
            self.plan(id, recorded.envelope.time);
        }
        let Some(site) = self.sites.get_mut(&id) else { return };
        if former != present {
            // What was deleted there may well be here.
            site.gone.clear();
            self.leave_repository(id, &former);
            self.use_repository(id, &present);
            self.wish_new_source(id, "First build of another repository", recorded);
        }
    }

    fn delete_site(&mut self, id: SiteId, recorded: &Recorded) {
        let Some(site) = self.sites.remove(&id) else { return };
        self.leave_repository(id, &site.settings.repository.canonical());
        self.organizations.disown(site.organization, id);
        let deleted_s = recorded.envelope.time.unix_timestamp();
        self.erasures.insert((deleted_s, id));
        let (site, origin) = (KnownSite::clone(&site), Origin::from(recorded));
        self.deleted.insert(id, DeletedSite { site, deleted_s, origin });
        // What is shown already is ended, not forgotten.
        self.wishes.retain(|_, wish| wish.site != id || matches!(wish.reason, Reason::Request | Reason::Schedule));
        self.forget_times(id);
        self.removals.remove(&id);
        self.end_builds_of(id);
    }

    /// Whatever was pushed meanwhile, the tip is built.
    fn restore_site(&mut self, id: SiteId, recorded: &Recorded) {
        let Some(DeletedSite { site, .. }) = self.forget_site(id) else { return };
        self.use_repository(id, &site.settings.repository.canonical());
        self.organizations.own(site.organization, id);
        self.sites.insert(id, site);
        self.wish_new_source(id, "First build after the site was restored", recorded);
        self.plan(id, recorded.envelope.time);
    }

    fn forget_site(&mut self, id: SiteId) -> Option<DeletedSite> {
        let deleted = self.deleted.remove(&id)?;
        self.erasures.remove(&(deleted.deleted_s, id));
        Some(DeletedSite::clone(&deleted))
    }

    fn apply_alias(&mut self, recorded: &Recorded, fact: &AliasEvent) {
        match fact {
            AliasEvent::Promoted { site: id, alias: AliasName::Preview(branch), .. } => {
                self.show_preview(*id, branch, Some(recorded.envelope.time));
                if self.sites.get(id).is_some_and(|site| site.gone.contains(branch)) {
                    // It came after the deletion and is taken down because it came: a removal of its own.
                    self.remove_preview(*id, branch, recorded);
                }
            }
            AliasEvent::Removed { site: id, alias: AliasName::Preview(branch), .. } => {
                self.show_preview(*id, branch, None);
                self.keep_preview(*id, branch);
            }
            AliasEvent::Locked { site, alias: AliasName::Live, .. } => self.lock(*site, true),
            AliasEvent::Unlocked { site, alias: AliasName::Live, .. } => self.lock(*site, false),
            // What readers of the site itself see does not end with a branch.
            AliasEvent::Promoted { .. }
            | AliasEvent::Removed { .. }
            | AliasEvent::Locked { .. }
            | AliasEvent::Unlocked { .. } => {}
        }
    }

    fn lock(&mut self, id: SiteId, locked: bool) {
        if let Some(site) = self.sites.get_mut(&id) {
            site.locked = locked;
        }
    }

    fn remove_preview(&mut self, site: SiteId, branch: &Branch, because: &Recorded) {
        self.removals.entry(site).or_default().insert(branch.clone(), Origin::from(because));
    }

    fn keep_preview(&mut self, site: SiteId, branch: &Branch) {
        if let Some(removals) = self.removals.get_mut(&site) {
            removals.remove(branch);
            if removals.is_empty() {
                self.removals.remove(&site);
            }
        }
    }

    /// The tip of the live branch is wished for.
    fn wish_new_source(&mut self, site: SiteId, summary: &str, recorded: &Recorded) {
        let Some(known) = self.sites.get(&site) else { return };
        let (build, branch) = (BuildId::of(recorded.envelope.id, site), known.settings.branch.clone());
        let (reason, summary, origin) = (Reason::NewSource, summary.to_owned(), Origin::from(recorded));
        let (commit, pull_request, clear_cache) = (None, None, false);
        self.wish(Wish { build, reason, site, branch, commit, summary, origin, pull_request, clear_cache });
    }

    fn wish(&mut self, wish: Wish) {
        self.wishes.insert(wish.build, wish);
    }
}
