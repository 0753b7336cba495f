//! What the scheduler knows: a fold of the log, small enough to keep in memory and to store as a snapshot.
//!
//! A push or a request becomes a *wish*, and stays one until its build is queued; so a scheduler that dies between
//! hearing and saying finds the wish again. Times come from the facts themselves.

use crate::branches::{Branches, Push};
use events::{
    AliasEvent, AliasName, Branch, BuildEvent, BuildId, CommitId, Event, EventId, Lane, OrganizationId, Recorded,
    RepositoryEvent, RepositoryUrl, SiteEvent, SiteId, SiteSettings,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use time::OffsetDateTime;

/// Deleted branches remembered, so that a preview synced late is still taken down.
const GONE_MAX: usize = 1000;

/// The scheduler's state.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Queue {
    /// Sites that can be built.
    pub sites: BTreeMap<SiteId, Site>,
    /// The branches of their repositories, as far as pushes told.
    pub branches: Branches,
    /// Builds asked for and not queued yet, oldest first.
    pub wishes: VecDeque<Wish>,
    /// Builds that have not ended.
    pub builds: BTreeMap<BuildId, Build>,
    /// Deleted branches, oldest first.
    pub gone: VecDeque<Gone>,
}

/// What there is to know of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Who owns it.
    pub organization: OrganizationId,
    /// How it is built and published.
    pub settings: SiteSettings,
    /// The number of its newest build.
    pub last_number: u64,
    /// Previews that show something, each with the promotion that made it.
    pub previews: BTreeMap<Branch, Origin>,
}

/// A build that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// The build it will be.
    pub build: BuildId,
    /// Why it is wished for.
    pub reason: Reason,
    /// The site.
    pub site: SiteId,
    /// The branch.
    pub branch: Branch,
    /// The exact commit, or the tip.
    pub commit: Option<CommitId>,
    /// What it is about.
    pub summary: String,
    /// The fact that asked for it.
    pub origin: Origin,
}

/// Why a build is wished for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// A push arrived.
    Push,
    /// A push arrived after one that followed it: it is told, and not built.
    LatePush,
    /// A person asked, and waits for an answer whatever becomes of the site.
    Request,
    /// The site is new, or its source is.
    NewSource,
}

/// A branch that was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// The site it was a preview of.
    pub site: SiteId,
    /// The branch.
    pub branch: Branch,
    /// The fact that said so.
    pub origin: Origin,
}

/// The parts of an envelope that go on into what follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Its place in the log.
    pub sequence: u64,
    /// The fact.
    pub id: EventId,
    /// The story it belongs to.
    pub correlation: EventId,
    /// Its trace.
    pub traceparent: Option<String>,
    /// Its trace state.
    pub tracestate: Option<String>,
}

/// An open build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// The site.
    pub site: SiteId,
    /// The branch.
    pub branch: Branch,
    /// The log sequence of the fact that caused it: a greater one is newer source.
    pub source_sequence: u64,
    /// How urgent it is.
    pub lane: Lane,
    /// Its place in the queue: the sequence of its `build.queued`.
    pub place: u64,
    /// How far it is.
    pub progress: Progress,
    /// The fact that moved it last.
    pub origin: Origin,
}

