//! What repositories tell: each knows its sites, so that a push costs the same however many others there are.

use super::model::AHEAD_MAX;
use super::{KnownRepository, KnownSite, Origin, Queue, Reason, Wish};
use crate::branches::{Arrival, Branches, Push};
use events::{Branch, BuildId, CommitId, PullRequest, Recorded, RepositoryEvent, SiteId};
use std::collections::BTreeSet;

/// What a build is about whose own push is late.
const BEHIND: &str = "Back to the newest push of the branch";

/// What a push asks of every site of its repository.
struct Pushed<'a> {
    branch: &'a Branch,
    reason: Reason,
    commit: CommitId,
    summary: &'a str,
    /// What it changed, if that is known.
    paths: Option<&'a [String]>,
    pull_request: Option<&'a PullRequest>,
}

impl KnownRepository {
    /// Whom a delivery is for that was signed for `site`, or for all.
    fn meant(&self, site: Option<SiteId>) -> BTreeSet<SiteId> {
        let is_meant = |known: &&SiteId| site.is_none_or(|site| site == **known);
        self.sites.iter().filter(is_meant).copied().collect()
    }

    /// What such deliveries have told; none for a site that is not built from it.
    fn branches_of(&mut self, site: Option<SiteId>) -> Option<&mut Branches> {
        match site {
            Some(site) if self.sites.contains(&site) => Some(self.told_to.entry(site).or_default()),
            Some(_) => None,
            None => Some(&mut self.branches),
        }
    }
}

impl Queue {
    pub(super) fn apply_repository(&mut self, recorded: &Recorded, fact: &RepositoryEvent) {
        match fact {
            RepositoryEvent::PushReceived {
                repository,
                branch,
                commit,
                summary,
                site,
                pull_request: Some(pull),
                ..
            } if !pull.is_of_fork() => {
                let Some(known) = self.repositories.get_mut(&repository.canonical()) else { return };
                let sites = known.meant(*site);
                let is_known = known.branches_of(*site).is_some_and(|branches| branches.know(branch, commit));
                let (reason, commit) = (Reason::Push, commit.clone());
                let pushed = Pushed { branch, reason, commit, summary, paths: None, pull_request: Some(pull) };
                self.wish_pull(recorded, sites, &pushed, is_known);
            }
            RepositoryEvent::BranchDeleted { repository, branch, site, pull_request: Some(pull), .. }
                if !pull.is_of_fork() =>
            {
                let Some(known) = self.repositories.get(&repository.canonical()) else { return };
                let mut sites = known.meant(*site);
                sites.retain(|id| self.sites.get(id).is_some_and(KnownSite::builds_pulls));
                self.delete_branch(recorded, &sites, branch);
            }
            RepositoryEvent::PushReceived {
                repository,
                branch,
                before,
                commit,
                summary,
                skip,
                site,
                paths,
                pull_request,
                ..
            } => {
                let Some(known) = self.repositories.get_mut(&repository.canonical()) else { return };
                let push = Push { before: before.as_ref(), commit };
                let sites = known.meant(*site);
                let Some(branches) = known.branches_of(*site) else { return };
                let place = branches.push(branch, &push, recorded.envelope.time);
                if place == Arrival::Gone {
                    self.delete_branch(recorded, &sites, branch);
                }
                let (reason, commit, summary) = match place {
                    Arrival::Newest if *skip => (Reason::UnwantedPush, commit.clone(), summary.as_str()),
                    Arrival::Newest => (Reason::Push, commit.clone(), summary.as_str()),
                    Arrival::Late => (Reason::LatePush, commit.clone(), summary.as_str()),
                    Arrival::Gone => (Reason::PushBeforeDeletion, commit.clone(), summary.as_str()),
                    Arrival::Behind(tip) => (Reason::Push, tip, BEHIND),
                };
                // A tip that is older than this push was changed by others.
                let paths = paths.as_deref().filter(|_| before.is_some() && summary != BEHIND);
                let pull_request = pull_request.as_ref();
                let pushed = Pushed { branch, reason, commit, summary, paths, pull_request };
                for site in sites {
                    self.wish_push(recorded, site, &pushed);
                }
            }
            RepositoryEvent::BranchDeleted { repository, branch, before, site, .. } => {
                let Some(known) = self.repositories.get_mut(&repository.canonical()) else { return };
                let sites = known.meant(*site);
                let Some(branches) = known.branches_of(*site) else { return };
                if branches.delete(branch, before.as_ref(), recorded.envelope.time) {
                    self.delete_branch(recorded, &sites, branch);
                }
            }
        }
    }

