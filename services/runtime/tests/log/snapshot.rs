//! A fold's state, kept.

use crate::world::{World, within};
use runtime::snapshot::{Snapshot, load, save};

#[tokio::test]
async fn a_snapshot_comes_back_in_its_own_version_only() {
    let world = World::start().await;
    let scheduler = world.connection("scheduler").await;
    assert_eq!(load::<String>(&scheduler, "queue", 1).await.unwrap(), None);
    let snapshot = Snapshot { version: 1, sequence: 42, state: "state".to_owned() };
    save(&scheduler, "queue", &snapshot).await.unwrap();
    assert_eq!(load::<String>(&scheduler, "queue", 2).await.unwrap(), None);
    assert_eq!(load::<Vec<u64>>(&scheduler, "queue", 1).await.unwrap(), None);
    assert_eq!(load::<String>(&scheduler, "queue", 1).await.unwrap(), Some(snapshot));
}

#[tokio::test]
async fn a_large_state_is_kept_and_replaced() {
    let world = World::start().await;
    let scheduler = world.connection("scheduler").await;
    for sequence in 1..=3 {
        let state: Vec<u64> = (0..500_000).map(|index| index * sequence).collect();
        let snapshot = Snapshot { version: 1, sequence, state };
        assert!(serde_json::to_vec(&snapshot).unwrap().len() > 3 << 20);
        within(save(&scheduler, "queue", &snapshot)).await.unwrap();
        assert_eq!(within(load(&scheduler, "queue", 1)).await.unwrap(), Some(snapshot));
    }
}

#[tokio::test]
async fn a_server_that_cannot_answer_is_not_an_empty_shelf() {
    let mut world = World::start().await;
    let scheduler = world.connection("scheduler").await;
    world.kill().await;
    assert!(within(load::<String>(&scheduler, "queue", 1)).await.is_err());
}
