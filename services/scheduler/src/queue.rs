//! What the scheduler knows: a fold of the log, small enough to keep in memory and to store as a snapshot.
//!
//! A push or a request becomes a *wish*, and stays one until its build is queued; so a scheduler that dies between
//! hearing and saying finds the wish again. Times come from the facts themselves.

use events::{
    AliasEvent, AliasName, Branch, BuildEvent, BuildId, CommitId, Event, EventId, Lane, OrganizationName, Recorded,
    RepositoryEvent, RepositoryUrl, SiteEngine, SiteEvent, SiteName,
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
    pub sites: BTreeMap<SiteName, Site>,
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
    pub organization: OrganizationName,
    /// Where its source is.
    pub repository: RepositoryUrl,
    /// How it is built.
    pub engine: SiteEngine,
    /// Branches that are published under a name of their own; every other is a preview.
    pub published: Vec<Branch>,
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
    /// The site.
    pub site: SiteName,
    /// The branch.
    pub branch: Branch,
    /// The exact commit, or the tip.
    pub commit: Option<CommitId>,
    /// What it is about.
    pub summary: String,
    /// The fact that asked for it.
    pub origin: Origin,
}

/// A branch that was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// The site it was a preview of.
    pub site: SiteName,
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
    pub site: SiteName,
    /// The branch.
    pub branch: Branch,
    /// Its number in the site.
    pub number: u64,
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
    pub fn is(&self, site: &SiteName, branch: &Branch) -> bool {
        (&self.site, &self.branch) == (site, branch)
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
            Event::Deploy(_) => {}
        }
    }

    fn apply_site(&mut self, recorded: &Recorded, fact: &SiteEvent) {
        let Ok(name) = recorded.envelope.subject.parse::<SiteName>() else { return };
        match fact {
            SiteEvent::Created { organization, repository, branch, demo_branch, engine } => {
                let site = Site {
                    organization: organization.clone(),
                    repository: repository.clone(),
                    engine: *engine,
                    published: [Some(branch.clone()), demo_branch.clone()].into_iter().flatten().collect(),
                    last_number: 0,
                    previews: BTreeMap::new(),
                };
                self.sites.insert(name, site);
            }
            SiteEvent::BuildRequested { branch, commit } => {
                let summary = format!("Requested by {}", recorded.envelope.actor);
                self.wish(name, (branch, commit.as_ref()), summary, recorded);
            }
            SiteEvent::Deleted {} => {
                self.sites.remove(&name);
                self.wishes.retain(|wish| wish.site != name);
                self.gone.retain(|gone| gone.site != name);
            }
        }
    }

    fn apply_repository(&mut self, recorded: &Recorded, fact: &RepositoryEvent) {
        match fact {
            RepositoryEvent::PushReceived { repository, branch, commit, summary, .. } => {
                for site in self.sites_of(repository) {
                    self.gone.retain(|gone| !gone.is(&site, branch));
                    self.wish(site, (branch, Some(commit)), summary.clone(), recorded);
                }
            }
            RepositoryEvent::BranchDeleted { repository, branch, .. } => {
                for name in self.sites_of(repository) {
                    if self.sites.get(&name).is_some_and(|site| !site.published.contains(branch)) {
                        self.wishes.retain(|wish| (&wish.site, &wish.branch) != (&name, branch));
                        let origin = Origin::from(recorded);
                        self.gone.push_back(Gone { site: name, branch: branch.clone(), origin });
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
            BuildEvent::Queued { site, number, branch, lane, .. } => {
                self.wishes.retain(|wish| wish.build != id);
                if let Some(known) = self.sites.get_mut(site) {
                    known.last_number = known.last_number.max(*number);
                }
                let build = Build {
                    site: site.clone(),
                    branch: branch.clone(),
                    number: *number,
                    lane: *lane,
                    place: recorded.sequence,
                    progress: Progress::Queued,
                    origin: Origin::from(recorded),
                };
                self.builds.insert(id, build);
            }
            BuildEvent::Dispatched { .. } => self.advance(id, Progress::Dispatched(recorded.envelope.time)),
            BuildEvent::Started { .. } => self.advance(id, Progress::Running(recorded.envelope.time)),
            BuildEvent::Finished { .. } | BuildEvent::Canceled { .. } => {
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

    fn sites_of(&self, repository: &RepositoryUrl) -> Vec<SiteName> {
        let pushed = repository.canonical();
        let uses = |(name, site): (&SiteName, &Site)| (site.repository.canonical() == pushed).then(|| name.clone());
        self.sites.iter().filter_map(uses).collect()
    }

    fn wish(
        &mut self,
        site: SiteName,
        (branch, commit): (&Branch, Option<&CommitId>),
        summary: String,
        recorded: &Recorded,
    ) {
        if !self.sites.contains_key(&site) {
            return;
        }
        let build = BuildId::of(recorded.envelope.id, site.as_str());
        let (branch, commit, origin) = (branch.clone(), commit.cloned(), Origin::from(recorded));
        self.wishes.push_back(Wish { build, site, branch, commit, summary, origin });
    }

    fn advance(&mut self, id: BuildId, progress: Progress) {
        if let Some(build) = self.builds.get_mut(&id) {
            build.progress = progress;
        }
    }
}
