//! Random legal histories, made by the aggregates themselves: wherever the batches are cut, the model is the same.

use crate::database::{Database, place};
use crate::fixture::{Story, commit, site_id};
use crate::rebuild::begin;
use events::build::{self, Build};
use events::{
    Aggregate, Alias, AliasName, BuildId, Deploy, DeployEvent, DeployId, Outcome, Recorded, Site, alias, deploy, site,
};
use projections::Applied;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeMap;

const SITES: [&str; 2] = ["docs", "blog"];

/// What somebody tries; most attempts are refused by the aggregate and then tell nothing.
#[derive(Debug, Clone)]
enum Attempt {
    Create(usize),
    Change(usize),
    Delete(usize),
    Request(usize),
    Queue(usize),
    Dispatch(usize),
    Start(usize),
    Finish(usize, bool),
    Cancel(usize),
    Archive(usize),
    Sync(usize),
    Promote(usize, bool),
    Mirror(usize),
    Remove(usize),
    Nonsense,
}

fn attempts() -> impl Strategy<Value = Vec<Attempt>> {
    let (site, build) = (0..SITES.len(), 0..5usize);
    let one = prop_oneof![
        2 => site.clone().prop_map(Attempt::Create),
        1 => site.clone().prop_map(Attempt::Change),
        1 => site.clone().prop_map(Attempt::Delete),
        2 => site.clone().prop_map(Attempt::Request),
        4 => site.clone().prop_map(Attempt::Queue),
        4 => build.clone().prop_map(Attempt::Dispatch),
        5 => build.clone().prop_map(Attempt::Start),
        5 => (build.clone(), any::<bool>()).prop_map(|(build, good)| Attempt::Finish(build, good)),
        1 => build.clone().prop_map(Attempt::Cancel),
        3 => build.clone().prop_map(Attempt::Archive),
        4 => build.clone().prop_map(Attempt::Sync),
        4 => (build.clone(), any::<bool>()).prop_map(|(build, chosen)| Attempt::Promote(build, chosen)),
        3 => build.prop_map(Attempt::Mirror),
        1 => site.prop_map(Attempt::Remove),
        1 => Just(Attempt::Nonsense),
    ];
    proptest::collection::vec(one, 1..120)
}

/// The aggregates of a little platform, and the log they tell.
#[derive(Default)]
struct Platform {
    story: Story,
    log: Vec<Applied>,
    sites: BTreeMap<usize, Site>,
    builds: Vec<(usize, BuildId, Build)>,
    deploys: BTreeMap<DeployId, Deploy>,
    aliases: BTreeMap<usize, Alias>,
}

fn decide<A: Aggregate>(state: &mut A, command: &A::Command) -> Vec<A::Fact> {
    let facts = state.decide(command).unwrap_or_default();
    *state = facts.iter().fold(state.clone(), A::evolve);
    facts
}

impl Platform {
    fn tell<F: Into<events::Event>>(&mut self, subject: &str, facts: Vec<F>) {
        for fact in facts {
            let recorded: Recorded = self.story.tell(subject, "service:test", fact);
            self.log.push(Applied::Fact(recorded));
        }
    }

    fn ask(&mut self, index: usize, command: &build::Command) {
        let Some((_, id, build)) = self.builds.get_mut(index) else { return };
        let (id, facts) = (*id, decide(build, command));
        self.tell(&id.to_string(), facts);
    }

