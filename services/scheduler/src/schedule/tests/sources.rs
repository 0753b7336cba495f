//! Whatever fails and whatever comes twice: the newest source goes live, and nothing older after it.

use super::*;
use events::alias::Claim;
use events::{Alias, Branch, CommitId, DeployId, Repository, repository};

/// A branch with one linear history, what its repository tells in the log in some order, and the alias that shows it.
#[derive(Clone)]
pub(super) struct Branches {
    pub(super) story: Story,
    pub(super) alias: Alias,
    /// The commits that were shown, in order; 0 for nothing.
    pub(super) shown: Vec<usize>,
    /// Which push a build is of.
    pub(super) commits: Map<BuildId, usize>,
    /// What the builds have made that asked for the alias.
    jobs: Map<BuildId, build::Job>,
    branch: Branch,
    repository: Repository,
}

/// What a repository tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// The push that made this commit of the one before it; the first makes the branch.
    Push(usize),
    /// The deletion of the branch at this commit.
    Delete(usize),
}

fn commit(number: usize) -> CommitId {
    format!("{number:040x}").parse().unwrap()
}

impl Branches {
    pub(super) fn new(branch: &str) -> Self {
        let mut story = Story::new();
        story.site("docs", "acme");
        let (alias, commits, jobs) = (Alias::default(), Map::new(), Map::new());
        let (branch, repository) = (branch.parse().unwrap(), Repository::default());
        Self { story, alias, shown: Vec::new(), commits, jobs, branch, repository }
    }

    /// A delivery arrives, perhaps not for the first time.
    pub(super) fn hear(&mut self, delivery: Delivery) {
        let command = repository::Command::Receive(self.told(delivery));
        for fact in self.repository.decide(&command).unwrap() {
            self.repository = std::mem::take(&mut self.repository).evolve(&fact);
            let cause = self.story.state("repository", fact);
            if let Delivery::Push(number) = delivery {
                self.commits.insert(BuildId::of(cause, site("docs")), number);
            }
        }
    }

    fn told(&self, delivery: Delivery) -> repository::Delivery {
        let repository = "https://git.example/docs.git".parse().unwrap();
        let (branch, id) = (self.branch.clone(), format!("{delivery:?}"));
        let (before, change) = match delivery {
            Delivery::Push(number) => {
                let change = repository::Change::Pushed {
                    commit: commit(number),
                    summary: String::new(),
                    skip: false,
                    paths: None,
                };
                ((number > 1).then(|| commit(number - 1)), change)
            }
            Delivery::Delete(number) => (Some(commit(number)), repository::Change::Deleted),
        };
        repository::Delivery { id, repository, branch, before, change, site: None, pull_request: None }
    }

    /// Says what is decided; an append fails where `fails` says so, and is decided anew in the next round.
    fn round(&mut self, fails: &mut impl FnMut() -> bool) -> bool {
        let decisions = schedule(&self.story.queue, &limits(9, 9, 9), self.story.now);
        let rest = decisions.is_empty();
        for decision in decisions {
            if !fails() {
                self.say(decision);
            }
        }
        rest
    }

    /// A decision is stored.
    pub(super) fn say(&mut self, decision: Decision) {
        match decision {
            Decision::Build(id, command, _) => {
                self.story.build(id, &command);
                if let Some(job) = self.story.aggregates[&id].job() {
                    self.jobs.insert(id, job.clone());
                }
            }
            Decision::Alias(_, _, command, _) => self.move_alias(&command, 0),
            Decision::Site(id, command, _) => panic!("{id} was not deleted: {command:?}"),
            Decision::DeleteSite(id, _) => panic!("{id} is in no sandbox"),
            Decision::Schedule(due) | Decision::Expire(due) => panic!("nothing is scheduled: {due:?}"),
            Decision::Organization(id, command, _) => panic!("{id} is no sandbox: {command:?}"),
        }
    }

    /// The alias hears a command; if it follows it shows this from now on.
    fn move_alias(&mut self, command: &alias::Command, shows: usize) {
        for fact in self.alias.decide(command).unwrap_or_default() {
            self.alias = std::mem::take(&mut self.alias).evolve(&fact);
            self.shown.push(shows);
            self.story.state("alias", fact);
        }
    }

    /// A build ends and its deploy asks for the alias, as often as it is delivered.
    fn publish(&mut self, id: BuildId, deliveries: usize) {
        self.story.finish(id);
        for _ in 0..deliveries {
            self.promote(id);
        }
    }

    /// The deploy of a build that ended asks for the alias.
    pub(super) fn promote(&mut self, id: BuildId) {
        let build::Job { site, alias, number, source_sequence, commit, .. } = self.jobs[&id].clone();
        let deploy = DeployId::of(id);
        let command = alias::Command::Promote { site, alias, deploy, number, source_sequence, claim: Claim::Built };
        let shows = commit.map(|commit| usize::from_str_radix(commit.as_str(), 16).unwrap());
        self.move_alias(&command, shows.unwrap());
    }
}

/// Six pushes in the order in which they arrive: stretches of them overtake each other.
fn arrivals() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec((1usize..4, any::<bool>()), 6).prop_map(|stretches| {
        let (mut order, mut next) = (Vec::new(), 1);
        for (length, overtakes) in stretches {
            let mut stretch: Vec<usize> = (next..=(next + length - 1).min(6)).collect();
            next += stretch.len();
            if overtakes {
                stretch.reverse();
            }
            order.extend(stretch);
        }
        order
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn the_newest_source_goes_live_and_nothing_older_after_it(
        order in arrivals(),
        failures in proptest::collection::vec(any::<bool>(), 1..60),
        picks in proptest::collection::vec((0usize..6, 1usize..3, any::<bool>()), 60),
    ) {
        let mut branches = Branches::new("main");
        let (mut failures, mut picks) = (failures.into_iter(), picks.into_iter());
        let mut fails = move || failures.next().unwrap_or(false);
        let mut arriving = order.into_iter().peekable();
        loop {
            let (pick, deliveries, wait) = picks.next().unwrap_or((0, 1, false));
            if let Some(number) = arriving.next_if(|_| !wait) {
                branches.hear(Delivery::Push(number));
            }
            let rest = branches.round(&mut fails);
            let active = branches.story.active();
            if let Some(id) = active.get(pick % active.len().max(1)).copied() {
                branches.publish(id, deliveries);
            } else if rest && arriving.peek().is_none() {
                break;
            }
        }
        prop_assert_eq!(branches.shown.last(), Some(&6), "shown {:?}", branches.shown);
        prop_assert!(branches.shown.is_sorted(), "an older commit went live: {:?}", branches.shown);
    }
}
