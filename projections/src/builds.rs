//! The builds: where each stands, how it ended, what it led to.

mod queries;
mod state;

pub(crate) use queries::{REQUESTED_BY, TRIGGER};

use crate::Error;
use crate::copy::{Json, Rows, Table, variant};
use crate::table::{Keys, Row};
use events::event::{Author, Resources, Step, Synced};
use events::{
    AliasName, Branch, BuildEvent, BuildId, CommitId, DeployEvent, DeployId, Event, EventId, Lane, Outcome,
    PullRequest, Recorded, SiteEngine, SiteId, SiteName,
};
use serde::{Deserialize, Serialize};
pub use state::{State, TriggerKind};
use time::OffsetDateTime;

/// A build as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildRow {
    /// Its identity.
    pub id: BuildId,
    /// The site it builds.
    pub site: SiteId,
    /// What the site is called. Looked up when the build is read; left out if the site is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site_name: Option<SiteName>,
    /// Its number in the site, from 1, for people; absent until it is queued.
    pub number: Option<u64>,
    /// The log sequence of the fact that caused it: a greater one is newer source.
    pub source_sequence: u64,
    /// The branch it builds.
    pub branch: Branch,
    /// The alias its deploy moves; absent until it is queued.
    pub alias: Option<AliasName>,
    /// The commit asked for, then the one that was built; absent while it is the tip of the branch.
    pub commit: Option<CommitId>,
    /// The site's engine when it was queued; absent until it is.
    pub engine: Option<SiteEngine>,
    /// How urgent it is.
    pub lane: Lane,
    /// What it is about, for people: the commit's title, once that is known.
    pub summary: String,
    /// Who wrote the commit; absent until it is checked out.
    #[serde(default)]
    pub author: Option<Author>,
    /// Where it stands.
    pub state: State,
    /// The newest attempt; 0 before the first.
    pub attempt: u32,
    /// The launcher of the newest attempt.
    pub worker: Option<String>,
    /// Why it ended as it did, or waits for another attempt, for people; empty on success and while all goes well.
    pub reason: String,
    /// What usually helps; absent where nothing is known.
    #[serde(default)]
    pub hint: Option<String>,
    /// When it was asked for, or queued if nobody asked.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When its newest attempt started.
    #[serde(with = "time::serde::rfc3339::option")]
    pub started_at: Option<OffsetDateTime>,
    /// When it ended.
    #[serde(with = "time::serde::rfc3339::option")]
    pub ended_at: Option<OffsetDateTime>,
    /// From the newest attempt's start to its end, in milliseconds; absent if it was canceled.
    pub duration_ms: Option<u64>,
    /// The newer build that took its place.
    pub superseded_by: Option<BuildId>,
    /// The fact its story began with.
    pub correlation: EventId,
    /// Who began its story. Looked up when the build is read; left out if that fact is not in the timeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<String>,
    /// What began its story. Looked up as who did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<TriggerKind>,
    /// The deploy it made, once that is synced.
    pub deploy: Option<DeployId>,
    /// The object its log was archived as.
    pub log_key: Option<String>,
    /// The size of that log in bytes.
    pub log_bytes: Option<u64>,
    /// The last fact that changed this row.
    pub sequence: u64,
    /// What the attempt that ended it did.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// What that attempt took; absent where there was none.
    #[serde(default)]
    pub resources: Option<Resources>,
    /// The pull request it is for.
    #[serde(default)]
    pub pull_request: Option<PullRequest>,
    /// Whether it was asked for with what builds of the site had kept thrown away.
    #[serde(default)]
    pub clear_cache: bool,
}

/// Which build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    id: BuildId,
}