/// How far an open build is, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// It waits for a slot.
    Queued,
    /// It waits for a launcher.
    Dispatched(#[serde(with = "time::serde::rfc3339")] OffsetDateTime),
    /// A launcher works on it.
    Running(#[serde(with = "time::serde::rfc3339")] OffsetDateTime),
}

impl From<&Recorded> for Origin {
    fn from(Recorded { sequence, envelope, .. }: &Recorded) -> Self {
        Self {
            sequence: *sequence,
            id: envelope.id,
            correlation: envelope.correlation,
            traceparent: envelope.traceparent.clone(),
            tracestate: envelope.tracestate.clone(),
        }
    }
}

impl Gone {
    /// Whether it is this branch of this site.
    #[must_use]
    pub fn is(&self, site: SiteId, branch: &Branch) -> bool {
        (self.site, &self.branch) == (site, branch)
    }
}

impl Site {
    /// Whether the branch is published under a name of its own; every other is a preview.
    #[must_use]
    pub fn publishes(&self, branch: &Branch) -> bool {
        !matches!(self.settings.alias_of(branch), AliasName::Preview(_))
    }
}

impl Queue {
    /// The state after a fact.
    pub fn apply(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::Site(fact) => self.apply_site(recorded, fact),
            Event::Repository(fact) => self.apply_repository(recorded, fact),
            Event::Build(fact) => self.apply_build(recorded, fact),
            Event::Alias(fact) => self.apply_alias(recorded, fact),
            Event::Organization(_) | Event::Handle(_) | Event::Host(_) | Event::Deploy(_) => {}
        }
    }

    fn apply_site(&mut self, recorded: &Recorded, fact: &SiteEvent) {
        let Ok(id) = recorded.envelope.subject.parse::<SiteId>() else { return };
        match fact {
            SiteEvent::Created { organization, settings, .. } => {
                let (organization, settings, previews) = (*organization, settings.clone(), BTreeMap::new());
                self.sites.insert(id, Site { organization, settings, last_number: 0, previews });
                self.wish_new_source(id, "First build", recorded);
            }
            SiteEvent::SettingsChanged { settings } => {
                let Some(site) = self.sites.get_mut(&id) else { return };
                let moved = site.settings.repository.canonical() != settings.repository.canonical();
                site.settings = settings.clone();
                if moved {
                    self.wish_new_source(id, "First build of another repository", recorded);
                }
            }
            SiteEvent::Renamed { .. } => {}
            SiteEvent::Deleted {} => {
                self.sites.remove(&id);
                self.wishes.retain(|wish| wish.site != id || wish.reason == Reason::Request);
                self.gone.retain(|gone| gone.site != id);
            }
        }
    }

    fn apply_repository(&mut self, recorded: &Recorded, fact: &RepositoryEvent) {
        match fact {
            RepositoryEvent::PushReceived { repository, branch, before, commit, summary, .. } => {
                let sites = self.sites_of(repository);
                if sites.is_empty() {
                    return;
                }
                let push = Push { before: before.as_ref(), commit };
                let late = self.branches.is_late(&repository.canonical(), branch, &push);
                for site in sites {
                    self.gone.retain(|gone| !gone.is(site, branch));
                    let build = BuildId::of(recorded.envelope.id, site);
                    let reason = if late { Reason::LatePush } else { Reason::Push };
                    let (branch, commit, summary) = (branch.clone(), Some(commit.clone()), summary.clone());
                    let origin = Origin::from(recorded);
                    self.wishes.push_back(Wish { build, reason, site, branch, commit, summary, origin });
                }
            }
            RepositoryEvent::BranchDeleted { repository, branch, .. } => {
                self.branches.forget(&repository.canonical(), branch);
                for id in self.sites_of(repository) {
                    if self.sites.get(&id).is_some_and(|site| !site.publishes(branch)) {
                        let asked = |wish: &Wish| wish.reason == Reason::Request;
                        self.wishes.retain(|wish| (wish.site, &wish.branch) != (id, branch) || asked(wish));
                        let origin = Origin::from(recorded);
                        self.gone.push_back(Gone { site: id, branch: branch.clone(), origin });
                    }
                }
                while self.gone.len() > GONE_MAX {
                    self.gone.pop_front();
                }
            }
        }
    }

    fn apply_build(&mut self, recorded: &Recorded, fact: &BuildEvent) {
        let Ok(id) = recorded.envelope.subject.parse::<BuildId>() else { return };
        match fact {
            BuildEvent::Requested { site, branch, commit } => {
                let (reason, summary) = (Reason::Request, "Build by hand".to_owned());
                let (site, branch, commit, origin) = (*site, branch.clone(), commit.clone(), Origin::from(recorded));
                self.wishes.push_back(Wish { build: id, reason, site, branch, commit, summary, origin });
            }
            BuildEvent::Queued { site, number, source_sequence, branch, lane, .. } => {
                self.wishes.retain(|wish| wish.build != id);
                if let Some(known) = self.sites.get_mut(site) {
                    known.last_number = known.last_number.max(*number);
                }
                let build = Build {
                    site: *site,
                    branch: branch.clone(),
                    source_sequence: *source_sequence,
                    lane: *lane,
                    place: recorded.sequence,
                    progress: Progress::Queued,
                    origin: Origin::from(recorded),
                };
                self.builds.insert(id, build);
            }
            BuildEvent::Dispatched { .. } | BuildEvent::Interrupted { .. } => {
                self.advance(id, Progress::Dispatched(recorded.envelope.time));
            }
            BuildEvent::Started { .. } => self.advance(id, Progress::Running(recorded.envelope.time)),
            BuildEvent::Finished { .. } | BuildEvent::Canceled { .. } => {
                self.wishes.retain(|wish| wish.build != id);
                self.builds.remove(&id);
            }
            BuildEvent::LogArchived { .. } => {}
        }
    }

    fn apply_alias(&mut self, recorded: &Recorded, fact: &AliasEvent) {
        match fact {
            AliasEvent::Promoted { site, alias: AliasName::Preview(branch), .. } => {
                if let Some(known) = self.sites.get_mut(site) {
                    known.previews.insert(branch.clone(), Origin::from(recorded));
                }
            }
            AliasEvent::Removed { site, alias: AliasName::Preview(branch), .. } => {
                if let Some(known) = self.sites.get_mut(site) {
                    known.previews.remove(branch);
                }
            }
            AliasEvent::Promoted { .. } | AliasEvent::Removed { .. } => {}
        }
    }

    fn sites_of(&self, repository: &RepositoryUrl) -> Vec<SiteId> {
        let pushed = repository.canonical();
        let uses = |(id, site): (&SiteId, &Site)| (site.settings.repository.canonical() == pushed).then_some(*id);
        self.sites.iter().filter_map(uses).collect()
    }

    /// The tip of the live branch is wished for.
    fn wish_new_source(&mut self, site: SiteId, summary: &str, recorded: &Recorded) {
        let Some(known) = self.sites.get(&site) else { return };
        let (build, branch) = (BuildId::of(recorded.envelope.id, site), known.settings.branch.clone());
        let (reason, summary, origin) = (Reason::NewSource, summary.to_owned(), Origin::from(recorded));
        self.wishes.push_back(Wish { build, reason, site, branch, commit: None, summary, origin });
    }

    fn advance(&mut self, id: BuildId, progress: Progress) {
        if let Some(build) = self.builds.get_mut(&id) {
            build.progress = progress;
        }
    }
}
