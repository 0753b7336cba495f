//! The scheduler's pure verb: what to say now, given what is known.

use crate::limits::Limits;
use crate::queue::{
    Due, End, KnownOrganization, KnownSandbox, KnownSite, OpenBuild, Origin, Progress, Queue, Reason, Wish,
};
use crate::slots::{Caps, Ticket};
use events::{
    AliasName, BuildId, Lane, OrganizationId, Outcome, PullRequests, SiteId, alias, build, organization, site,
};
use std::collections::{BTreeMap, HashMap};
use time::OffsetDateTime;

/// Sites of one organization that are deleted with one decision.
const DELETIONS_MAX: usize = 100;

/// Something to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A command to a build.
    Build(BuildId, build::Command, Origin),
    /// The moment of a build has come, and a story of its own begins.
    Schedule(Due),
    /// The time of a preview is over.
    Expire(Due),
    /// A command to an alias.
    Alias(SiteId, AliasName, alias::Command, Origin),
    /// A command to a site.
    Site(SiteId, site::Command, Origin),
    /// A site is to be deleted, and its hosts with it.
    DeleteSite(SiteId, Origin),
    /// A command to an organization.
    Organization(OrganizationId, organization::Command, Origin),
}

/// Everything to say now: wishes become queued builds, newer builds replace waiting ones, free slots are given out
/// fairly, and what cannot end by itself is ended. What it costs depends on what there is to say and on how many builds may
/// run, not on how much is known.
#[must_use]
pub fn schedule(queue: &Queue, limits: &Limits, now: OffsetDateTime) -> Vec<Decision> {
    let mut decisions = queue_wishes(queue);
    let caps = Caps { limits, organizations: &queue.organizations.caps };
    let dispatch = |ticket: Ticket| told(queue, ticket.build, build::Command::Dispatch);
    decisions.extend(queue.waiting().next(queue.active(), &caps).into_iter().filter_map(dispatch));
    decisions.extend(ends(queue, limits, now).into_iter().filter_map(|(id, command)| told(queue, id, command)));
    decisions.extend(removals(queue));
    decisions.extend(erasures(queue, limits, now));
    decisions.extend(clean_ups(queue, now));
    decisions.extend(queue.schedules.until(now.unix_timestamp()).cloned().map(Decision::Schedule));
    decisions.extend(queue.expiries.until(now.unix_timestamp()).cloned().map(Decision::Expire));
    decisions
}

/// The oldest first: each gets the next number of its site.
fn queue_wishes(queue: &Queue) -> Vec<Decision> {
    let mut wishes: Vec<&Wish> = queue.wishes.values().collect();
    wishes.sort_by_key(|wish| (wish.origin.sequence, wish.build));
    let mut lasts: HashMap<SiteId, Last> = HashMap::new();
    let mut decisions = Vec::new();
    for wish in wishes {
        let command = match queue.sites.get(&wish.site) {
            Some(site) => {
                let last =
                    lasts.entry(wish.site).or_insert(Last { number: site.last_number, cache_from: site.cache_from });
                last.number += 1;
                if wish.clear_cache {
                    last.cache_from = Some(last.number);
                }
                granted(queue, wish, job(wish, site, last))
            }
            None => cancel("The site was deleted.", None),
        };
        decisions.push(Decision::Build(wish.build, command, wish.origin.clone()));
    }
    decisions
}

/// What the newest build of a site leaves to the next.
struct Last {
    number: u64,
    cache_from: Option<u64>,
}

/// A command to an open build, in its story.
fn told(queue: &Queue, id: BuildId, command: build::Command) -> Option<Decision> {
    let origin = queue.builds.get(&id)?.origin.clone();
    Some(Decision::Build(id, command, origin))
}

fn granted(queue: &Queue, wish: &Wish, job: build::Job) -> build::Command {
    let Some(site) = queue.sites.get(&wish.site) else { return cancel("The site was deleted.", None) };
    let is_suspended = queue.organizations.is_suspended(site.organization);
    let is_gone = site.gone.contains(&wish.branch) && !site.publishes(&wish.branch);
    match wish.reason {
        Reason::Push | Reason::Fork | Reason::Schedule if is_suspended => skip(job, "The organization is suspended."),
        Reason::Schedule if is_gone => skip(job, "The branch was deleted."),
        Reason::Schedule if queue.is_awaited(wish.site, &wish.branch) => {
            skip(job, "Another build of the branch had not begun yet.")
        }
        Reason::Push | Reason::Request | Reason::NewSource | Reason::Schedule => build::Command::Queue(job),
        Reason::Fork => match site.settings.building.pull_requests {
            PullRequests::All => build::Command::Queue(job),
            PullRequests::Approved => skip(job, "It comes from a fork: a member approves it by having it built again."),
            PullRequests::None => skip(job, "The site's settings build no pull requests."),
        },
        Reason::IgnoredPush => skip(job, "The site's settings ignore branches of this name."),
        Reason::UnwatchedPush => skip(job, "The push changed nothing that the site watches."),
        Reason::UnwantedPush => skip(job, "The commit message asks not to build it."),
        Reason::LatePush => skip(job, "A later push of this branch arrived before this one."),
        Reason::PushBeforeDeletion => skip(job, "The branch was deleted before this push of it arrived."),
    }
}

