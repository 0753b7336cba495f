//! The scheduler's pure verb: what to say now, given what is known.

use crate::queue::{Build, Gone, Origin, Progress, Queue, Reason, Site, Wish};
use events::{AliasName, Branch, BuildId, Lane, OrganizationId, Outcome, SiteId, alias, build};
use std::collections::{BTreeMap, HashMap};
use time::OffsetDateTime;

/// How much may run at once, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Builds dispatched or running on the whole platform.
    pub platform: usize,
    /// The same for one organization.
    pub organization: usize,
    /// The same for one site.
    pub site: usize,
    /// How long a build may wait for a launcher before it is given up, in seconds.
    pub waiting_max_s: i64,
    /// How long an attempt may run before it is given up, in seconds; longer than a launcher's own limit, so that it
    /// speaks only when the launcher does not.
    pub running_max_s: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { platform: 4, organization: 3, site: 2, waiting_max_s: 24 * 60 * 60, running_max_s: 2 * 60 * 60 }
    }
}

/// Something to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A command to a build.
    Build(BuildId, build::Command, Origin),
    /// A command to an alias.
    Alias(SiteId, AliasName, alias::Command, Origin),
}

/// Everything to say now: wishes become queued builds, newer builds replace waiting ones, free slots are given out
/// fairly, and what cannot end by itself is ended.
#[must_use]
pub fn schedule(queue: &Queue, limits: &Limits, now: OffsetDateTime) -> Vec<Decision> {
    let mut decisions = queue_wishes(queue);
    let ends = ends(queue, limits, now);
    let ending = |id: &BuildId| ends.iter().any(|(ended, _)| ended == id);
    decisions.extend(dispatches(queue, limits, &ending));
    decisions.extend(ends.iter().filter_map(|(id, command)| {
        let origin = queue.builds.get(id)?.origin.clone();
        Some(Decision::Build(*id, command.clone(), origin))
    }));
    decisions.extend(removals(queue));
    decisions
}

fn queue_wishes(queue: &Queue) -> Vec<Decision> {
    let mut numbers: HashMap<SiteId, u64> = HashMap::new();
    let mut decisions = Vec::new();
    for wish in &queue.wishes {
        let command = match queue.sites.get(&wish.site) {
            Some(site) => {
                let number = numbers.entry(wish.site).or_insert(site.last_number);
                *number += 1;
                granted(wish, site, *number)
            }
            None => cancel("The site was deleted.", None),
        };
        decisions.push(Decision::Build(wish.build, command, wish.origin.clone()));
    }
    decisions
}

fn granted(wish: &Wish, site: &Site, number: u64) -> build::Command {
    let job = job(wish, site, number);
    match wish.reason {
        Reason::Push | Reason::Request | Reason::NewSource => build::Command::Queue(job),
        Reason::LatePush => {
            let reason = "A later push of this branch arrived before this one.".to_owned();
            build::Command::Skip { job, reason }
        }
    }
}

/// The settings of this moment decide what the build is and what its deploy will move.
fn job(wish: &Wish, site: &Site, number: u64) -> build::Job {
    build::Job {
        site: wish.site,
        number,
        source_sequence: wish.origin.sequence,
        repository: site.settings.repository.clone(),
        branch: wish.branch.clone(),
        alias: site.settings.alias_of(&wish.branch),
        commit: wish.commit.clone(),
        engine: site.settings.engine,
        lane: Lane::High,
        summary: wish.summary.clone(),
    }
}

fn cancel(reason: &str, superseded_by: Option<BuildId>) -> build::Command {
    build::Command::Cancel { reason: reason.to_owned(), superseded_by }
}

/// Builds to end from here, each with the command that ends it.
fn ends(queue: &Queue, limits: &Limits, now: OffsetDateTime) -> Vec<(BuildId, build::Command)> {
    let mut newest: BTreeMap<(SiteId, &Branch), (u64, BuildId)> = BTreeMap::new();
    for (id, build) in &queue.builds {
        let entry = newest.entry((build.site, &build.branch)).or_insert((build.source_sequence, *id));
        *entry = (*entry).max((build.source_sequence, *id));
    }
    let end = |(id, build): (&BuildId, &Build)| {
        let newer = newest.get(&(build.site, &build.branch)).filter(|(source, _)| *source > build.source_sequence);
        ending(queue, build, newer.map(|(_, id)| *id))
            .or_else(|| overdue(build, limits, now))
            .map(|command| (*id, command))
    };
    queue.builds.iter().filter_map(end).collect()
}