    fn attempt(&mut self, attempt: &Attempt) {
        match *attempt {
            Attempt::Create(index) => self.about_site(index, &site::Command::Create(new(SITES[index]))),
            Attempt::Change(index) => self.change(index),
            Attempt::Request(index) => self.request(index),
            Attempt::Delete(index) => self.delete(index),
            Attempt::Queue(index) => {
                let id = self.story.next_build();
                self.builds.push((index, id, Build::default()));
                let number = u64::try_from(self.builds.len()).unwrap();
                self.ask(self.builds.len() - 1, &build::Command::Queue(job(SITES[index], number)));
            }
            Attempt::Dispatch(index) => self.ask(index, &build::Command::Dispatch),
            Attempt::Start(index) => self.ask(index, &build::Command::Start { worker: format!("launcher-{index}") }),
            Attempt::Finish(index, good) => {
                let outcome = if good { Outcome::Success } else { Outcome::Timeout };
                self.ask(index, &build::Command::Finish(report(outcome)));
            }
            Attempt::Cancel(index) => {
                self.ask(index, &build::Command::Cancel { reason: "enough".to_owned(), superseded_by: None });
            }
            Attempt::Archive(index) => {
                self.ask(index, &build::Command::ArchiveLog { key: "logs/1".to_owned(), bytes: 7 });
            }
            Attempt::Sync(index) => self.about_deploy(index, true),
            Attempt::Mirror(index) => self.about_deploy(index, false),
            Attempt::Promote(index, chosen) => self.promote(index, chosen),
            Attempt::Remove(index) => {
                let command = alias::Command::Remove { site: site_id(SITES[index]), alias: AliasName::Live };
                self.about_alias(index, &command);
            }
            Attempt::Nonsense => {
                // Takes a place in the log, as whatever cannot be read does.
                let sequence = self.story.site_created("nonsense").sequence;
                self.log.push(Applied::Poison { position: place(sequence), reason: "no JSON".to_owned() });
            }
        }
    }

    fn change(&mut self, index: usize) {
        let Some(Site::Active(active)) = self.sites.get(&index).cloned() else { return };
        let (seen, branch) = (active.version, format!("v{}", active.version).parse().unwrap());
        let settings = events::SiteSettings { branch, ..active.settings };
        self.about_site(
            index,
            &site::Command::Change(site::Change { name: active.name, settings, passwords: Default::default(), seen }),
        );
    }

    fn delete(&mut self, index: usize) {
        let seen = match self.sites.get(&index) {
            Some(Site::Active(active)) => active.version,
            Some(Site::Unknown | Site::Deleted(_) | Site::Erased(_)) | None => 0,
        };
        self.about_site(index, &site::Command::Delete { seen });
    }

    /// Asked for by a person; the scheduler may queue it later.
    fn request(&mut self, index: usize) {
        let id = self.story.next_build();
        self.builds.push((index, id, Build::default()));
        let (site, branch) = (site_id(SITES[index]), "fix".parse().unwrap());
        self.ask(
            self.builds.len() - 1,
            &build::Command::Request {
                site,
                branch,
                commit: None,
                upload: None,
                pull_request: None,
                clear_cache: false,
            },
        );
        if index == 0 {
            let number = u64::try_from(self.builds.len()).unwrap();
            self.ask(self.builds.len() - 1, &build::Command::Queue(job(SITES[index], number)));
        }
    }

    fn about_site(&mut self, index: usize, command: &site::Command) {
        let facts = decide(self.sites.entry(index).or_default(), command);
        self.tell(&site_id(SITES[index]).to_string(), facts);
    }

    fn about_deploy(&mut self, index: usize, sync: bool) {
        let Some((site, id, _)) = self.builds.get(index).cloned() else { return };
        let mut scratch = Story::default();
        let number = u64::try_from(index).unwrap() + 1;
        let made = if sync { scratch.synced(SITES[site], id, number) } else { scratch.mirrored(SITES[site], id) };
        let events::Event::Deploy(fact) = made.event else { return };
        let facts = decide(self.deploys.entry(DeployId::of(id)).or_default(), &asked(fact));
        self.tell(DeployId::of(id).as_str(), facts);
    }

