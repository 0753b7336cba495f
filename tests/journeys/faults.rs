//! What is hurt gets up again, and nothing that was acknowledged is lost.

use crate::sources::gated_push;
use journeys::{Gate, Host, Platform, Process, Ready, Signal, Site, eventually};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::time::{Duration, Instant};

/// How long the log's server says nothing: longer than a lease lives and than any client waits.
const SILENCE: Duration = Duration::from_secs(15);

#[tokio::test]
async fn a_build_goes_on_while_the_log_is_killed_and_ends_once() {
    let platform = Platform::start().await;
    let (site, gate) = (platform.site("steady", json!({ "engine": "node.js" })).await, Gate::closed().await);
    gated_push(&site, "main", &gate, "steady").await;
    gate.reached_by(1).await;

    let (up, killed) = (platform.pid(), platform.pid_of(Process::Nats));
    platform.signal(Process::Nats, Signal::KILL);
    let again = async || platform.pid_of(Process::Nats).filter(|pid| Some(*pid) != killed);
    eventually("another nats-server", again).await;
    gate.open();
    site.promoted(1).await;
    site.serves("/", "steady").await;
    site.until("build.log_archived", |_| true).await;
    let facts = site.facts();
    assert_eq!(facts.iter().filter(|fact| fact.is_end()).count(), 1);
    assert_eq!(facts.iter().filter(|fact| fact.name() == "build.started").count(), 1, "nobody else took it");
    assert_it_lives_on(&platform, up);
}

#[tokio::test]
async fn a_platform_that_was_killed_takes_up_what_it_had_acknowledged() {
    let mut platform = Platform::start().await;
    let gate = Gate::closed().await;
    let site = platform.site("resumed", json!({ "engine": "node.js" })).await;
    let other = platform.site("noted", json!({})).await;
    gated_push(&site, "main", &gate, "resumed").await;
    gate.reached_by(1).await;
    // Lines are on record a moment after they are written.
    let build = site.queued(1).await;
    let is_told = async || platform.api().log(&build).await.contains("at the gate").then_some(());
    eventually("the log of the first attempt", is_told).await;
    other.push("main", [("index.html", "noted")]).await;
    let repositories = (site.repository.clone(), other.repository.clone());
    platform.crash();
    platform.start_again().await;

    let site = Site::again("resumed", repositories.0, &platform).await;
    let other = Site::again("noted", repositories.1, &platform).await;
    other.promoted(1).await;
    other.serves("/", "noted").await;
    gate.reached_by(2).await;
    gate.open();
    let finished = site.finished(1).await;
    assert_eq!((finished.data["outcome"].as_str(), finished.data["attempt"].as_u64()), (Some("success"), Some(2)));
    site.promoted(1).await;
    site.serves("/", "resumed").await;
    let attempts = site.facts().into_iter().filter(|fact| fact.name() == "build.started");
    assert_eq!(attempts.map(|fact| fact.data["attempt"].clone()).collect::<Vec<_>>(), [json!(1), json!(2)]);
    assert_eq!(site.facts().iter().filter(|fact| fact.is_end()).count(), 1);
    let log = platform.api().log(&finished.subject).await;
    assert_eq!(log.matches("at the gate\n").count(), 2, "both attempts are in the log: {log}");
}

#[tokio::test]
async fn sites_are_served_while_the_log_is_silent() {
    let platform = Platform::start().await;
    let site = platform.site("calm", json!({})).await;
    site.publish(1, [("index.html", "calm"), ("later.html", "not asked for yet")]).await;
    site.serves("/", "calm").await;

    let up = platform.pid();
    platform.signal(Process::Nats, Signal::STOP);
    site.serves("/", "calm").await;
    site.serves("/later", "not asked for yet").await;
    let unheard = site.repository.push("main", [("index.html", "heard")]);
    assert_eq!(platform.deliver(&unheard).await.expect(503).code(), "log_unavailable");
    platform.signal(Process::Nats, Signal::CONT);

    // The sender delivers again what was not taken in.
    let taken = async || (platform.deliver(&unheard).await.status == 202).then_some(());
    eventually("the log to take the delivery", taken).await;
    site.serves("/", "heard").await;
    assert_eq!(site.facts().iter().filter(|fact| fact.name() == "build.queued").count(), 2);
    assert_it_lives_on(&platform, up);
}

/// Whether `up` is the process that it was.
fn assert_it_lives_on(platform: &Platform, up: Option<u32>) {
    assert!(up.is_some() && platform.pid() == up, "{up:?} has become {:?}", platform.pid());
    assert_eq!(Ready::of(&platform.data(), platform.ready().pid).map(|ready| ready.pid), up, "and says so");
}

/// Asks for the page all the time; fails the story when it is not there once.
async fn always_serves(host: &Host, page: &str) -> Infallible {
    loop {
        let answer = host.get("/").await;
        assert!(answer.status == 200 && answer.text().contains(page), "{}: {}", answer.status, answer.text());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_log_that_is_silent_for_long_and_dies_again_and_again_ends_nothing() {
    let platform = Platform::start().await;
    let site = platform.site("unmoved", json!({})).await;
    site.publish(1, [("index.html", "unmoved")]).await;
    site.serves("/", "unmoved").await;
    let up = platform.pid();
    let log_is = async |status: &str, answer: u16| {
        let health = platform.health().await;
        let told = health.status == answer && health.json::<Value>()["parts"]["log"]["status"] == status;
        told.then_some(())
    };
    let trouble = async {
        platform.signal(Process::Nats, Signal::STOP);
        let silent = Instant::now();
        eventually("the truth about the log", async || log_is("failing", 503).await).await;
        // Longer than a lease lives: whoever holds one has lost it.
        tokio::time::sleep_until((silent + SILENCE).into()).await;
        platform.signal(Process::Nats, Signal::CONT);
        for _ in 0..5 {
            let killed = eventually("a nats-server", async || platform.pid_of(Process::Nats)).await;
            platform.signal(Process::Nats, Signal::KILL);
            let another = async || platform.pid_of(Process::Nats).filter(|pid| *pid != killed);
            eventually("another nats-server", another).await;
        }
    };
    let live = site.live();
    tokio::select! {
        () = trouble => {}
        never = always_serves(&live, "unmoved") => match never {},
    }
    let pushed = site.repository.push("main", [("index.html", "moved")]);
    let taken = async || (platform.deliver(&pushed).await.status == 202).then_some(());
    eventually("the log to take the delivery", taken).await;
    site.serves("/", "moved").await;
    eventually("all to be well again", async || log_is("ok", 200).await).await;
    assert_it_lives_on(&platform, up);
}

#[tokio::test]
async fn pushes_become_pages_while_the_read_model_is_away() {
    let platform = Platform::start().await;
    let site = platform.site("unread", json!({})).await;
    site.publish(1, [("index.html", "first")]).await;
    site.deploy(1).await;

    let up = platform.pid();
    platform.signal(Process::Postgres, Signal::STOP);
    site.publish(2, [("index.html", "second")]).await;
    site.serves("/", "second").await;
    platform.signal(Process::Postgres, Signal::CONT);
    platform.signal(Process::Postgres, Signal::KILL);
    site.publish(3, [("index.html", "third")]).await;
    site.serves("/", "third").await;
    let numbers: Vec<u64> = site.deploys().await.iter().map(|deploy| deploy.number).collect();
    assert_eq!(numbers, [3, 2, 1], "the read model has caught up");
    assert_it_lives_on(&platform, up);
}