fn skip(job: build::Job, reason: &str) -> build::Command {
    build::Command::Skip { job, reason: reason.to_owned() }
}

/// The settings of this moment decide what the build is and what its deploy will move.
fn job(wish: &Wish, site: &KnownSite, last: &Last) -> build::Job {
    let fork = wish.pull_request.as_ref().and_then(|pull| pull.fork.as_ref());
    build::Job {
        site: wish.site,
        number: last.number,
        source_sequence: wish.origin.sequence,
        repository: fork.unwrap_or(&site.settings.repository).clone(),
        branch: wish.branch.clone(),
        // No fork is published, whatever the live branch is called.
        alias: if fork.is_some() {
            AliasName::Preview(wish.branch.clone())
        } else {
            site.settings.alias_of(&wish.branch)
        },
        commit: wish.commit.clone(),
        engine: site.settings.engine,
        recipe: site.settings.building.recipe.clone(),
        lane: if wish.reason == Reason::Schedule { Lane::Low } else { Lane::High },
        summary: wish.summary.clone(),
        upload: None,
        pull_request: wish.pull_request.clone(),
        cache_from: last.cache_from,
    }
}

fn cancel(reason: &str, superseded_by: Option<BuildId>) -> build::Command {
    build::Command::Cancel { reason: reason.to_owned(), superseded_by }
}

/// Builds to end from here, each with the command that ends it.
fn ends(queue: &Queue, limits: &Limits, now: OffsetDateTime) -> BTreeMap<BuildId, build::Command> {
    let late = |id: &BuildId| Some((*id, overdue(queue.builds.get(id)?, limits, now)?));
    let mut ends: BTreeMap<_, _> = queue.active().builds().filter_map(late).collect();
    ends.extend(queue.ends.iter().map(|(id, end)| (*id, ending(*end))));
    ends
}

fn ending(end: End) -> build::Command {
    match end {
        End::SiteDeleted => cancel("The site was deleted.", None),
        End::BranchDeleted => cancel("The branch was deleted.", None),
        End::Suspended => cancel("The organization was suspended.", None),
        End::Replaced(newer) => cancel("A newer build of the same branch replaced it.", Some(newer)),
    }
}

fn overdue(build: &OpenBuild, limits: &Limits, now: OffsetDateTime) -> Option<build::Command> {
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
            hint: None,
            artifact: None,
            duration_ms: 0,
            steps: Vec::new(),
            resources: None,
        })
    })
}

/// Previews of deleted branches that still show something.
fn removals(queue: &Queue) -> impl Iterator<Item = Decision> {
    let of_site =
        queue.removals.iter().flat_map(|(site, branches)| branches.iter().map(move |removal| (*site, removal)));
    of_site.map(|(site, (branch, origin))| {
        let alias = AliasName::Preview(branch.clone());
        let command = alias::Command::Remove { site, alias: alias.clone() };
        Decision::Alias(site, alias, command, origin.clone())
    })
}

/// Deleted sites that can no longer be restored.
fn erasures(queue: &Queue, limits: &Limits, now: OffsetDateTime) -> impl Iterator<Item = Decision> {
    let until_s = now.unix_timestamp() - limits.deleted_kept_s;
    let over = queue.erasures.iter().take_while(move |(deleted_s, _)| *deleted_s <= until_s);
    over.filter_map(|(_, id)| Some(Decision::Site(*id, site::Command::Erase, queue.deleted.get(id)?.origin.clone())))
}

/// Sandboxes whose people are to be told, and those whose sites are to be deleted: what is locked stays.
fn clean_ups(queue: &Queue, now: OffsetDateTime) -> Vec<Decision> {
    let due = queue.organizations.due.iter().take_while(|(due_s, _)| *due_s <= now.unix_timestamp());
    let known = due.filter_map(|(_, id)| Some((*id, queue.organizations.known.get(id)?)));
    known.flat_map(|(id, known)| clean_up(queue, id, known, now)).collect()
}

fn clean_up(queue: &Queue, id: OrganizationId, known: &KnownOrganization, now: OffsetDateTime) -> Vec<Decision> {
    let Some(KnownSandbox { is_announced, origin, .. }) = &known.sandbox else { return Vec::new() };
    if !is_announced {
        let announce = organization::Command::AnnounceCleanUp { now };
        return vec![Decision::Organization(id, announce, origin.clone())];
    }
    let is_open = |site: &&SiteId| queue.sites.get(site).is_some_and(|site| !site.locked);
    let open = known.sites.iter().filter(is_open).take(DELETIONS_MAX);
    let deletions: Vec<_> = open.map(|site| Decision::DeleteSite(*site, origin.clone())).collect();
    if deletions.is_empty() {
        let clean_up = organization::Command::CleanUp { now };
        return vec![Decision::Organization(id, clean_up, origin.clone())];
    }
    deletions
}

#[cfg(test)]
mod tests;
