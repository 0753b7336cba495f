//! Purges as a reader meets them: what the store has no more goes, what it has stays, and while it is away everything does.

use crate::world::{Edge, PATIENCE, World, id};
use std::time::{Duration, Instant};
use tokio::time::sleep;

const PAUSE: Duration = Duration::from_millis(20);
const PAGES: [(&str, &str); 3] = [("index.html", "home"), ("a.txt", "first"), ("b.txt", "second")];

/// Everything was read, so everything is kept.
async fn read(world: &World) -> Edge {
    let edge = world.edge().await;
    world.create("docs").await;
    world.put("docs", 1, &PAGES).await;
    world.promote("docs", "live", 1).await;
    edge.until_serves("docs", "/", "home").await;
    edge.text("docs", "/a.txt").await;
    edge.text("docs", "/b.txt").await;
    world.until_kept(&["home", "first", "second"]).await;
    edge
}

/// Until a path is refused with this code.
async fn until_refused(edge: &Edge, path: &str, code: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !edge.text("docs", path).await.contains(&format!("<code>{code}</code>")) {
        assert!(Instant::now() < deadline, "{path} is still shown");
        sleep(PAUSE).await;
    }
}

/// What is answered where the store has no such file, and where it has no such deploy.
const FILE: &str = "storage_failed";
const DEPLOY: &str = "storage_unavailable";

#[tokio::test]
async fn what_the_store_has_no_more_is_shown_until_it_is_purged() {
    let world = World::start().await;
    let edge = read(&world).await;
    world.purge("docs", Some("docs.sites.localhost"), None).await;
    world.until_purges(true).await;
    for (path, content) in [("/", "home"), ("/a.txt", "first"), ("/b.txt", "second")] {
        assert_eq!(edge.text("docs", path).await, content, "the store has it");
    }

    world.take_out("docs", 1).await;
    assert_eq!(edge.text("docs", "/a.txt").await, "first", "nobody has asked the store");
    world.purge("docs", Some("docs.sites.localhost"), Some("/a.txt")).await;
    until_refused(&edge, "/a.txt", FILE).await;
    assert_eq!(edge.text("docs", "/b.txt").await, "second", "only that path was meant");
    assert!(!world.kept("first").exists() && world.kept("second").exists());

    world.purge("docs", None, None).await;
    until_refused(&edge, "/b.txt", DEPLOY).await;
    edge.stop().await;
}

#[tokio::test]
async fn while_the_store_is_away_what_was_purged_is_shown_on_and_after_a_restart_too_until_it_answers() {
    let world = World::start().await;
    let edge = read(&world).await;
    world.take_out("docs", 1).await;
    world.store.stop().await;
    world.purge("docs", Some("docs.sites.localhost"), None).await;
    world.until_purges(false).await;
    assert_eq!(edge.text("docs", "/a.txt").await, "first");
    edge.stop().await;

    let edge = world.edge().await;
    edge.until_serves("docs", "/a.txt", "first").await;
    world.store.start_again().await;
    until_refused(&edge, "/a.txt", DEPLOY).await;
    until_refused(&edge, "/", DEPLOY).await;
    edge.stop().await;
}

#[tokio::test]
async fn what_was_purged_a_day_ago_is_given_up_if_the_store_never_answered() {
    let world = World::start().await;
    let edge = read(&world).await;
    edge.stop().await;
    world.store.stop().await;
    let long_ago = serde_json::json!([{ "purged": { "site": id("docs"), "pages": { "path": "/a.txt" } }, "at_s": 1 }]);
    world.note_purges(&long_ago.to_string());
    let edge = world.edge().await;
    world.until_purges(true).await;
    edge.refuses("docs", "/a.txt", 503, "storage_unavailable").await;
    assert_eq!(edge.text("docs", "/b.txt").await, "second", "nobody purged it");
    edge.stop().await;
}