    fn promote(&mut self, index: usize, chosen: bool) {
        let Some((site, id, _)) = self.builds.get(index).cloned() else { return };
        let claim = if chosen { alias::Claim::Chosen { expected: None } } else { alias::Claim::Built };
        let number = u64::try_from(index).unwrap() + 1;
        let (deploy, alias, source_sequence) = (DeployId::of(id), AliasName::Live, number);
        let command =
            alias::Command::Promote { site: site_id(SITES[site]), alias, deploy, number, source_sequence, claim };
        self.about_alias(site, &command);
    }

    fn about_alias(&mut self, index: usize, command: &alias::Command) {
        let facts = decide(self.aliases.entry(index).or_default(), command);
        self.tell(&format!("{}/live", site_id(SITES[index])), facts);
    }
}

fn new(name: &str) -> site::New {
    let settings = events::SiteSettings {
        repository: "https://github.com/acme/docs".parse().unwrap(),
        branch: "main".parse().unwrap(),
        demo_branch: None,
        engine: events::SiteEngine::Hugo,
        building: events::Building::default(),
        serving: events::event::Serving::default(),
    };
    site::New {
        name: name.parse().unwrap(),
        organization: events::OrganizationId(uuid::Uuid::nil()),
        settings,
        passwords: Default::default(),
    }
}

fn job(site: &str, number: u64) -> build::Job {
    build::Job {
        site: site_id(site),
        number,
        source_sequence: number,
        repository: "https://github.com/acme/docs".parse().unwrap(),
        branch: "main".parse().unwrap(),
        alias: AliasName::Live,
        commit: Some(commit()),
        engine: events::SiteEngine::Hugo,
        lane: events::Lane::Low,
        summary: format!("build {number}"),
        upload: None,
        recipe: Default::default(),
        pull_request: None,
        cache_from: None,
    }
}

fn report(outcome: Outcome) -> build::Report {
    build::Report {
        attempt: 0,
        commit: None,
        outcome,
        reason: "so".to_owned(),
        hint: None,
        artifact: None,
        duration_ms: 5,
        steps: Vec::new(),
        resources: None,
    }
}

#[test]
fn wherever_a_legal_history_is_cut_the_model_is_the_same() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(Database::new());
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let cuts = proptest::collection::vec(1..20usize, 1..40);
    runner
        .run(&(attempts(), cuts), |(attempts, cuts)| {
            let mut platform = Platform::default();
            attempts.iter().for_each(|attempt| platform.attempt(attempt));
            let whole = vec![platform.log.len().max(1)];
            let rebuilt = |rows, sizes| runtime.block_on(rebuilt(&database, &platform.log, rows, sizes));
            let expected = rebuilt(Rows::InTables, &whole);
            prop_assert_eq!(&expected, &rebuilt(Rows::InTables, &cuts));
            prop_assert_eq!(&expected, &rebuilt(Rows::InMemory, &cuts));
            Ok(())
        })
        .unwrap();
}

/// Where a model has its rows between two batches.
enum Rows {
    /// As the live one.
    InTables,
    InMemory,
}

/// The digest of a model that took `log` in batches of these sizes, over and over.
async fn rebuilt(database: &Database, log: &[Applied], rows: Rows, sizes: &[usize]) -> BTreeMap<&'static str, String> {
    let mut rebuild = begin(database).await;
    if matches!(rows, Rows::InTables) {
        rebuild.begin_again().await.unwrap();
    }
    let mut rest = log;
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (batch, later) = rest.split_at((*size).min(rest.len()));
        rebuild.apply(batch).await.unwrap();
        rest = later;
    }
    rebuild.finish_indexes().await.unwrap();
    rebuild.model().digest().await.unwrap()
}

/// The command that leads to a fact.
fn asked(fact: DeployEvent) -> deploy::Command {
    match fact {
        DeployEvent::Mirrored { site, alias, written, removed } => {
            deploy::Command::Mirror { site, alias, written, removed }
        }
        DeployEvent::Synced(synced) => deploy::Command::Sync(synced),
        DeployEvent::Collected { keeping, .. } => deploy::Command::Collect { keeping },
    }
}
