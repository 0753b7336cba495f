//! A decision: state, command, facts, once.

use crate::world::{World, cause, create, found, history, settings, site};
use events::build::{self, Job};
use events::{
    Aggregate, AliasName, Build, Cause, Event, Lane, Organization, Refusal, RepositoryEvent, Site, SiteEngine,
    SiteEvent, SiteId, ids, site as sites,
};
use runtime::ExecuteError;
use std::time::Duration;

#[tokio::test]
async fn what_was_decided_is_the_state_everywhere() {
    let world = World::start().await;
    let (here, elsewhere) = (world.log("web").await, world.log("syncer").await);
    let recorded = site(&here, "docs").await;
    assert_eq!((recorded.sequence, recorded.envelope.source.as_str()), (1, "/pagefold/web"));
    assert_eq!(recorded.envelope.correlation, recorded.envelope.id);
    for log in [&here, &elsewhere] {
        let loaded = log.load::<Site>("docs").await.unwrap();
        assert_eq!((loaded.state, loaded.sequence), (Site::default().fold(&recorded.event), 1));
        assert_eq!(log.fact(1).await.unwrap().as_ref(), Some(&recorded));
        assert_eq!(log.fact(2).await.unwrap(), None);
        assert_eq!(log.load::<Site>("blog").await.unwrap().state, Site::Unknown);
    }
}

#[tokio::test]
async fn a_command_carried_out_again_appends_nothing() {
    let world = World::start().await;
    let (first, second) = (world.log("web").await, world.log("web").await);
    assert_eq!(first.execute::<Organization>("acme", &found(), &cause()).await.unwrap().len(), 1);
    for log in [&first, &second] {
        assert_eq!(log.execute::<Organization>("acme", &found(), &cause()).await.unwrap(), []);
    }
    assert_eq!(first.last_sequence().await.unwrap(), 1);
}

/// What there is to build.
fn job() -> Job {
    Job {
        site: SiteId(uuid::Uuid::nil()),
        number: 1,
        source_sequence: 1,
        repository: settings().repository,
        branch: settings().branch,
        alias: AliasName::Live,
        commit: None,
        engine: SiteEngine::Static,
        lane: Lane::High,
        summary: "Fix the title".to_owned(),
        upload: None,
        recipe: Default::default(),
        pull_request: None,
        cache_from: None,
    }
}

#[tokio::test]
async fn one_cause_leads_to_one_fact_even_when_the_domain_would_say_it_again() {
    let world = World::start().await;
    let log = world.log("launcher").await;
    log.execute::<Build>("1", &build::Command::Queue(job()), &cause()).await.unwrap();
    let dispatched = log.execute::<Build>("1", &build::Command::Dispatch, &cause()).await.unwrap().remove(0);
    let cause = Cause::from_fact(&dispatched, "launcher");
    // A launcher that asks for a build that runs begins the next attempt.
    let start = build::Command::Start { worker: "one".to_owned() };
    let said = log.execute::<Build>("1", &start, &cause).await.unwrap();
    let id = ids::derived(dispatched.envelope.id, "1", "build.started.v1", 0);
    assert_eq!((said[0].envelope.id, said[0].envelope.causation), (id, Some(dispatched.envelope.id)));
    // Another fact comes between, so that the repetition does not even conflict.
    log.execute::<Build>("1", &start, &crate::world::cause()).await.unwrap();
    for log in [log.clone(), world.log("launcher").await] {
        assert_eq!(log.execute::<Build>("1", &start, &cause).await.unwrap(), []);
        // Whoever was told so stands where the log stands, not where the fact was.
        assert_eq!(log.load::<Build>("1").await.unwrap().sequence, 4);
    }
    assert_eq!(history(&world.log("projector").await).await.iter().filter(|fact| fact.envelope.id == id).count(), 1);
}

