//! What was acknowledged is there after a crash.

use crate::world::{World, history, site};

#[tokio::test]
async fn facts_survive_a_crash_right_after_their_acknowledgement() {
    let mut world = World::start().await;
    let log = world.log("web").await;
    for round in 1..=3 {
        let mut said = Vec::new();
        for index in 0..10 {
            said.push(site(&log, &format!("site-{round}-{index}")).await);
        }
        world.kill().await;
        world.revive().await;
        let facts = history(&world.log("projector").await).await;
        assert_eq!(facts.len(), round * 10);
        assert_eq!(facts[(round - 1) * 10..], said);
    }
}
