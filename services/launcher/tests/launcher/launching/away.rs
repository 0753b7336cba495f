//! A sandbox that cannot be reached ends no build: it is waited for, and what that costs is told.

use super::docker_line::{Line, Way, containers};
use super::limits::kinds;
use super::phases::cancel_frees_the_slot;
use super::processes;
use super::world::{self, Silent, World, until};
use events::build::Progress;
use events::{Build, BuildEvent, BuildId, Outcome};
use launcher::sandbox::{self, Kind};
use launcher::{Config, spec};
use runtime::health::Status;
use std::time::Duration;

/// By Docker, over a way that can break.
fn config(world: &World, line: &Line) -> Config {
    let config = world::config(world.data(), Kind::Docker);
    Config { sandbox: sandbox::Config { docker_host: Some(line.host()), ..config.sandbox.clone() }, ..config }
}

fn without_docker() -> bool {
    !kinds().contains(&Kind::Docker)
}

pub(crate) fn interruptions(facts: &[BuildEvent]) -> Vec<(u32, &str)> {
    let mut interruptions = Vec::new();
    for fact in facts {
        if let BuildEvent::Interrupted { attempt, reason, .. } = fact {
            interruptions.push((*attempt, reason.as_str()));
        }
    }
    interruptions
}

pub(crate) async fn until_given_back(world: &World, build: BuildId) {
    let waits = |state: &Build| matches!(state, Build::Open(_, Progress::Dispatched { attempts: 1, lost: 0 }));
    world.until(build, "the build to be given back", waits).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_that_is_away_at_the_start_is_told_and_waited_for_before_an_attempt_begins() {
    if without_docker() {
        return;
    }
    let (world, s3, line) = (World::new().await, Silent::listen().await, Line::lay(Way::Broken).await);
    let build = world.dispatch(&world.repository("failing", "exit 3")).await;
    let launched = world.launch(config(&world, &line), s3.address).await;
    until("the truth about the sandbox", async || launched.sandbox().status == Status::Failing).await;
    assert!(launched.sandbox().detail.is_some_and(|detail| detail.contains("Docker")));
    line.set(Way::Open);
    let end = world.finished(build).await;
    assert!(matches!(end, BuildEvent::Finished { outcome: Outcome::Failure, attempt: 1, .. }), "{end:?}");
    assert_eq!((world.starts(build).await, launched.sandbox().status), (1, Status::Ok));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_any_sandbox_says_what_is_missing_and_waits() {
    let (world, s3) = (World::new().await, Silent::listen().await);
    let nowhere = format!("unix://{}", world.data().join("nobody.sock").display());
    let config = world::config(world.data(), Kind::Docker);
    let sandbox = sandbox::Config { docker_host: Some(nowhere), ..config.sandbox.clone() };
    let mut launched = world.launch(Config { sandbox, ..config }, s3.address).await;
    until("the truth about the sandbox", async || launched.sandbox().status == Status::Failing).await;
    let detail = launched.sandbox().detail.unwrap();
    assert!(detail.contains("nobody.sock") || detail.contains("reach an engine"), "{detail}");
    launched.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_that_goes_away_in_the_middle_of_a_build_is_waited_for() {
    if without_docker() {
        return;
    }
    let (world, s3, line) = (World::new().await, Silent::listen().await, Line::lay(Way::Open).await);
    let launched = world.launch(config(&world, &line), s3.address).await;
    let build = world.dispatch(&world.repository("napping", "sleep 8.6941; exit 3")).await;
    until("the build to run", async || !processes::with_command("8.6941").is_empty()).await;
    line.set(Way::Broken);
    until("the truth about the sandbox", async || launched.sandbox().status == Status::Failing).await;
    world.until_log(build, "the build sandbox cannot be reached; waiting for it").await;
    line.set(Way::Open);
    let end = world.finished(build).await;
    assert!(matches!(end, BuildEvent::Finished { outcome: Outcome::Failure, attempt: 1, .. }), "{end:?}");
    assert_eq!(world.starts(build).await, 1);
    assert!(world.log(build).await.contains("the build sandbox is back; starting over"));
    until("the container to be gone", async || containers(&format!("{}={build}", spec::LABEL)).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_that_stays_away_until_the_deadline_costs_an_attempt_and_not_the_build() {
    if without_docker() {
        return;
    }
    let (world, s3, line) = (World::new().await, Silent::listen().await, Line::lay(Way::Open).await);
    let config = Config { timeout: Duration::from_secs(8), ..config(&world, &line) };
    let _launched = world.launch(config, s3.address).await;
    let build = world.dispatch(&world.repository("napping", "sleep 86942")).await;
    until("the build to run", async || !processes::with_command("86942").is_empty()).await;
    line.set(Way::Broken);
    until_given_back(&world, build).await;
    let reason = "The build sandbox could not be reached in time.";
    assert_eq!(interruptions(&world.facts(build).await), [(1, reason)]);
    line.set(Way::Open);
    world.until(build, "the next attempt", |state| state.running_attempt() == Some(2)).await;
    world.cancel(build).await;
    until("the container to be gone", async || containers(&format!("{}={build}", spec::LABEL)).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_waits_for_a_sandbox_can_be_canceled() {
    if without_docker() {
        return;
    }
    let (world, s3, line) = (World::new().await, Silent::listen().await, Line::lay(Way::Open).await);
    let _launched = world.launch(config(&world, &line), s3.address).await;
    let build = world.dispatch(&world.repository("napping", "sleep 86943")).await;
    until("the build to run", async || !processes::with_command("86943").is_empty()).await;
    line.set(Way::Broken);
    world.until_log(build, "the build sandbox cannot be reached; waiting for it").await;
    world.cancel(build).await;
    let work = world.data().join("work");
    until("the slot to be free", async || std::fs::read_dir(&work).is_ok_and(|left| left.count() == 0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_is_being_made_holds_no_slot_and_does_not_stay() {
    if without_docker() {
        return;
    }
    let (world, s3, line) = (World::new().await, Silent::listen().await, Line::lay(Way::Open).await);
    let launched = world.launch(config(&world, &line), s3.address).await;
    until("the sandbox", async || launched.sandbox().status == Status::Ok).await;
    line.set(Way::KeepingContainers);
    let build = world.dispatch(&world.repository("first", "sleep 86945")).await;
    let label = format!("{}={build}", spec::LABEL);
    until("the container to be made", async || !containers(&label).is_empty()).await;
    cancel_frees_the_slot(&world, build).await;
    line.set(Way::Open);
    until("the container to be gone", async || containers(&label).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_that_falls_silent_holds_no_canceled_build() {
    if without_docker() {
        return;
    }
    let (world, s3, line) = (World::new().await, Silent::listen().await, Line::lay(Way::Open).await);
    let launched = world.launch(config(&world, &line), s3.address).await;
    let build = world.dispatch(&world.repository("first", "sleep 86946")).await;
    until("the build to run", async || !processes::with_command("86946").is_empty()).await;
    line.set(Way::Silent);
    let canceled = std::time::Instant::now();
    world.cancel(build).await;
    let work = world.data().join("work");
    until("the slot to be free", async || std::fs::read_dir(&work).is_ok_and(|left| left.count() == 0)).await;
    assert!(canceled.elapsed() < world::AT_ONCE, "{:?}", canceled.elapsed());
    line.set(Way::Open);
    until("the sandbox", async || launched.sandbox().status == Status::Ok).await;
    until("the container to be gone", async || containers(&format!("{}={build}", spec::LABEL)).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_launcher_that_is_asked_to_end_gives_its_build_back() {
    let (world, s3) = (World::new().await, Silent::listen().await);
    let build = world.dispatch(&world.repository("napping", "sleep 86947")).await;
    let mut launched = world.launch(world.config(), s3.address).await;
    until("the build to run", async || !processes::with_command("86947").is_empty()).await;
    launched.shut_down().await;
    until_given_back(&world, build).await;
    assert_eq!(interruptions(&world.facts(build).await), [(1, "The launcher was shut down.")]);
    let _next = world.launch(world.config(), s3.address).await;
    world.until(build, "the next attempt", |state| state.running_attempt() == Some(2)).await;
}
