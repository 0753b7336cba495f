//! A fold's snapshot in the log's own object store.

use crate::world::{World, within};
use runtime::fold::Objects;

#[tokio::test]
async fn a_large_snapshot_is_kept_and_replaced() {
    let world = World::start().await;
    let home = Objects::new(world.connection("scheduler").await, "queue");
    assert_eq!(home.get().await.unwrap(), None);
    for round in 1..=3 {
        let snapshot = vec![round; 4 << 20];
        within(home.put(&snapshot)).await.unwrap();
        assert!(within(home.get()).await.unwrap() == Some(snapshot));
    }
}

#[tokio::test]
async fn a_server_that_cannot_answer_is_not_an_empty_shelf() {
    let mut world = World::start().await;
    let home = Objects::new(world.connection("scheduler").await, "queue");
    world.kill().await;
    assert!(within(home.get()).await.is_err());
}
