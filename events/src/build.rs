//! A build: from the queue to exactly one end.

use crate::event::Upload;
use crate::{Aggregate, BuildEvent, Event, Outcome, Refusal, SiteId};

mod command;

pub use command::{Command, Job, Report};

/// How often a build may lose its launcher. An attempt that was interrupted in order is none of these.
pub const LOST_MAX: u32 = 3;

/// The state of a build.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Build {
    /// Nobody has asked for it.
    #[default]
    Unknown,
    /// A person asked for it, or its moment has come; the scheduler will queue it.
    Requested {
        /// The site to build.
        site: SiteId,
        /// The folder that was uploaded for it.
        upload: Option<Upload>,
    },
    /// It waits for a slot, or for a launcher, or is worked on.
    Open(Box<Job>, Progress),
    /// It has ended.
    Ended {
        /// The site it was for.
        site: SiteId,
        /// How; absent when it was canceled.
        outcome: Option<Outcome>,
        /// Whether its log was archived.
        archived: bool,
    },
}

/// How far an open build has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// It waits for a slot.
    Queued,
    /// It waits for a launcher.
    Dispatched {
        /// Attempts so far, the last of which was interrupted.
        attempts: u32,
        /// Those of them whose launcher was lost.
        lost: u32,
    },
    /// A launcher works on it.
    Running {
        /// Which attempt this is.
        attempt: u32,
        /// Earlier attempts whose launcher was lost.
        lost: u32,
        /// Which launcher has it.
        worker: String,
    },
}

impl Build {
    /// What it builds, while it is open.
    #[must_use]
    pub fn job(&self) -> Option<&Job> {
        match self {
            Self::Open(job, _) => Some(job),
            Self::Unknown | Self::Requested { .. } | Self::Ended { .. } => None,
        }
    }

    /// The attempt that works on it now, if one does.
    #[must_use]
    pub const fn running_attempt(&self) -> Option<u32> {
        match self {
            Self::Open(_, Progress::Running { attempt, .. }) => Some(*attempt),
            Self::Unknown | Self::Requested { .. } | Self::Open(..) | Self::Ended { .. } => None,
        }
    }

    /// The attempt that works on it now, if `worker` has it.
    #[must_use]
    pub fn attempt_of(&self, worker: &str) -> Option<u32> {
        match self {
            Self::Open(_, Progress::Running { attempt, worker: its, .. }) if its == worker => Some(*attempt),
            Self::Unknown | Self::Requested { .. } | Self::Open(..) | Self::Ended { .. } => None,
        }
    }
}

impl Build {
    /// The site it is for; none if nobody asked for it.
    #[must_use]
    pub fn site(&self) -> Option<SiteId> {
        match self {
            Self::Unknown => None,
            Self::Requested { site, .. } | Self::Ended { site, .. } => Some(*site),
            Self::Open(job, _) => Some(job.site),
        }
    }
}

impl Aggregate for Build {
    const KIND: &'static str = "build";
    type Command = Command;
    type Fact = BuildEvent;

    fn narrow(event: &Event) -> Option<&BuildEvent> {
        if let Event::Build(fact) = event { Some(fact) } else { None }
    }

    fn decide(&self, command: &Command) -> Result<Vec<BuildEvent>, Refusal> {
        match self {
            Self::Unknown => decide_new(command),
            Self::Requested { site, .. } => decide_requested(*site, command),
            Self::Open(job, progress) => decide_open(job, progress, command),
            Self::Ended { site, outcome, archived } => match command {
                Command::Cancel { .. } if outcome.is_none() => Ok(vec![]),
                Command::ArchiveLog { key, bytes } if !archived => {
                    Ok(vec![BuildEvent::LogArchived { site: *site, key: key.clone(), bytes: *bytes }])
                }
                Command::Request { .. }
                | Command::Schedule { .. }
                | Command::Queue(_)
                | Command::Skip { .. }
                | Command::ArchiveLog { .. } => Ok(vec![]),
                Command::Dispatch
                | Command::Start { .. }
                | Command::CheckOut { .. }
                | Command::Interrupt { .. }
                | Command::Finish(_)
                | Command::Cancel { .. } => Err(Refusal::BuildEnded),
            },
        }
    }