impl Row for BuildRow {
    const TABLE: Table = Table {
        name: "builds",
        columns: &[
            "id",
            "site",
            "number",
            "source_sequence",
            "branch",
            "alias",
            "commit",
            "engine",
            "lane",
            "summary",
            "author",
            "state",
            "attempt",
            "worker",
            "reason",
            "hint",
            "created_at",
            "started_at",
            "ended_at",
            "duration_ms",
            "superseded_by",
            "correlation",
            "deploy",
            "log_key",
            "log_bytes",
            "sequence",
            "steps",
            "resources",
            "pull_request",
            "clear_cache",
        ],
    };
    const KEY: &'static [&'static str] = &["id"];
    type Key = Key;

    fn key(&self) -> Key {
        Key { id: self.id }
    }

    fn columns(keys: &[&Key]) -> Vec<Keys> {
        vec![Keys::Uuids(keys.iter().map(|key| key.id.0).collect())]
    }

    fn touched(recorded: &Recorded) -> Result<Option<Key>, Error> {
        match &recorded.event {
            Event::Build(_) => named(recorded).map(|id| Some(Key { id })),
            Event::Deploy(DeployEvent::Synced(Synced { build, .. })) => Ok(Some(Key { id: *build })),
            Event::Deploy(DeployEvent::Mirrored { .. } | DeployEvent::Collected { .. })
            | Event::Organization(_)
            | Event::Handle(_)
            | Event::User(_)
            | Event::Invitation(_)
            | Event::Identity(_)
            | Event::Token(_)
            | Event::Receiver(_)
            | Event::Notice(_)
            | Event::Site(_)
            | Event::Host(_)
            | Event::Route(_)
            | Event::Domain(_)
            | Event::Repository(_)
            | Event::Alias(_) => Ok(None),
        }
    }

    fn fold(row: Option<Self>, recorded: &Recorded) -> Option<Self> {
        let changed = match &recorded.event {
            Event::Build(fact) => match row {
                None => first(recorded, fact),
                Some(build) => Some(if build.ended_at.is_some() {
                    build.after_its_end(fact)
                } else {
                    build.before_its_end(fact, recorded.envelope.time)
                }),
            },
            Event::Deploy(DeployEvent::Synced(Synced { build, .. })) => {
                row.map(|row| Self { deploy: Some(DeployId::of(*build)), state: row.state.stored(), ..row })
            }
            Event::Deploy(DeployEvent::Mirrored { .. } | DeployEvent::Collected { .. })
            | Event::Organization(_)
            | Event::Handle(_)
            | Event::User(_)
            | Event::Invitation(_)
            | Event::Identity(_)
            | Event::Token(_)
            | Event::Receiver(_)
            | Event::Notice(_)
            | Event::Site(_)
            | Event::Host(_)
            | Event::Route(_)
            | Event::Domain(_)
            | Event::Repository(_)
            | Event::Alias(_) => return row,
        };
        changed.map(|build| Self { sequence: recorded.sequence, ..build })
    }

    fn write(&self, rows: &mut Rows) {
        let steps = serde_json::to_string(&self.steps).unwrap_or_default();
        let resources = self.resources.as_ref().and_then(|resources| serde_json::to_string(resources).ok());
        let pull_request = self.pull_request.as_ref().and_then(|pull| serde_json::to_string(pull).ok());
        rows.row()
            .put(&self.id)
            .put(&self.site)
            .put(&self.number)
            .put(&self.source_sequence)
            .put(&self.branch)
            .put(&self.alias)
            .put(&self.commit)
            .put(&self.engine.as_ref().map(variant))
            .put(&variant(&self.lane))
            .put(&self.summary)
            .put(&self.author)
            .put(&variant(&self.state))
            .put(&self.attempt)
            .put(&self.worker)
            .put(&self.reason)
            .put(&self.hint)
            .put(&self.created_at)
            .put(&self.started_at)
            .put(&self.ended_at)
            .put(&self.duration_ms)
            .put(&self.superseded_by)
            .put(&self.correlation)
            .put(&self.deploy)
            .put(&self.log_key)
            .put(&self.log_bytes)
            .put(&self.sequence)
            .put(&Json(&steps))
            .put(&resources.as_deref().map(Json))
            .put(&pull_request.as_deref().map(Json))
            .put(&self.clear_cache);
    }
}

/// The build a fact about a build is about.
fn named(recorded: &Recorded) -> Result<BuildId, Error> {
    let subject = &recorded.envelope.subject;
    subject.parse().map_err(|_| Error::Subject { aggregate: "build", subject: subject.clone() })
}

