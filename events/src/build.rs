//! A build: from the queue to exactly one end.

use crate::event::Artifact;
use crate::{
    Aggregate, Branch, BuildEvent, BuildId, CommitId, Event, Lane, Outcome, Refusal, RepositoryUrl, SiteEngine,
    SiteName,
};

/// How often a build is tried when its launcher is lost.
pub const ATTEMPTS_MAX: u32 = 3;

/// The state of a build.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Build {
    /// Nobody has queued it.
    #[default]
    Unknown,
    /// It waits for a slot, or for a launcher, or is worked on.
    Open(Job, Progress),
    /// It has ended.
    Ended {
        /// What it was to build.
        job: Job,
        /// How; absent when it was canceled.
        outcome: Option<Outcome>,
        /// Whether its log was archived.
        archived: bool,
    },
}

/// What there is to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The site.
    pub site: SiteName,
    /// Its number in the site.
    pub number: u64,
    /// Where the source is.
    pub repository: RepositoryUrl,
    /// The branch.
    pub branch: Branch,
    /// The exact commit, or the branch's tip.
    pub commit: Option<CommitId>,
    /// How source becomes pages.
    pub engine: SiteEngine,
    /// How urgent it is.
    pub lane: Lane,
    /// What it is about.
    pub summary: String,
}

/// How far an open build has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// It waits for a slot.
    Queued,
    /// It waits for a launcher.
    Dispatched,
    /// A launcher works on it.
    Running {
        /// Which attempt this is.
        attempt: u32,
        /// Which launcher has it.
        worker: String,
    },
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Report {
    /// The attempt that reports; 0 for the scheduler, which may end any.
    pub attempt: u32,
    /// The commit that was built.
    pub commit: Option<CommitId>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, for people.
    pub message: String,
    /// What it made.
    pub artifact: Option<Artifact>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// What may be asked of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Put it in the queue.
    Queue(Job),
    /// Give it a slot.
    Dispatch,
    /// Work on it: the first attempt, or the next when a launcher was lost.
    Start {
        /// Which launcher asks.
        worker: String,
    },
    /// End it.
    Finish(Report),
    /// End it from outside.
    Cancel {
        /// Why, for people.
        reason: String,
        /// The newer build, if that is why.
        superseded_by: Option<BuildId>,
    },
    /// Record that its log was archived.
    ArchiveLog {
        /// The object's key.
        key: String,
        /// Size in bytes.
        bytes: u64,
    },
}

impl Build {
    /// What it builds, once it is queued.
    #[must_use]
    pub const fn job(&self) -> Option<&Job> {
        match self {
            Self::Unknown => None,
            Self::Open(job, _) | Self::Ended { job, .. } => Some(job),
        }
    }

    /// The attempt that works on it now, if one does.
    #[must_use]
    pub const fn running_attempt(&self) -> Option<u32> {
        match self {
            Self::Open(_, Progress::Running { attempt, .. }) => Some(*attempt),
            Self::Unknown | Self::Open(..) | Self::Ended { .. } => None,
        }
    }

    /// The attempt that works on it now, if `worker` has it.
    #[must_use]
    pub fn attempt_of(&self, worker: &str) -> Option<u32> {
        match self {
            Self::Open(_, Progress::Running { attempt, worker: its }) if its == worker => Some(*attempt),
            Self::Unknown | Self::Open(..) | Self::Ended { .. } => None,
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
            Self::Unknown => match command {
                Command::Queue(job) => Ok(vec![queued(job.clone())]),
                Command::Dispatch
                | Command::Start { .. }
                | Command::Finish(_)
                | Command::Cancel { .. }
                | Command::ArchiveLog { .. } => Err(Refusal::BuildNotFound),
            },
            Self::Open(job, progress) => decide_open(job, progress, command),
            Self::Ended { job, archived, .. } => match command {
                Command::ArchiveLog { key, bytes } if !archived => {
                    Ok(vec![BuildEvent::LogArchived { site: job.site.clone(), key: key.clone(), bytes: *bytes }])
                }
                Command::Queue(_) | Command::ArchiveLog { .. } => Ok(vec![]),
                Command::Dispatch | Command::Start { .. } | Command::Finish(_) | Command::Cancel { .. } => {
                    Err(Refusal::BuildEnded)
                }
            },
        }
    }