    fn evolve(self, fact: &BuildEvent) -> Self {
        match (self, fact.clone()) {
            (Self::Unknown, BuildEvent::Requested { site, upload, .. }) => Self::Requested { site, upload },
            (Self::Unknown, BuildEvent::Scheduled { site, .. }) => Self::Requested { site, upload: None },
            (state @ (Self::Unknown | Self::Requested { .. }), fact @ BuildEvent::Queued { .. }) => {
                let upload = if let Self::Requested { upload, .. } = state { upload } else { None };
                job(fact, upload).map_or_else(Self::default, |job| Self::Open(Box::new(job), Progress::Queued))
            }
            (Self::Open(job, _), BuildEvent::Dispatched { .. }) => {
                Self::Open(job, Progress::Dispatched { attempts: 0, lost: 0 })
            }
            (Self::Open(job, before), BuildEvent::Started { attempt, worker, .. }) => {
                Self::Open(job, Progress::Running { attempt, lost: before.lost(), worker })
            }
            (
                Self::Open(job, Progress::Running { attempt, lost, .. }),
                BuildEvent::Interrupted { attempt: over, .. },
            ) if attempt == over => Self::Open(job, Progress::Dispatched { attempts: attempt, lost }),
            (Self::Open(job, _), BuildEvent::Finished { outcome, .. }) => {
                Self::Ended { site: job.site, outcome: Some(outcome), archived: false }
            }
            (Self::Open(_, _) | Self::Requested { .. }, BuildEvent::Canceled { site, .. }) => {
                Self::Ended { site, outcome: None, archived: false }
            }
            (Self::Ended { site, outcome, .. }, BuildEvent::LogArchived { .. }) => {
                Self::Ended { site, outcome, archived: true }
            }
            // What cannot follow changes nothing: `decide` never says it, and history is not refused.
            (
                state,
                BuildEvent::Requested { .. }
                | BuildEvent::Scheduled { .. }
                | BuildEvent::Queued { .. }
                | BuildEvent::CheckedOut { .. }
                | BuildEvent::Interrupted { .. }
                | BuildEvent::LogArchived { .. },
            ) => state,
            (
                state @ (Self::Unknown | Self::Requested { .. } | Self::Ended { .. }),
                BuildEvent::Dispatched { .. }
                | BuildEvent::Started { .. }
                | BuildEvent::Finished { .. }
                | BuildEvent::Canceled { .. },
            ) => state,
        }
    }
}

impl Progress {
    /// Attempts whose launcher was lost, if another is asked to start now.
    const fn lost(&self) -> u32 {
        match self {
            Self::Queued => 0,
            Self::Dispatched { lost, .. } => *lost,
            Self::Running { lost, .. } => *lost + 1,
        }
    }
}

/// What a fact that queues a build says there is to do.
fn job(fact: BuildEvent, upload: Option<Upload>) -> Option<Job> {
    let BuildEvent::Queued {
        site,
        number,
        source_sequence,
        repository,
        branch,
        alias,
        commit,
        engine,
        lane,
        summary,
        recipe,
        pull_request,
        cache_from,
    } = fact
    else {
        return None;
    };
    Some(Job {
        site,
        number,
        source_sequence,
        repository,
        branch,
        alias,
        commit,
        engine,
        recipe,
        lane,
        summary,
        upload,
        pull_request,
        cache_from,
    })
}

fn decide_new(command: &Command) -> Result<Vec<BuildEvent>, Refusal> {
    match command.clone() {
        Command::Request { site, branch, commit, upload, pull_request, clear_cache } => {
            Ok(vec![BuildEvent::Requested { site, branch, commit, upload, pull_request, clear_cache }])
        }
        Command::Schedule { site, branch, due } => Ok(vec![BuildEvent::Scheduled { site, branch, due }]),
        Command::Queue(job) => Ok(vec![queued(job)]),
        Command::Skip { job, reason } => Ok(skipped(job, reason)),
        Command::Dispatch
        | Command::Start { .. }
        | Command::CheckOut { .. }
        | Command::Interrupt { .. }
        | Command::Finish(_)
        | Command::Cancel { .. }
        | Command::ArchiveLog { .. } => Err(Refusal::BuildNotFound),
    }
}

fn decide_requested(site: SiteId, command: &Command) -> Result<Vec<BuildEvent>, Refusal> {
    match command.clone() {
        Command::Request { .. } | Command::Schedule { .. } => Ok(vec![]),
        Command::Queue(job) => Ok(vec![queued(job)]),
        Command::Skip { job, reason } => Ok(skipped(job, reason)),
        Command::Cancel { reason, superseded_by } => Ok(vec![BuildEvent::Canceled { site, reason, superseded_by }]),
        Command::Dispatch
        | Command::Start { .. }
        | Command::CheckOut { .. }
        | Command::Interrupt { .. }
        | Command::Finish(_) => Err(Refusal::BuildNotDispatched),
        Command::ArchiveLog { .. } => Err(Refusal::BuildNotEnded),
    }
}