/// The row that a build's first fact makes.
fn first(recorded: &Recorded, fact: &BuildEvent) -> Option<BuildRow> {
    let at = recorded.envelope.time;
    match fact.clone() {
        BuildEvent::Requested { site, branch, commit, upload, pull_request, clear_cache } => {
            let row = blank(recorded, site)?;
            let summary = if upload.is_some() { "Uploaded folder" } else { "Build by hand" }.to_owned();
            Some(BuildRow { branch, commit, summary, pull_request, clear_cache, ..row })
        }
        BuildEvent::Scheduled { site, branch, .. } => {
            Some(BuildRow { branch, summary: "Scheduled build".to_owned(), lane: Lane::Low, ..blank(recorded, site)? })
        }
        BuildEvent::Queued { site, .. } => Some(blank(recorded, site)?.before_its_end(fact, at)),
        BuildEvent::Dispatched { .. }
        | BuildEvent::Started { .. }
        | BuildEvent::CheckedOut { .. }
        | BuildEvent::Interrupted { .. }
        | BuildEvent::Finished { .. }
        | BuildEvent::Canceled { .. }
        | BuildEvent::LogArchived { .. } => None,
    }
}

fn blank(recorded: &Recorded, site: SiteId) -> Option<BuildRow> {
    Some(BuildRow {
        id: named(recorded).ok()?,
        site,
        site_name: None,
        number: None,
        source_sequence: recorded.sequence,
        branch: "main".parse().ok()?,
        alias: None,
        commit: None,
        engine: None,
        lane: Lane::High,
        summary: String::new(),
        author: None,
        state: State::Queued,
        attempt: 0,
        worker: None,
        reason: String::new(),
        hint: None,
        created_at: recorded.envelope.time,
        started_at: None,
        ended_at: None,
        duration_ms: None,
        superseded_by: None,
        correlation: recorded.envelope.correlation,
        requested_by: None,
        trigger: None,
        deploy: None,
        log_key: None,
        log_bytes: None,
        sequence: recorded.sequence,
        steps: Vec::new(),
        resources: None,
        pull_request: None,
        clear_cache: false,
    })
}

impl BuildRow {
    fn before_its_end(self, fact: &BuildEvent, at: OffsetDateTime) -> Self {
        match fact.clone() {
            BuildEvent::Queued {
                number,
                source_sequence,
                branch,
                alias,
                commit,
                engine,
                lane,
                summary,
                pull_request,
                ..
            } => Self {
                pull_request,
                number: Some(number),
                source_sequence,
                branch,
                alias: Some(alias),
                commit,
                engine: Some(engine),
                lane,
                summary,
                ..self
            },
            BuildEvent::Dispatched { .. } => Self { state: State::Dispatched, ..self },
            BuildEvent::Started { attempt, worker, .. } => {
                let (worker, started_at) = (Some(worker), Some(at));
                Self { state: State::Started, attempt, worker, started_at, reason: String::new(), ..self }
            }
            BuildEvent::CheckedOut { source, .. } => {
                Self { commit: Some(source.commit), summary: source.title, author: source.author, ..self }
            }
            BuildEvent::Interrupted { reason, .. } => Self { state: State::Dispatched, reason, ..self },
            BuildEvent::Finished { commit, outcome, reason, hint, duration_ms, steps, resources, .. } => Self {
                state: if outcome == Outcome::Success { self.state } else { outcome.into() },
                commit: commit.or(self.commit),
                reason,
                hint,
                duration_ms: Some(duration_ms),
                ended_at: Some(at),
                steps,
                resources,
                ..self
            },
            BuildEvent::Canceled { reason, superseded_by, .. } => {
                Self { state: State::Canceled, reason, superseded_by, ended_at: Some(at), ..self }
            }
            BuildEvent::Requested { .. } | BuildEvent::Scheduled { .. } | BuildEvent::LogArchived { .. } => self,
        }
    }

    fn after_its_end(self, fact: &BuildEvent) -> Self {
        match fact.clone() {
            BuildEvent::LogArchived { key, bytes, .. } => Self { log_key: Some(key), log_bytes: Some(bytes), ..self },
            BuildEvent::Requested { .. }
            | BuildEvent::Scheduled { .. }
            | BuildEvent::Queued { .. }
            | BuildEvent::Dispatched { .. }
            | BuildEvent::Started { .. }
            | BuildEvent::CheckedOut { .. }
            | BuildEvent::Interrupted { .. }
            | BuildEvent::Finished { .. }
            | BuildEvent::Canceled { .. } => self,
        }
    }
}

#[cfg(test)]
mod tests;
