//! What the queue remembers of deleted branches is as good as their names, whatever happens.

use super::*;
use crate::branches::{Arrival, Branches, Push};
use events::{Branch, CommitId};
use std::collections::BTreeSet;

const BRANCHES: [&str; 5] = ["main", "next", "fix", "fix/title", "größe"];

/// Something that is told of a site or its repository.
#[derive(Debug, Clone)]
enum Told {
    Pushed { branch: usize, before: Option<usize>, commit: usize },
    Deleted { branch: usize, before: Option<usize> },
    Promoted { branch: usize },
    Requested { branch: usize },
    Moved { repository: usize, published: usize },
    Settled,
}

fn told() -> impl Strategy<Value = Told> {
    let (branch, commit) = (|| 0..BRANCHES.len(), || 0..4_usize);
    prop_oneof![
        4 => (branch(), proptest::option::of(commit()), commit())
            .prop_map(|(branch, before, commit)| Told::Pushed { branch, before, commit }),
        4 => (branch(), proptest::option::of(commit())).prop_map(|(branch, before)| Told::Deleted { branch, before }),
        3 => branch().prop_map(|branch| Told::Promoted { branch }),
        2 => branch().prop_map(|branch| Told::Requested { branch }),
        1 => (0..2_usize, 0..2_usize).prop_map(|(repository, published)| Told::Moved { repository, published }),
        1 => Just(Told::Settled),
    ]
}

fn branch(index: usize) -> Branch {
    BRANCHES[index].parse().unwrap()
}

fn commit(index: usize) -> CommitId {
    format!("{index:040x}").parse().unwrap()
}

/// The same by names, none of which is ever forgotten.
struct Names {
    settings: SiteSettings,
    branches: Branches,
    gone: BTreeSet<Branch>,
}

impl Names {
    fn hear(&mut self, told: &Told, now: OffsetDateTime) {
        match told {
            Told::Pushed { branch: index, before, commit: made } => {
                let (branch, before, made) = (branch(*index), before.map(commit), commit(*made));
                match self.branches.push(&branch, &Push { before: before.as_ref(), commit: &made }, now) {
                    Arrival::Newest | Arrival::Behind(_) => drop(self.gone.remove(&branch)),
                    Arrival::Gone => self.lose(&branch),
                    Arrival::Late => {}
                }
            }
            Told::Deleted { branch: index, before } => {
                let (branch, before) = (branch(*index), before.map(commit));
                if self.branches.delete(&branch, before.as_ref(), now) {
                    self.lose(&branch);
                }
            }
            Told::Moved { .. } => {
                let former = std::mem::replace(&mut self.settings, moved(told).unwrap());
                if former.repository != self.settings.repository {
                    self.gone.clear();
                    self.branches = Branches::default();
                }
            }
            Told::Promoted { .. } | Told::Requested { .. } | Told::Settled => {}
        }
    }

    fn lose(&mut self, branch: &Branch) {
        if matches!(self.settings.alias_of(branch), AliasName::Preview(_)) {
            self.gone.insert(branch.clone());
        }
    }
}

fn moved(told: &Told) -> Option<SiteSettings> {
    let Told::Moved { repository, published } = told else { return None };
    let repository = ["https://git.example/docs", "https://git.example/handbook"][*repository];
    Some(SiteSettings { branch: branch(*published), ..settings(repository) })
}

/// The facts that tell it, in a log where the site is built from `repository`.
fn state(story: &mut Story, told: &Told, names: &Names) {
    let (delivery, repository) = (story.sequence.to_string(), names.settings.repository.clone());
    match told.clone() {
        Told::Pushed { branch: index, before, commit: made } => {
            let (branch, before, commit) = (branch(index), before.map(commit), commit(made));
            let summary = "text".to_owned();
            let push = RepositoryEvent::PushReceived {
                repository,
                branch,
                before,
                commit,
                summary,
                delivery,
                skip: false,
                paths: None,
                site: None,
                pull_request: None,
            };
            story.state("repository", push);
        }
        Told::Deleted { branch: index, before } => {
            let (branch, before) = (branch(index), before.map(commit));
            story.state(
                "repository",
                RepositoryEvent::BranchDeleted { repository, branch, before, delivery, site: None, pull_request: None },
            );
        }
        Told::Promoted { branch } => story.promote_preview("docs", BRANCHES[branch]),
        Told::Requested { branch: index } => {
            let (build, branch) = (BuildId(Uuid::from_u128(1 << 64 | u128::from(story.sequence))), branch(index));
            story.build(
                build,
                &build::Command::Request {
                    site: site("docs"),
                    branch,
                    commit: None,
                    upload: None,
                    pull_request: None,
                    clear_cache: false,
                },
            );
        }
        Told::Moved { .. } => {
            let settings = moved(told).unwrap();
            story.state(&site("docs").to_string(), SiteEvent::SettingsChanged { settings });
        }
        Told::Settled => {
            story.settle(&limits(9, 9, 9));
            story.queue = read_back(&story.queue);
        }
    }
}

/// What is to be said because a branch is gone.
fn because_it_is_gone(queue: &Queue) -> (BTreeSet<Branch>, BTreeSet<BuildId>) {
    let removed = queue.removals.values().flat_map(|branches| branches.keys().cloned()).collect();
    let ended = queue.ends.iter().filter(|(_, end)| **end == End::BranchDeleted).map(|(id, _)| *id).collect();
    (removed, ended)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn what_is_decided_of_deleted_branches_is_what_their_names_would_tell(history in proptest::collection::vec(told(), 1..80)) {
        let mut story = Story::new();
        story.site("docs", "acme");
        let settings = story.queue.sites.get(&site("docs")).unwrap().settings.clone();
        let mut names = Names { settings, branches: Branches::default(), gone: BTreeSet::new() };
        for told in history {
            let before = because_it_is_gone(&story.queue);
            state(&mut story, &told, &names);
            names.hear(&told, story.now);
            let known = story.queue.sites.get(&site("docs")).unwrap();
            for branch in (0..BRANCHES.len()).map(branch) {
                prop_assert_eq!(known.gone.contains(&branch), names.gone.contains(&branch), "{} after {:?}", branch, told);
            }
            let (removed, ended) = because_it_is_gone(&story.queue);
            if let Told::Promoted { branch: index } = told {
                let is_due = names.gone.contains(&branch(index)) || before.0.contains(&branch(index));
                prop_assert_eq!(removed.contains(&branch(index)), is_due);
            }
            for id in ended.difference(&before.1) {
                let build = story.queue.builds.get(id).unwrap();
                prop_assert!(names.gone.contains(&build.branch), "a build of {} is ended", build.branch);
            }
        }
    }
}
