//! A source repository, as far as its pushes tell. It belongs to no site: one push builds every site that uses it, unless it
//! was signed with the secret of one site, whose people may speak for that alone.

use crate::{Aggregate, Branch, CommitId, Event, PullRequest, Refusal, RepositoryEvent, RepositoryUrl, SiteId};
use std::collections::VecDeque;
use std::time::Duration;
use uuid::Uuid;

/// How long a delivery is remembered. GitHub offers to send one again for three days.
pub const DELIVERIES_KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Deliveries remembered of one repository at most, whatever comes in that time: the newest.
pub const DELIVERIES_MAX: usize = 500;

/// Changed files that the fact of a push names at most.
pub const PATHS_MAX: usize = 100;
/// Longest of their paths together, in bytes.
pub const PATHS_BYTES_MAX: usize = 8_000;

/// What is remembered of a repository: the deliveries recorded lately. One that comes again after that is stated again, with
/// the same id, and whoever hears it finds the build that it led to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repository {
    /// Digests of their ids, oldest first.
    deliveries: VecDeque<Uuid>,
}

/// What the host of a repository tells of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// By which the host knows it; the same if it is told again.
    pub id: String,
    /// Where the repository is cloned from.
    pub repository: RepositoryUrl,
    /// Which branch.
    pub branch: Branch,
    /// What the branch pointed to before; none if it is new, or if that is not told.
    pub before: Option<CommitId>,
    /// What became of it.
    pub change: Change,
    /// The site whose own secret signed it; none for the secret of the installation.
    pub site: Option<SiteId>,
    /// The pull request that this is told of, which was opened, changed or closed; none for the branch itself.
    pub pull_request: Option<PullRequest>,
}

/// What became of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It points to another commit now.
    Pushed {
        /// Which one.
        commit: CommitId,
        /// The first line of its message.
        summary: String,
        /// Whether its message asks not to build it.
        skip: bool,
        /// The files that were changed; none if not all are known, or they are too many to be told.
        paths: Option<Vec<String>>,
    },
    /// It is no more.
    Deleted,
}

/// What may be asked of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// To take note of a delivery, unless that was done before.
    Receive(Delivery),
}

impl Delivery {
    /// The aggregate that takes note of it. Who may speak for one site alone cannot take a delivery's place for others.
    #[must_use]
    pub fn aggregate_id(&self) -> String {
        let name = self.repository.canonical();
        self.site.map_or_else(|| name.clone(), |site| format!("{name}#{site}"))
    }

    fn fact(&self) -> RepositoryEvent {
        let Self { id, repository, branch, before, change, site, pull_request } = self.clone();
        match change {
            Change::Pushed { commit, summary, skip, paths } => RepositoryEvent::PushReceived {
                repository,
                branch,
                before,
                commit,
                summary,
                delivery: id,
                skip,
                site,
                paths,
                pull_request,
            },
            Change::Deleted => {
                RepositoryEvent::BranchDeleted { repository, branch, before, delivery: id, site, pull_request }
            }
        }
    }
}

/// A delivery's id, as it is remembered.
fn digest(id: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, id.as_bytes())
}

impl Aggregate for Repository {
    const KIND: &'static str = "repository";
    const REMEMBERS: Option<Duration> = Some(DELIVERIES_KEPT);
    type Command = Command;
    type Fact = RepositoryEvent;

    fn narrow(event: &Event) -> Option<&RepositoryEvent> {
        if let Event::Repository(fact) = event { Some(fact) } else { None }
    }

    fn decide(&self, Command::Receive(delivery): &Command) -> Result<Vec<RepositoryEvent>, Refusal> {
        let known = self.deliveries.contains(&digest(&delivery.id));
        Ok(if known { vec![] } else { vec![delivery.fact()] })
    }

    fn evolve(mut self, fact: &RepositoryEvent) -> Self {
        let (RepositoryEvent::PushReceived { delivery, .. } | RepositoryEvent::BranchDeleted { delivery, .. }) = fact;
        self.deliveries.push_back(digest(delivery));
        if self.deliveries.len() > DELIVERIES_MAX {
            self.deliveries.pop_front();
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::story::given;

    fn told(id: &str, change: Change) -> Delivery {
        let (repository, branch) = ("https://github.com/acme/docs".parse().unwrap(), "main".parse().unwrap());
        Delivery { id: id.to_owned(), repository, branch, before: None, change, site: None, pull_request: None }
    }

    fn pushed(id: &str) -> Command {
        let commit = "a".repeat(40).parse().unwrap();
        Command::Receive(told(id, Change::Pushed { commit, summary: "first".to_owned(), skip: false, paths: None }))
    }

    fn push(id: &str) -> RepositoryEvent {
        RepositoryEvent::PushReceived {
            repository: "https://github.com/acme/docs".parse().unwrap(),
            branch: "main".parse().unwrap(),
            before: None,
            commit: "a".repeat(40).parse().unwrap(),
            summary: "first".to_owned(),
            delivery: id.to_owned(),
            skip: false,
            paths: None,
            site: None,
            pull_request: None,
        }
    }

    #[test]
    fn that_a_branch_is_deleted_is_told_as_such() {
        let deleted = RepositoryEvent::BranchDeleted {
            repository: "https://github.com/acme/docs".parse().unwrap(),
            branch: "main".parse().unwrap(),
            before: None,
            delivery: "2".to_owned(),
            site: None,
            pull_request: None,
        };
        let command = Command::Receive(told("2", Change::Deleted));
        given::<Repository>([push("1")]).when(command.clone()).then([deleted.clone()]);
        given::<Repository>([push("1"), deleted]).when(command).then([]);
    }

    #[test]
    fn a_delivery_is_recorded_once() {
        given::<Repository>([]).when(pushed("1")).then([push("1")]);
        given::<Repository>([push("1")]).when(pushed("1")).then([]);
    }

    #[test]
    fn as_many_deliveries_are_remembered_as_it_says_and_no_more() {
        let pushes: Vec<_> = (0..=DELIVERIES_MAX).map(|number| push(&number.to_string())).collect();
        let oldest = given::<Repository>(pushes.clone()).when(pushed("0"));
        oldest.then([pushes[0].clone()]);
        given::<Repository>(pushes.clone()).when(pushed("1")).then([]);
    }

    #[test]
    fn a_second_delivery_of_the_same_commit_is_a_fact_of_its_own() {
        given::<Repository>([push("1")]).when(pushed("2")).then([push("2")]);
    }
}