    fn wish_push(&mut self, recorded: &Recorded, id: SiteId, pushed: &Pushed<'_>) {
        let Pushed { branch, reason, commit, summary, pull_request, .. } = pushed;
        if matches!(reason, Reason::Push | Reason::UnwantedPush) {
            self.restore_branch(id, branch);
        }
        let mut reason = if *reason == Reason::Push { self.worth(id, pushed) } else { *reason };
        let told =
            self.sites.get_mut(&id).filter(|_| pull_request.is_none()).and_then(|site| site.ahead.remove(*branch));
        if reason == Reason::Push && told.as_ref() == Some(commit) {
            return;
        }
        if reason == Reason::Push && pull_request.is_some_and(PullRequest::is_of_fork) {
            reason = Reason::Fork;
        }
        if reason == Reason::Push {
            self.remember_missed(id, branch);
        }
        self.wish(Wish {
            build: BuildId::of(recorded.envelope.id, id),
            reason,
            site: id,
            branch: (*branch).clone(),
            commit: Some(commit.clone()),
            summary: (*summary).to_owned(),
            origin: Origin::from(recorded),
            pull_request: pull_request.cloned(),
            clear_cache: false,
        });
    }

    /// What a pull request of a branch of the repository itself asks for: a push told most of it, or will.
    fn wish_pull(&mut self, recorded: &Recorded, sites: BTreeSet<SiteId>, pushed: &Pushed<'_>, is_known: bool) {
        for id in sites {
            let Some(site) = self.sites.get_mut(&id).filter(|site| site.builds_pulls()) else { continue };
            // It was closed before, and its preview went.
            let is_open_again = site.gone.contains(pushed.branch);
            if is_known && !is_open_again {
                continue;
            }
            if !is_known && site.ahead.len() < AHEAD_MAX {
                site.ahead.insert(pushed.branch.clone(), pushed.commit.clone());
            }
            self.wish_push(recorded, id, pushed);
        }
    }

    /// Why a push that is in time is built by the site, or is not.
    fn worth(&self, id: SiteId, pushed: &Pushed<'_>) -> Reason {
        let Some(settings) = self.sites.get(&id).map(|site| &site.settings) else { return Reason::Push };
        if settings.building.ignores(pushed.branch, &settings.alias_of(pushed.branch)) {
            Reason::IgnoredPush
        } else if settings.building.watches(pushed.paths) {
            Reason::Push
        } else {
            Reason::UnwatchedPush
        }
    }

    /// A branch that was deleted is there again.
    fn restore_branch(&mut self, id: SiteId, branch: &Branch) {
        if self.sites.get(&id).is_some_and(|site| site.gone.contains(branch)) {
            if let Some(site) = self.sites.get_mut(&id) {
                site.gone.remove(branch);
            }
            self.keep_preview(id, branch);
        }
    }

    fn delete_branch(&mut self, recorded: &Recorded, sites: &BTreeSet<SiteId>, branch: &Branch) {
        for id in sites {
            let Some(site) = self.sites.get_mut(id).filter(|site| !site.publishes(branch)) else { continue };
            site.gone.insert(branch);
            if site.previews.contains_key(branch) {
                self.remove_preview(*id, branch, recorded);
            }
            // Who asked is answered, and what is late is told.
            let would_build = |wish: &Wish| matches!(wish.reason, Reason::Push | Reason::Fork | Reason::NewSource);
            self.wishes.retain(|_, wish| wish.site != *id || wish.branch != *branch || !would_build(wish));
            self.end_builds_on(*id, branch);
        }
    }

    pub(super) fn use_repository(&mut self, site: SiteId, name: &String) {
        self.repositories.get_or_insert_with(name, Default::default).sites.insert(site);
    }

    /// Nobody remembers a repository that no site is built from.
    pub(super) fn leave_repository(&mut self, site: SiteId, name: &String) {
        let Some(known) = self.repositories.get_mut(name) else { return };
        known.sites.remove(&site);
        known.told_to.remove(&site);
        if known.sites.is_empty() {
            self.repositories.remove(name);
        }
    }
}
