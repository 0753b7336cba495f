//! One holder at a time, a successor in time.

use crate::proxy::Proxy;
use crate::world::{World, within};
use async_nats::jetstream::{self, kv};
use runtime::Connection;
use runtime::lease::Lease;
use runtime::streams::LEASE_TTL;
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

/// What keys live in the stories that wait for the end of one.
const SHORT: Duration = Duration::from_secs(3);
/// A value that the [`Proxy`] takes for a fact.
const LONG_NAME: usize = 1000;

async fn acquire(world: &World, holder: &str) -> Lease {
    acquire_by(&world.connection("scheduler").await, holder).await
}

async fn acquire_by(connection: &Connection, holder: &str) -> Lease {
    let lease = Lease::acquire(connection, "scheduler", holder, &CancellationToken::new()).await;
    lease.unwrap()
}

/// The leases, as an operator sees them.
async fn leases(world: &World) -> kv::Store {
    let (raw, _) = world.raw("ctl").await;
    jetstream::new(raw).get_key_value("LEASES").await.unwrap()
}

/// Lets leases live [`SHORT`].
async fn shorten(world: &World) {
    let (raw, _) = world.raw("ctl").await;
    let context = jetstream::new(raw);
    let config = context.get_stream("KV_LEASES").await.unwrap().cached_info().config.clone();
    let config = jetstream::stream::Config { max_age: SHORT, duplicate_window: SHORT, ..config };
    context.update_stream(config).await.unwrap();
}

/// The key of the lease, if somebody holds it.
async fn held(leases: &kv::Store) -> Option<kv::Entry> {
    leases.entry("scheduler").await.unwrap().filter(|entry| entry.operation == kv::Operation::Put)
}

fn holder(entry: &kv::Entry) -> &str {
    std::str::from_utf8(&entry.value).unwrap()
}

/// Waits until the key is as wanted.
async fn until(leases: &kv::Store, wanted: impl Fn(&kv::Entry) -> bool) -> kv::Entry {
    within(async {
        loop {
            if let Some(entry) = held(leases).await.filter(&wanted) {
                return entry;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
}

#[tokio::test]
async fn a_lease_released_is_free_at_once() {
    let world = World::start().await;
    let (leases, first) = (leases(&world).await, acquire(&world, "first").await);
    assert_eq!(holder(&held(&leases).await.unwrap()), "first");
    within(first.release()).await;
    assert!(held(&leases).await.is_none());
    let _second = within(acquire(&world, "second")).await;
    assert_eq!(holder(&held(&leases).await.unwrap()), "second");
}

#[tokio::test]
async fn whoever_waits_ends_when_it_is_asked_to() {
    let world = World::start().await;
    let _first = acquire(&world, "first").await;
    let (connection, stop) = (world.connection("scheduler").await, CancellationToken::new());
    stop.cancel();
    let waiting = Lease::acquire(&connection, "scheduler", "second", &stop);
    assert!(within(waiting).await.is_none());
}

/// The process dies with all its tasks, so nothing is renewed and nothing is given up.
#[tokio::test]
async fn a_successor_takes_over_when_the_holder_falls_silent() {
    let world = World::start().await;
    shorten(&world).await;
    let leases = leases(&world).await;
    let process = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let connecting = world.config("scheduler", world.port());
    let first = process.spawn(async move {
        let connection = Connection::open(&connecting).await.unwrap();
        acquire_by(&connection, "first").await
    });
    let first = first.await.unwrap();
    let taken = held(&leases).await.unwrap();
    let renewed = until(&leases, |entry| entry.revision > taken.revision).await;
    assert_eq!(holder(&renewed), "first");
    process.shutdown_background();

    let _second = within(acquire(&world, "second")).await;
    let second = held(&leases).await.unwrap();
    assert_eq!(holder(&second), "second");
    // The server's clock says so, however late anybody looks.
    let alive: OffsetDateTime = renewed.created + SHORT;
    assert!(second.created >= alive, "{} {alive}", second.created);
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
async fn a_renewal_whose_answer_is_lost_does_not_cost_the_lease() {
    let world = World::start().await;
    shorten(&world).await;
    let (leases, proxy) = (leases(&world).await, Proxy::before(world.port()).await);
    let connection = Connection::open(&world.config("scheduler", proxy.port)).await.unwrap();
    let name = "first".repeat(LONG_NAME / 5);
    let lease = acquire_by(&connection, &name).await;
    let taken = held(&leases).await.unwrap().revision;
    proxy.cut(1);
    let unanswered = until(&leases, |entry| entry.revision > taken).await;
    let renewed = until(&leases, |entry| entry.revision > unanswered.revision).await;
    assert_eq!((proxy.left(), holder(&renewed)), (0, &*name));
    assert!(!lease.lost().is_cancelled());
}