fn ending(queue: &Queue, build: &Build, newer: Option<BuildId>) -> Option<build::Command> {
    if !queue.sites.contains_key(&build.site) {
        return Some(cancel("The site was deleted.", None));
    }
    if queue.gone.iter().any(|gone| gone.is(build.site, &build.branch)) {
        return Some(cancel("The branch was deleted.", None));
    }
    match build.progress {
        Progress::Queued if newer.is_some() => Some(cancel("A newer build of the same branch replaced it.", newer)),
        Progress::Queued | Progress::Dispatched(_) | Progress::Running(_) => None,
    }
}

fn overdue(build: &Build, limits: &Limits, now: OffsetDateTime) -> Option<build::Command> {
    let (since, max_s, reason) = match build.progress {
        Progress::Queued => return None,
        Progress::Dispatched(since) => (since, limits.waiting_max_s, "No launcher took the build in time."),
        Progress::Running(since) => (since, limits.running_max_s, "The launcher of the build fell silent."),
    };
    let late = (now - since).whole_seconds() > max_s;
    late.then(|| {
        build::Command::Finish(build::Report {
            attempt: 0,
            commit: None,
            outcome: Outcome::Error,
            reason: reason.to_owned(),
            artifact: None,
            duration_ms: 0,
        })
    })
}

/// Gives out the free slots one by one, each to the waiting build whose organization, then site, has the fewest
/// active builds; the older first among equals. The low lane gets what the high lane leaves.
fn dispatches(queue: &Queue, limits: &Limits, ending: &dyn Fn(&BuildId) -> bool) -> Vec<Decision> {
    let organization = |build: &Build| queue.sites.get(&build.site).map(|site| site.organization);
    let mut active = Active::default();
    let mut waiting: Vec<(BuildId, &Build, OrganizationId)> = Vec::new();
    for (id, build) in &queue.builds {
        let Some(organization) = organization(build) else { continue };
        match build.progress {
            Progress::Queued if ending(id) => {}
            Progress::Queued => waiting.push((*id, build, organization)),
            Progress::Dispatched(_) | Progress::Running(_) => active.add(organization, build.site),
        }
    }
    let mut decisions = Vec::new();
    while active.total < limits.platform {
        let fits = |(_, build, organization): &&(BuildId, &Build, OrganizationId)| {
            active.of(*organization) < limits.organization && active.at(build.site) < limits.site
        };
        let rank = |(_, build, organization): &&(BuildId, &Build, OrganizationId)| {
            (build.lane, active.of(*organization), active.at(build.site), build.place)
        };
        let Some((id, build, organization)) = waiting.iter().filter(fits).min_by_key(rank).cloned() else { break };
        active.add(organization, build.site);
        waiting.retain(|(other, ..)| *other != id);
        decisions.push(Decision::Build(id, build::Command::Dispatch, build.origin.clone()));
    }
    decisions
}

#[derive(Default)]
struct Active {
    total: usize,
    organizations: HashMap<OrganizationId, usize>,
    sites: HashMap<SiteId, usize>,
}

impl Active {
    fn add(&mut self, organization: OrganizationId, site: SiteId) {
        self.total += 1;
        *self.organizations.entry(organization).or_default() += 1;
        *self.sites.entry(site).or_default() += 1;
    }

    fn of(&self, organization: OrganizationId) -> usize {
        self.organizations.get(&organization).copied().unwrap_or(0)
    }

    fn at(&self, site: SiteId) -> usize {
        self.sites.get(&site).copied().unwrap_or(0)
    }
}

/// Previews of deleted branches that still show something.
fn removals(queue: &Queue) -> Vec<Decision> {
    let remove = |Gone { site, branch, origin }: &Gone| {
        let promotion = queue.sites.get(site)?.previews.get(branch)?;
        // A preview that came after the deletion is taken down because it came: a removal of its own.
        let cause = if promotion.sequence > origin.sequence { promotion } else { origin };
        let alias = AliasName::Preview(branch.clone());
        let command = alias::Command::Remove { site: *site, alias: alias.clone() };
        Some(Decision::Alias(*site, alias, command, cause.clone()))
    };
    queue.gone.iter().filter_map(remove).collect()
}

#[cfg(test)]
mod tests;