    fn evolve(self, fact: &BuildEvent) -> Self {
        match (self, fact.clone()) {
            (Self::Unknown, BuildEvent::Queued { site, number, repository, branch, commit, engine, lane, summary }) => {
                Self::Open(Job { site, number, repository, branch, commit, engine, lane, summary }, Progress::Queued)
            }
            (Self::Open(job, _), BuildEvent::Dispatched { .. }) => Self::Open(job, Progress::Dispatched),
            (Self::Open(job, _), BuildEvent::Started { attempt, worker, .. }) => {
                Self::Open(job, Progress::Running { attempt, worker })
            }
            (Self::Open(job, _), BuildEvent::Finished { outcome, .. }) => {
                Self::Ended { job, outcome: Some(outcome), archived: false }
            }
            (Self::Open(job, _), BuildEvent::Canceled { .. }) => Self::Ended { job, outcome: None, archived: false },
            (Self::Ended { job, outcome, .. }, BuildEvent::LogArchived { .. }) => {
                Self::Ended { job, outcome, archived: true }
            }
            // What cannot follow changes nothing: `decide` never says it, and history is not refused.
            (state, BuildEvent::Queued { .. } | BuildEvent::LogArchived { .. }) => state,
            (
                state @ (Self::Unknown | Self::Ended { .. }),
                BuildEvent::Dispatched { .. }
                | BuildEvent::Started { .. }
                | BuildEvent::Finished { .. }
                | BuildEvent::Canceled { .. },
            ) => state,
        }
    }
}

fn queued(job: Job) -> BuildEvent {
    let Job { site, number, repository, branch, commit, engine, lane, summary } = job;
    BuildEvent::Queued { site, number, repository, branch, commit, engine, lane, summary }
}

fn decide_open(job: &Job, progress: &Progress, command: &Command) -> Result<Vec<BuildEvent>, Refusal> {
    let site = job.site.clone();
    match (progress, command) {
        (_, Command::Queue(_)) | (Progress::Dispatched | Progress::Running { .. }, Command::Dispatch) => Ok(vec![]),
        (Progress::Queued, Command::Dispatch) => Ok(vec![BuildEvent::Dispatched { site }]),
        (Progress::Queued, Command::Start { .. }) => Err(Refusal::BuildNotDispatched),
        (Progress::Dispatched, Command::Start { worker }) => Ok(vec![started(site, 1, worker)]),
        (Progress::Running { attempt, .. }, Command::Start { .. }) if *attempt >= ATTEMPTS_MAX => {
            Ok(vec![finished(job, lost(*attempt))])
        }
        (Progress::Running { attempt, .. }, Command::Start { worker }) => Ok(vec![started(site, attempt + 1, worker)]),
        (Progress::Running { attempt: current, .. }, Command::Finish(Report { attempt, .. }))
            if attempt != current && *attempt != 0 =>
        {
            Err(Refusal::AttemptSuperseded { attempt: *attempt, current: *current })
        }
        (_, Command::Finish(report)) => Ok(vec![finished(job, report.clone())]),
        (_, Command::Cancel { reason, superseded_by }) => {
            Ok(vec![BuildEvent::Canceled { site, reason: reason.clone(), superseded_by: *superseded_by }])
        }
        (_, Command::ArchiveLog { .. }) => Err(Refusal::BuildNotEnded),
    }
}

fn started(site: SiteName, attempt: u32, worker: &str) -> BuildEvent {
    BuildEvent::Started { site, attempt, worker: worker.to_owned() }
}

fn lost(attempt: u32) -> Report {
    let message = format!("The build was lost {attempt} times with the launcher that ran it.");
    Report { attempt, commit: None, outcome: Outcome::Error, message, artifact: None, duration_ms: 0 }
}

fn finished(job: &Job, report: Report) -> BuildEvent {
    BuildEvent::Finished {
        site: job.site.clone(),
        number: job.number,
        branch: job.branch.clone(),
        commit: report.commit.or_else(|| job.commit.clone()),
        attempt: report.attempt,
        outcome: report.outcome,
        message: report.message,
        artifact: report.artifact,
        duration_ms: report.duration_ms,
    }
}

#[cfg(test)]
mod tests;