#[tokio::test]
async fn a_refusal_takes_what_other_processes_said_into_account() {
    let world = World::start().await;
    let (first, second) = (world.log("web").await, world.log("web").await);
    site(&first, "docs").await;
    let refused = second.execute::<Site>("docs", &create("other"), &cause()).await.unwrap_err();
    assert!(matches!(refused, ExecuteError::Refused(Refusal::SiteExists)), "{refused:?}");
    let change = |seen| {
        let (name, settings) = ("docs".parse().unwrap(), settings());
        sites::Command::Change(sites::Change { name, settings, passwords: Default::default(), seen })
    };
    assert_eq!(second.execute::<Site>("docs", &change(1), &cause()).await.unwrap(), []);
    first.execute::<Site>("docs", &sites::Command::Delete { seen: 1 }, &cause()).await.unwrap();
    // What the second process remembers would refuse this for another reason.
    let refused = second.execute::<Site>("docs", &change(7), &cause()).await.unwrap_err();
    assert!(matches!(refused, ExecuteError::Refused(Refusal::SiteNotFound)), "{refused:?}");
    assert_eq!(second.last_sequence().await.unwrap(), 2);
}

#[tokio::test]
async fn a_refusal_is_not_taken_from_memory() {
    let world = World::start().await;
    let (first, second) = (world.log("web").await, world.log("web").await);
    let refused = second.load::<Site>("docs").await.unwrap();
    assert_eq!((refused.state, refused.sequence), (Site::Unknown, 0));
    site(&first, "docs").await;
    let recorded = second.execute::<Site>("docs", &sites::Command::Delete { seen: 1 }, &cause()).await.unwrap();
    assert!(matches!(recorded[0].event, Event::Site(SiteEvent::Deleted {})), "{recorded:?}");
}

/// Deliveries of which only those of the last second count.
#[derive(Debug, Clone, Default, PartialEq)]
struct Lately(Vec<String>);

impl Aggregate for Lately {
    const KIND: &'static str = "repository";
    const REMEMBERS: Option<Duration> = Some(Duration::from_secs(1));
    type Command = String;
    type Fact = RepositoryEvent;

    fn narrow(event: &Event) -> Option<&RepositoryEvent> {
        if let Event::Repository(fact) = event { Some(fact) } else { None }
    }

    fn decide(&self, delivery: &String) -> Result<Vec<RepositoryEvent>, Refusal> {
        let (repository, branch, delivery) = (settings().repository, settings().branch, delivery.clone());
        let known = self.0.contains(&delivery);
        Ok(if known {
            vec![]
        } else {
            vec![RepositoryEvent::BranchDeleted {
                repository,
                branch,
                before: None,
                delivery,
                site: None,
                pull_request: None,
            }]
        })
    }

    fn evolve(mut self, fact: &RepositoryEvent) -> Self {
        if let RepositoryEvent::BranchDeleted { delivery, .. } = fact {
            self.0.push(delivery.clone());
        }
        self
    }
}

#[tokio::test]
async fn what_no_longer_counts_is_not_read_and_the_decision_still_stands_where_the_log_stands() {
    let world = World::start().await;
    let log = world.log("web").await;
    for delivery in ["one", "two"] {
        log.execute::<Lately>("docs", &delivery.to_owned(), &cause()).await.unwrap();
    }
    let remembered = world.log("web").await.load::<Lately>("docs").await.unwrap();
    assert_eq!((remembered.state.0.len(), remembered.sequence), (2, 2));
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let forgotten = world.log("web").await.load::<Lately>("docs").await.unwrap();
    assert_eq!((forgotten.state, forgotten.sequence), (Lately::default(), 2));
    let (first, second) = (world.log("web").await, world.log("web").await);
    let three = "three".to_owned();
    assert_eq!(first.execute::<Lately>("docs", &three, &cause()).await.unwrap().len(), 1);
    assert_eq!(second.execute::<Lately>("docs", &three, &cause()).await.unwrap(), []);
    let read = world.log("web").await.load::<Lately>("docs").await.unwrap();
    assert_eq!((read.state, read.sequence), (Lately(vec![three]), 3));
}