fn queued(job: Job) -> BuildEvent {
    let Job {
        site,
        number,
        source_sequence,
        repository,
        branch,
        alias,
        commit,
        engine,
        recipe,
        lane,
        summary,
        pull_request,
        cache_from,
        upload: _,
    } = job;
    BuildEvent::Queued {
        site,
        number,
        source_sequence,
        repository,
        branch,
        alias,
        commit,
        engine,
        lane,
        summary,
        recipe,
        pull_request,
        cache_from,
    }
}

/// A build that is not worth its work has a number and an end like any other.
fn skipped(job: Job, reason: String) -> Vec<BuildEvent> {
    let end = Report {
        attempt: 0,
        commit: None,
        outcome: Outcome::Skipped,
        reason,
        hint: None,
        artifact: None,
        duration_ms: 0,
        steps: Vec::new(),
        resources: None,
    };
    let end = finished(&job, end);
    vec![queued(job), end]
}

fn decide_open(job: &Job, progress: &Progress, command: &Command) -> Result<Vec<BuildEvent>, Refusal> {
    let site = job.site;
    match (progress, command) {
        (_, Command::Request { .. } | Command::Schedule { .. } | Command::Queue(_) | Command::Skip { .. })
        | (Progress::Dispatched { .. } | Progress::Running { .. }, Command::Dispatch)
        // Nobody works on it.
        | (
            Progress::Queued | Progress::Dispatched { .. },
            Command::Interrupt { .. } | Command::CheckOut { .. },
        ) => Ok(vec![]),
        (Progress::Queued, Command::Dispatch) => Ok(vec![BuildEvent::Dispatched { site }]),
        (Progress::Queued, Command::Start { .. }) => Err(Refusal::BuildNotDispatched),
        (Progress::Running { attempt, .. }, Command::Start { .. }) if progress.lost() >= LOST_MAX => {
            Ok(vec![finished(job, lost(*attempt))])
        }
        (Progress::Dispatched { attempts: before, .. } | Progress::Running { attempt: before, .. }, Command::Start { worker }) => {
            Ok(vec![started(site, before + 1, worker)])
        }
        (
            Progress::Running { attempt: current, .. },
            Command::Finish(Report { attempt, .. })
            | Command::Interrupt { attempt, .. }
            | Command::CheckOut { attempt, .. },
        ) if attempt != current && *attempt != 0 => {
            Err(Refusal::AttemptSuperseded { attempt: *attempt, current: *current })
        }
        (Progress::Dispatched { attempts, .. }, Command::Finish(Report { attempt, .. }))
            if *attempt != 0 && attempt <= attempts =>
        {
            Err(Refusal::AttemptSuperseded { attempt: *attempt, current: attempts + 1 })
        }
        (Progress::Running { .. }, Command::Interrupt { attempt, reason }) => {
            Ok(vec![BuildEvent::Interrupted { site, attempt: *attempt, reason: reason.clone() }])
        }
        (Progress::Running { .. }, Command::CheckOut { attempt, source }) => {
            Ok(vec![BuildEvent::CheckedOut { site, attempt: *attempt, source: source.clone() }])
        }
        (_, Command::Finish(report)) => Ok(vec![finished(job, report.clone())]),
        (_, Command::Cancel { reason, superseded_by }) => {
            Ok(vec![BuildEvent::Canceled { site, reason: reason.clone(), superseded_by: *superseded_by }])
        }
        (_, Command::ArchiveLog { .. }) => Err(Refusal::BuildNotEnded),
    }
}

fn started(site: SiteId, attempt: u32, worker: &str) -> BuildEvent {
    BuildEvent::Started { site, attempt, worker: worker.to_owned() }
}

fn lost(attempt: u32) -> Report {
    let reason = format!("The build was lost {LOST_MAX} times with the launcher that ran it.");
    Report {
        attempt,
        commit: None,
        outcome: Outcome::Error,
        reason,
        hint: None,
        artifact: None,
        duration_ms: 0,
        steps: Vec::new(),
        resources: None,
    }
}

fn finished(job: &Job, report: Report) -> BuildEvent {
    BuildEvent::Finished {
        site: job.site,
        number: job.number,
        source_sequence: job.source_sequence,
        branch: job.branch.clone(),
        alias: job.alias.clone(),
        commit: report.commit.or_else(|| job.commit.clone()),
        attempt: report.attempt,
        outcome: report.outcome,
        reason: report.reason,
        hint: report.hint,
        artifact: report.artifact,
        duration_ms: report.duration_ms,
        steps: report.steps,
        resources: report.resources,
    }
}

#[cfg(test)]
mod tests;
