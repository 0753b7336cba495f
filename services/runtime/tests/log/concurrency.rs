//! Many writers, one aggregate: somebody wins, nothing is lost.

use crate::world::{World, alias_id, cause, create, history, promoted, push, within};
use events::{Alias, AliasEvent, Event, Repository, Site};
use futures::future::join_all;
use runtime::ExecuteError;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_eight_processes_that_create_one_site_exactly_one_wins() {
    let world = World::start().await;
    let logs = join_all((0..8).map(|_| world.log("web"))).await;
    for round in 0..50 {
        let name = format!("site-{round}");
        let tries = logs
            .iter()
            .enumerate()
            .map(async |(index, log)| log.execute::<Site>(&name, &create(&format!("org-{index}")), &cause()).await);
        let ended = within(join_all(tries)).await;
        let (won, lost): (Vec<_>, Vec<_>) = ended.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1, "round {round}");
        assert!(lost.iter().all(|error| matches!(error, Err(ExecuteError::Refused(_)))), "{lost:?}");
        assert_eq!(won[0].as_ref().unwrap()[0].sequence, round + 1);
    }
    assert_eq!(logs[0].last_sequence().await.unwrap(), 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_promotions_form_one_chain() {
    let world = World::start().await;
    let logs = join_all((0..8).map(|_| world.log("syncer"))).await;
    let mut stated = 0;
    for round in 0..50 {
        let tries = logs.iter().zip(1..).map(|(log, index)| promoted(log, round * 8 + index));
        stated += within(join_all(tries)).await.iter().flatten().flatten().count();
    }
    let chain = history(&world.log("projector").await).await;
    assert_eq!(chain.len(), stated);
    let mut shown = None;
    let mut newest = 0;
    for fact in &chain {
        let Event::Alias(AliasEvent::Promoted { deploy, number, previous, .. }) = &fact.event else {
            panic!("{fact:?}")
        };
        assert_eq!(previous, &shown);
        assert!(*number > newest);
        (shown, newest) = (Some(deploy.clone()), *number);
    }
    for log in &logs {
        assert_eq!(log.load::<Alias>(&alias_id()).await.unwrap().state.newest, 400);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_in_one_process_does_not_wear_itself_out() {
    let world = World::start().await;
    let log = world.log("web").await;
    log.execute::<Repository>("docs", &push("first"), &cause()).await.unwrap();
    let pushes: Vec<_> = (0..100).map(|index| push(&index.to_string())).collect();
    let crowd =
        pushes.iter().map(async |push| log.execute::<Repository>("docs", push, &cause()).await.unwrap().remove(0));
    let mut sequences: Vec<u64> = within(join_all(crowd)).await.iter().map(|fact| fact.sequence).collect();
    sequences.sort_unstable();
    assert_eq!(sequences, (2..=101).collect::<Vec<_>>());
}
