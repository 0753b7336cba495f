//! A real store behind a line that breaks: what is built is stored in the end, and built once.

use super::line::{Line, Mode};
use super::world::{World, until};
use events::{Build, BuildEvent, Outcome};
use launcher::Config;
use secrecy::SecretString;
use std::time::Duration;
use storage::Storage;
use tokio_util::sync::{CancellationToken, DropGuard};

const PAGE: &str = "mkdir _site && echo page > _site/index.html";
/// What the launcher's key has.
pub(crate) const SECRET: &str = "secret";
/// Longer than the client of the store tries by itself.
const OUTAGE: Duration = Duration::from_secs(8);

/// A store that works for who knows the secret, and the way to it.
pub(crate) async fn store(world: &World, secret: &str) -> (Line, DropGuard) {
    let secret = SecretString::from(secret);
    let grant = depot::Grant { buckets: "*".to_owned(), access: depot::Access::Write };
    let key = depot::Key { id: "key".to_owned(), secret: secret.clone(), grants: vec![grant] };
    let (root, region) = (world.folder.path().join("s3"), "us-east-1".to_owned());
    let config =
        depot::Config { root, listen: "127.0.0.1:0".parse().unwrap(), region: region.clone(), keys: vec![key] };
    let server = depot::Depot::bind(config).await.unwrap();
    let (line, stop) = (Line::to(server.local_addr()).await, CancellationToken::new());
    tokio::spawn(server.run(stop.clone()));
    let storage = Storage::connect(&storage::Config::new(line.endpoint(), region, "key".to_owned(), secret));
    storage.platform().ensure().await.unwrap();
    (line, stop.drop_guard())
}

async fn is_archived(world: &World, build: events::BuildId) {
    world.until(build, "the log to be archived", |state| matches!(state, Build::Ended { archived: true, .. })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_costs_time_and_no_second_build() {
    let world = World::new().await;
    let (line, _stop) = store(&world, SECRET).await;
    line.set(Mode::Refusing);
    let _launched = world.launch(world.config(), line.address()).await;
    let build = world.dispatch(&world.repository("page", PAGE)).await;
    let before = line.visitors();
    until("the launcher to come to the store", async || line.visitors() > before).await;
    tokio::time::sleep(OUTAGE).await;
    line.set(Mode::Open);
    let end = world.finished(build).await;
    assert!(matches!(end, BuildEvent::Finished { outcome: Outcome::Success, attempt: 1, .. }), "{end:?}");
    is_archived(&world, build).await;
    assert_eq!(world.starts(build).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_until_the_deadline_costs_an_attempt_and_not_the_build() {
    let world = World::new().await;
    let (line, _stop) = store(&world, SECRET).await;
    line.set(Mode::Refusing);
    let config = Config { timeout: Duration::from_secs(6), ..world.config() };
    let _launched = world.launch(config, line.address()).await;
    let build = world.dispatch(&world.repository("page", PAGE)).await;
    world.until(build, "the next attempt", |state| state.running_attempt() == Some(2)).await;
    line.set(Mode::Open);
    let end = world.finished(build).await;
    assert!(matches!(end, BuildEvent::Finished { outcome: Outcome::Success, attempt: 2, .. }), "{end:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_for_longer_than_many_attempts_ends_no_build() {
    let world = World::new().await;
    let (line, _stop) = store(&world, SECRET).await;
    line.set(Mode::Refusing);
    let config = Config { timeout: Duration::from_secs(5), ..world.config() };
    let _launched = world.launch(config, line.address()).await;
    let build = world.dispatch(&world.repository("page", PAGE)).await;
    for attempt in 2..=5 {
        world.until(build, "the next attempt", |state| state.running_attempt() == Some(attempt)).await;
    }
    line.set(Mode::Open);
    let end = world.finished(build).await;
    assert!(matches!(end, BuildEvent::Finished { outcome: Outcome::Success, .. }), "{end:?}");
    let facts = world.facts(build).await;
    let told = |fact: &&BuildEvent| matches!(fact, BuildEvent::Interrupted { reason, .. } if reason == "The artifact could not be stored in time.");
    assert_eq!(facts.iter().filter(told).count() + 1, world.starts(build).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_hangs_up_in_the_middle_of_an_artifact_gets_it_again() {
    let world = World::new().await;
    let (line, _stop) = store(&world, SECRET).await;
    line.set(Mode::Cutting(200_000));
    let _launched = world.launch(world.config(), line.address()).await;
    let large = "mkdir _site && head -c 3000000 /dev/urandom > _site/large && echo page > _site/index.html";
    let (build, before) = (world.dispatch(&world.repository("large", large)).await, line.visitors());
    until("the launcher to come again and again", async || line.visitors() > before + 4).await;
    line.set(Mode::Open);
    let end = world.finished(build).await;
    assert!(matches!(end, BuildEvent::Finished { outcome: Outcome::Success, attempt: 1, .. }), "{end:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_store_refuses_is_left_to_another_attempt() {
    let world = World::new().await;
    let (line, _stop) = store(&world, "another secret").await;
    let _launched = world.launch(world.config(), line.address()).await;
    let build = world.dispatch(&world.repository("page", PAGE)).await;
    world.until(build, "the next attempt", |state| state.running_attempt() == Some(2)).await;
}
