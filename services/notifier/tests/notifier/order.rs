//! Who is told when: each receiver in order, none because of another, and each once whoever dies.

use crate::receiver::Receiver;
use crate::world::World;
use events::receiver::{Command, Occasion};
use events::{BuildId, ReceiverId};
use serde_json::json;

/// The builds that a receiver was told of, in the order in which it was.
async fn told(receiver: &mut Receiver, count: usize) -> Vec<u64> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        numbers.push(receiver.next().await.json()["data"]["build"]["number"].as_u64().unwrap());
    }
    numbers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_away_delays_nobody_and_is_told_everything_in_order_when_it_is_back() {
    let (world, mut alive) = (World::start().await, Receiver::start().await);
    let dead = Receiver::start().await;
    let (address, url) = (dead.address, dead.url());
    drop(dead);
    let away = world.receiver(&url, &[Occasion::BuildQueued]).await;
    let there = world.receiver(&alive.url(), &[Occasion::BuildQueued]).await;
    let _running = world.notify().await;
    for number in 1..=4 {
        world.queued(number).await;
    }
    assert_eq!(told(&mut alive, 4).await, [1, 2, 3, 4]);
    assert!(world.settled(there, 4).await.iter().all(|(arrived, noticed)| *arrived && noticed.tries == 1));

    let mut back = Receiver::start_at(address).await;
    assert_eq!(told(&mut back, 4).await, [1, 2, 3, 4]);
    let settled = world.settled(away, 4).await;
    assert!(settled.iter().all(|(arrived, _)| *arrived) && settled[0].1.tries > 1, "{settled:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_in_trouble_is_tried_again_before_it_is_told_anything_newer() {
    let (world, mut receiver) = (World::start().await, Receiver::start().await);
    let id = world.receiver(&receiver.url(), &[Occasion::BuildQueued]).await;
    let _running = world.notify().await;
    receiver.answers(503);
    world.queued(1).await;
    world.queued(2).await;
    assert_eq!(told(&mut receiver, 3).await, [1, 1, 1]);
    receiver.answers(204);
    let settled = world.settled(id, 2).await;
    assert!(settled[0].1.tries > 3 && settled[0].1.sequence < settled[1].1.sequence, "{settled:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_over_tells_what_was_not_told_and_nothing_twice() {
    let (world, mut receiver) = (World::start().await, Receiver::start().await);
    let id = world.receiver(&receiver.url(), &[Occasion::BuildQueued]).await;
    let first = world.notify().await;
    world.queued(1).await;
    assert_eq!(told(&mut receiver, 1).await, [1]);
    world.settled(id, 1).await;
    receiver.answers(503);
    world.queued(2).await;
    assert_eq!(told(&mut receiver, 1).await, [2]);
    first.kill();
    world.queued(3).await;
    // Its lease is good for a while, and what is tried meanwhile is not.
    receiver.answers(204);
    while receiver.has_more() {}
    let _second = world.notify().await;
    assert_eq!(told(&mut receiver, 2).await, [2, 3]);
    let settled = world.settled(id, 3).await;
    assert!(settled.iter().all(|(arrived, _)| *arrived), "{settled:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_was_removed_is_told_no_more_even_of_what_waited() {
    let (world, mut receiver) = (World::start().await, Receiver::start().await);
    let id: ReceiverId = world.receiver(&receiver.url(), &[Occasion::BuildQueued]).await;
    let _running = world.notify().await;
    receiver.answers(503);
    let _: BuildId = world.queued(1).await;
    receiver.next().await;
    world.ask(Command::Remove(id)).await;
    let other = world.receiver(&receiver.url(), &[Occasion::BuildFailed]).await;
    receiver.answers(204);
    while receiver.has_more() {}
    let build = world.queued(2).await;
    world.failed(build).await;
    world.settled(other, 1).await;
    let mut types = Vec::new();
    while types.last() != Some(&json!("build_failed")) {
        types.push(receiver.next().await.json()["type"].clone());
    }
    // A try that was under way when it was removed may have ended since.
    assert!(types.len() <= 2, "{types:?}");
}
