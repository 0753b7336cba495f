//! What facts make of builds: they are wished for or open, and shall be ended.

use super::{End, OpenBuild, Origin, Progress, Queue, Reason, Wish};
use events::{Branch, BuildEvent, BuildId, Lane, Recorded, SiteId};

impl Queue {
    pub(super) fn apply_build(&mut self, recorded: &Recorded, fact: &BuildEvent) {
        let Ok(id) = recorded.envelope.subject.parse::<BuildId>() else { return };
        match fact {
            BuildEvent::Requested { site, branch, commit, upload, pull_request, clear_cache } => {
                let summary = if upload.is_some() { "Uploaded folder" } else { "Build by hand" };
                let (reason, summary) = (Reason::Request, summary.to_owned());
                let (site, branch, commit, origin) = (*site, branch.clone(), commit.clone(), Origin::from(recorded));
                let (pull_request, clear_cache) = (pull_request.clone(), *clear_cache);
                self.wish(Wish { build: id, reason, site, branch, commit, summary, origin, pull_request, clear_cache });
            }
            BuildEvent::Scheduled { site, branch, .. } => {
                let (site, branch, origin) = (*site, branch.clone(), Origin::from(recorded));
                self.was_due(site, &branch, recorded.envelope.time);
                let (reason, summary) = (Reason::Schedule, "Scheduled build".to_owned());
                let (commit, pull_request, clear_cache) = (None, None, false);
                self.wish(Wish { build: id, reason, site, branch, commit, summary, origin, pull_request, clear_cache });
            }
            BuildEvent::Queued { site, number, source_sequence, branch, lane, cache_from, .. } => {
                self.wishes.remove(&id);
                let build = OpenBuild {
                    site: *site,
                    organization: self.number(*site, *number),
                    branch: branch.clone(),
                    source_sequence: *source_sequence,
                    lane: *lane,
                    place: recorded.sequence,
                    progress: Progress::Queued,
                    origin: Origin::from(recorded),
                };
                if let Some(known) = self.sites.get_mut(site) {
                    known.cache_from = known.cache_from.max(*cache_from);
                }
                self.queue(id, build);
            }
            BuildEvent::Dispatched { .. } | BuildEvent::Interrupted { .. } => {
                self.advance(id, Progress::Dispatched(recorded.envelope.time));
            }
            BuildEvent::Started { .. } => self.advance(id, Progress::Running(recorded.envelope.time)),
            BuildEvent::Finished { .. } | BuildEvent::Canceled { .. } => {
                self.wishes.remove(&id);
                self.ends.remove(&id);
                if let Some(build) = self.builds.remove(&id) {
                    self.open.remove(id, &build);
                    self.replace_older(build.site, &build.branch);
                }
            }
            BuildEvent::CheckedOut { .. } | BuildEvent::LogArchived { .. } => {}
        }
    }

    /// The site has a build of this number; answers who owns the site.
    fn number(&mut self, site: SiteId, number: u64) -> Option<events::OrganizationId> {
        let known = self.sites.get_mut(&site)?;
        known.last_number = known.last_number.max(number);
        Some(known.organization)
    }

    fn queue(&mut self, id: BuildId, build: OpenBuild) {
        let (site, branch) = (build.site, build.branch.clone());
        let end = match self.sites.get(&site) {
            None => Some(End::SiteDeleted),
            Some(known) if known.gone.contains(&branch) && !known.publishes(&branch) => Some(End::BranchDeleted),
            Some(_) => None,
        };
        self.open.add(id, &build, None);
        self.builds.insert(id, build);
        if let Some(end) = end {
            return self.end(id, end);
        }
        self.replace_older(site, &branch);
    }

    /// Of the builds of a branch that wait, all but the newest are replaced while that is open; and of those that run too, where
    /// their site wants it. What nobody waits for replaces nothing that somebody waits for.
    fn replace_older(&mut self, site: SiteId, branch: &Branch) {
        let open = self.open.on(site, branch);
        let newest_of = |lanes: &[Lane]| {
            let of_lanes = open.iter().filter_map(|id| Some((self.builds.get(id)?, *id)));
            let of_lanes = of_lanes.filter(|(build, _)| lanes.contains(&build.lane));
            of_lanes.map(|(build, id)| (build.source_sequence, id)).max()
        };
        let (urgent, any) = (newest_of(&[Lane::High]), newest_of(&[Lane::High, Lane::Low]));
        let ends_running = self.sites.get(&site).is_some_and(|known| known.ends_running(branch));
        for id in open {
            let Some(build) = self.builds.get(&id) else { continue };
            let waits = build.progress == Progress::Queued;
            let newest = match build.lane {
                Lane::High => urgent,
                Lane::Low => any,
            };
            let Some((newest_source, newest)) = newest else { continue };
            match self.ends.get(&id) {
                None | Some(End::Replaced(_)) if build.source_sequence < newest_source && (waits || ends_running) => {
                    if waits {
                        self.open.free(id, build);
                    }
                    self.ends.insert(id, End::Replaced(newest));
                }
                Some(End::Replaced(_)) => {
                    if waits {
                        self.open.wait(id, build);
                    }
                    self.ends.remove(&id);
                }
                None | Some(End::SiteDeleted | End::BranchDeleted | End::Suspended) => {}
            }
        }
    }

    fn advance(&mut self, id: BuildId, progress: Progress) {
        let Some(build) = self.builds.get_mut(&id) else { return };
        build.progress = progress;
        let build = build.clone();
        // What has begun is not stopped by a suspension, nor by a newer one unless its site wants it.
        if matches!(self.ends.get(&id), Some(End::Replaced(_) | End::Suspended)) {
            self.ends.remove(&id);
        }
        self.open.free(id, &build);
        self.open.hold(id, &build, self.ends.get(&id));
        self.replace_older(build.site, &build.branch);
    }

    pub(super) fn end_builds_of(&mut self, site: SiteId) {
        for id in self.open.of_site(site) {
            if let Some(build) = self.builds.get(&id) {
                self.open.free(id, build);
            }
            self.ends.insert(id, End::SiteDeleted);
        }
    }

    pub(super) fn end_builds_on(&mut self, site: SiteId, branch: &Branch) {
        for id in self.open.on(site, branch) {
            self.end(id, End::BranchDeleted);
        }
    }

    /// It shall be ended from here, and gets no slot any more; one that has a slot keeps it until then.
    pub(super) fn end(&mut self, id: BuildId, end: End) {
        if let Some(build) = self.builds.get(&id).filter(|build| build.progress == Progress::Queued) {
            self.open.free(id, build);
        }
        self.ends.insert(id, end);
    }
}
