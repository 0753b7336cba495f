//! One holder at a time, a successor in time.

use crate::world::{World, within};
use runtime::lease::Lease;
use runtime::streams::LEASE_TTL;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

async fn acquire(world: &World, holder: &str) -> Lease {
    let connection = world.connection("scheduler").await;
    let lease = Lease::acquire(&connection, ("scheduler", holder), &CancellationToken::new()).await;
    lease.unwrap()
}

async fn is_held(world: &World) -> bool {
    let (connection, stop) = (world.connection("scheduler").await, CancellationToken::new());
    let waiting = Lease::acquire(&connection, ("scheduler", "curious"), &stop);
    let answered = tokio::time::timeout(Duration::from_millis(700), waiting).await;
    stop.cancel();
    answered.is_err()
}

#[tokio::test]
async fn a_lease_released_is_free_at_once() {
    let world = World::start().await;
    let first = acquire(&world, "first").await;
    assert!(is_held(&world).await);
    within(first.release()).await;
    let asked = Instant::now();
    let _second = within(acquire(&world, "second")).await;
    assert!(asked.elapsed() < Duration::from_millis(700), "{:?}", asked.elapsed());
}

#[tokio::test]
async fn whoever_waits_ends_when_it_is_asked_to() {
    let world = World::start().await;
    let _first = acquire(&world, "first").await;
    let (connection, stop) = (world.connection("scheduler").await, CancellationToken::new());
    stop.cancel();
    let waiting = Lease::acquire(&connection, ("scheduler", "second"), &stop);
    assert!(within(waiting).await.is_none());
}

/// The process dies with all its tasks, so nothing is renewed and nothing is given up.
#[tokio::test]
async fn a_successor_takes_over_when_the_holder_falls_silent() {
    let world = World::start().await;
    let process = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let connecting = world.config("scheduler", world.port());
    let first = process.spawn(async move {
        let connection = runtime::Connection::open(&connecting).await.unwrap();
        let never = CancellationToken::new();
        Lease::acquire(&connection, ("scheduler", "first"), &never).await.unwrap()
    });
    let first = first.await.unwrap();
    assert!(is_held(&world).await);
    process.shutdown_background();
    let silent = Instant::now();
    let _second = within(acquire(&world, "second")).await;
    assert!(silent.elapsed() < LEASE_TTL + Duration::from_secs(2), "{:?}", silent.elapsed());
    assert!(silent.elapsed() > LEASE_TTL / 2, "{:?}", silent.elapsed());
    drop(first);
}

#[tokio::test]
async fn a_holder_that_cannot_renew_stops_before_another_may_begin() {
    let world = World::start().await;
    let lease = acquire(&world, "first").await;
    world.signal("-STOP");
    let silent = Instant::now();
    within(lease.lost().cancelled()).await;
    assert!(silent.elapsed() < LEASE_TTL, "{:?}", silent.elapsed());
    world.signal("-CONT");
}

#[tokio::test]
async fn a_short_silence_of_the_server_does_not_cost_the_lease() {
    let world = World::start().await;
    let lease = acquire(&world, "first").await;
    // The renewal sent into the silence is stored and not answered in time.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    world.signal("-STOP");
    tokio::time::sleep(Duration::from_millis(5800)).await;
    world.signal("-CONT");
    let lost = tokio::time::timeout(Duration::from_secs(3), lease.lost().cancelled_owned()).await;
    assert!(lost.is_err());
    assert!(is_held(&world).await);
}
