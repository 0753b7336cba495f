//! Group commit: a burst is written together, and each caller is told its own.

use crate::world::{World, cause, create, history, push, within};
use events::repository::Command;
use events::{Event, Repository, RepositoryEvent, Site};
use futures::future::join_all;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_at_once_are_durable_and_each_knows_its_place() {
    let mut world = World::start().await;
    let log = world.log("web").await;
    let names: Vec<String> = (0..1000).map(|index| format!("site-{index}")).collect();
    let burst = names.iter().map(async |name| log.execute::<Site>(name, &create("acme"), &cause()).await.unwrap());
    let recorded: Vec<_> = within(join_all(burst)).await.into_iter().flatten().collect();
    assert_eq!(recorded.len(), 1000);
    world.kill().await;
    world.revive().await;
    let facts = history(&world.log("projector").await).await;
    assert_eq!(facts.len(), 1000);
    for fact in recorded {
        assert_eq!(facts[usize::try_from(fact.sequence).unwrap() - 1], fact);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_conflicts_spoils_no_other() {
    let world = World::start().await;
    let (log, other) = (world.log("web").await, world.log("web").await);
    let names: Vec<String> = (0..100).map(|index| format!("docs-{index}")).collect();
    for name in &names {
        log.execute::<Repository>(name, &push("1"), &cause()).await.unwrap();
    }
    // What `log` remembers of this one is out of date.
    other.execute::<Repository>("docs-50", &push("2"), &cause()).await.unwrap();
    let last = push("3");
    let burst =
        names.iter().map(async |name| log.execute::<Repository>(name, &last, &cause()).await.unwrap().remove(0));
    let recorded = within(join_all(burst)).await;
    let facts = history(&other).await;
    assert_eq!(facts.len(), 201);
    for fact in recorded {
        assert_eq!(facts[usize::try_from(fact.sequence).unwrap() - 1], fact);
    }
    assert_eq!(
        other.load::<Repository>("docs-50").await.unwrap().sequence,
        log.load::<Repository>("docs-50").await.unwrap().sequence
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_a_connection_loses_nothing_that_was_promised() {
    let world = World::start().await;
    let log = world.log("web").await;
    let (said, mut promises) = tokio::sync::mpsc::unbounded_channel();
    for index in 0..200 {
        let (log, said) = (log.clone(), said.clone());
        tokio::spawn(async move {
            if let Ok(recorded) = log.execute::<Site>(&format!("site-{index}"), &create("acme"), &cause()).await {
                said.send(recorded).unwrap();
            }
        });
    }
    let mut promised = promises.recv().await.unwrap();
    within(log.connection().close()).await;
    while let Ok(more) = promises.try_recv() {
        promised.extend(more);
    }
    let facts = history(&world.log("projector").await).await;
    assert!(promised.iter().all(|fact| facts.contains(fact)));
    assert!(!log.connection().is_up().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_at_one_aggregate_shares_appends_and_each_is_told_its_own() {
    let world = World::start().await;
    let log = world.log("web").await;
    log.execute::<Repository>("docs", &push("first"), &cause()).await.unwrap();
    // Each is asked for twice, and of two that are the same one leads to nothing.
    let pushes: Vec<_> = (0..400).map(|index| push(&(index / 2).to_string())).collect();
    let crowd = pushes.iter().map(async |push| log.execute::<Repository>("docs", push, &cause()).await.unwrap());
    let told = within(join_all(crowd)).await;
    let facts = history(&world.log("projector").await).await;
    assert_eq!(facts.len(), 201);
    for (pair, twice) in told.chunks(2).zip(pushes.chunks(2)) {
        let [own] = &pair.concat()[..] else { panic!("{pair:?}") };
        assert_eq!(&facts[usize::try_from(own.sequence).unwrap() - 1], own);
        let Command::Receive(asked) = &twice[0];
        let Event::Repository(RepositoryEvent::PushReceived { delivery, .. }) = &own.event else { panic!("{own:?}") };
        assert_eq!(*delivery, asked.id);
    }
    let appends = batches(&world, 2..=201).await;
    assert!(appends < 40, "{appends} appends of 200 facts");
}

/// How many appends brought the facts at these places.
async fn batches(world: &World, places: RangeInclusive<u64>) -> usize {
    let (raw, _errors) = world.raw("web").await;
    let mut batches = BTreeSet::new();
    for sequence in places {
        let asked = format!("{{\"seq\":{sequence}}}").into();
        let fact = raw.request("$JS.API.DIRECT.GET.EVENTS", asked).await.unwrap();
        let batch = fact.headers.unwrap().get("Nats-Batch-Id").map(ToString::to_string);
        batches.insert(batch.unwrap_or_else(|| sequence.to_string()));
    }
    batches.len()
}
