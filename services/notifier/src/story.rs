//! What a notice can tell of a build and of a deploy: their facts, folded in the way that a notice needs.

use events::event::Synced;
use events::{Aggregate, AliasName, Branch, BuildEvent, BuildId, CommitId, DeployEvent, Event, Refusal};

/// What there is to tell of a build.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct BuildStory {
    pub(crate) queued: Option<Queued>,
    /// The commit that was built, where it was not known before.
    pub(crate) commit: Option<CommitId>,
    /// What usually helps, if it failed and that is known.
    pub(crate) hint: Option<String>,
    /// How long it took, in milliseconds.
    pub(crate) duration_ms: Option<u64>,
}

/// What is known of a build from its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Queued {
    pub(crate) number: u64,
    pub(crate) branch: Branch,
    pub(crate) alias: AliasName,
    pub(crate) commit: Option<CommitId>,
    pub(crate) summary: String,
}

impl Aggregate for BuildStory {
    const KIND: &'static str = "build";
    type Command = ();
    type Fact = BuildEvent;

    fn narrow(event: &Event) -> Option<&BuildEvent> {
        if let Event::Build(fact) = event { Some(fact) } else { None }
    }

    fn decide(&self, (): &()) -> Result<Vec<BuildEvent>, Refusal> {
        Ok(vec![])
    }

    fn evolve(mut self, fact: &BuildEvent) -> Self {
        match fact.clone() {
            BuildEvent::Queued { number, branch, alias, commit, summary, .. } => {
                self.queued = Some(Queued { number, branch, alias, commit, summary });
            }
            BuildEvent::CheckedOut { source, .. } => {
                self.commit = Some(source.commit);
                if let Some(queued) = &mut self.queued {
                    queued.summary = source.title;
                }
            }
            BuildEvent::Finished { commit, hint, duration_ms, .. } => {
                self.commit = commit.or(self.commit);
                (self.hint, self.duration_ms) = (hint, Some(duration_ms));
            }
            BuildEvent::Requested { .. }
            | BuildEvent::Scheduled { .. }
            | BuildEvent::Dispatched { .. }
            | BuildEvent::Started { .. }
            | BuildEvent::Interrupted { .. }
            | BuildEvent::Canceled { .. }
            | BuildEvent::LogArchived { .. } => {}
        }
        self
    }
}

/// Which build a deploy is of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct DeployStory(pub(crate) Option<BuildId>);

impl Aggregate for DeployStory {
    const KIND: &'static str = "deploy";
    type Command = ();
    type Fact = DeployEvent;

    fn narrow(event: &Event) -> Option<&DeployEvent> {
        if let Event::Deploy(fact) = event { Some(fact) } else { None }
    }

    fn decide(&self, (): &()) -> Result<Vec<DeployEvent>, Refusal> {
        Ok(vec![])
    }

    fn evolve(self, fact: &DeployEvent) -> Self {
        match fact {
            DeployEvent::Synced(Synced { build, .. }) => Self(Some(*build)),
            DeployEvent::Mirrored { .. } | DeployEvent::Collected { .. } => self,
        }
    }
}
