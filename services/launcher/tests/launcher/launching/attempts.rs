//! What counts as an attempt, at every point at which a launcher may be lost.

use super::killed;
use super::world::{Silent, World, until};
use events::build::{Command, Report};
use events::{BuildEvent, BuildId, Outcome};
use launcher::installation::Installation;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::PathBuf;

/// States that a launcher of this folder starts a build, as an earlier life of it did.
async fn started_in_an_earlier_life(world: &World, build: BuildId) {
    let name = Installation::open(&world.data()).unwrap().name().to_owned();
    world.ask(build, Command::Start { worker: format!("launcher-{name}") }).await;
}

fn note(world: &World, build: BuildId) -> PathBuf {
    let folder = world.data().join("attempts");
    fs::create_dir_all(&folder).unwrap();
    folder.join(format!("{build}-1.json"))
}

async fn attempt_that_ended(world: &World, build: BuildId) -> (u32, Outcome, String) {
    let BuildEvent::Finished { attempt, outcome, reason: message, .. } = world.finished(build).await else { panic!() };
    (attempt, outcome, message)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_launcher_that_was_lost_before_it_did_anything_used_no_attempt() {
    let (world, s3) = (World::new().await, Silent::listen().await);
    let build = world.dispatch(&world.repository("failing", "exit 3")).await;
    started_in_an_earlier_life(&world, build).await;
    let _launched = world.launch(world.config(), s3.address).await;
    let (attempt, outcome, _) = attempt_that_ended(&world, build).await;
    assert_eq!((attempt, outcome, world.starts(build).await), (1, Outcome::Failure, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_launcher_that_was_lost_at_work_used_an_attempt() {
    let (world, s3) = (World::new().await, Silent::listen().await);
    let build = world.dispatch(&world.repository("failing", "exit 3")).await;
    started_in_an_earlier_life(&world, build).await;
    fs::write(note(&world, build), "").unwrap();
    let _launched = world.launch(world.config(), s3.address).await;
    assert_eq!(attempt_that_ended(&world, build).await.0, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_of_another_launcher_is_not_gone_on_with() {
    let (world, s3) = (World::new().await, Silent::listen().await);
    let build = world.dispatch(&world.repository("failing", "exit 3")).await;
    world.ask(build, Command::Start { worker: "launcher-elsewhere".to_owned() }).await;
    let _launched = world.launch(world.config(), s3.address).await;
    assert_eq!(attempt_that_ended(&world, build).await.0, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_is_remembered_is_stated_and_nothing_is_built() {
    let (world, git, s3) = (World::new().await, Silent::listen().await, Silent::listen().await);
    let build = world.dispatch(&git.repository()).await;
    started_in_an_earlier_life(&world, build).await;
    let message = "The build failed with exit code 42.".to_owned();
    let report = Report {
        attempt: 1,
        commit: None,
        outcome: Outcome::Failure,
        reason: message.clone(),
        hint: None,
        artifact: None,
        duration_ms: 7,
        steps: Vec::new(),
        resources: None,
    };
    fs::write(note(&world, build), serde_json::to_vec(&report).unwrap()).unwrap();
    let _launched = world.launch(world.config(), s3.address).await;
    assert_eq!(attempt_that_ended(&world, build).await, (1, Outcome::Failure, message));
    assert_eq!(world.starts(build).await, 1);
    until("the note to be forgotten", async || !note(&world, build).exists()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_while_the_log_is_silent_is_stated_by_the_next_life() {
    let (world, s3) = (World::new().await, Silent::listen().await);
    let build =
        world.dispatch(&world.repository("gated", "touch runs; while [ ! -e go ]; do sleep 0.05; done; exit 3")).await;
    let mut launcher = killed::start(&world, "bubblewrap");
    let site = world.data().join("work").join(format!("{build}-1")).join("site");
    until("the build to run", async || site.join("runs").exists()).await;

    let log = Pid::from_raw(i32::try_from(world.server.pid().unwrap()).unwrap()).unwrap();
    kill_process(log, Signal::STOP).unwrap();
    fs::write(site.join("go"), "").unwrap();
    let note = note(&world, build);
    until("the end to be remembered", async || fs::read(&note).is_ok_and(|text| !text.is_empty())).await;
    launcher.kill().unwrap();
    launcher.wait().unwrap();
    kill_process(log, Signal::CONT).unwrap();

    let _launched = world.launch(world.config(), s3.address).await;
    let (attempt, outcome, message) = attempt_that_ended(&world, build).await;
    assert_eq!((attempt, outcome, message.as_str()), (1, Outcome::Failure, "npm run pages failed with exit code 3."));
    assert_eq!(world.starts(build).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_is_canceled_after_its_launcher_died_has_an_end_in_its_log() {
    let (world, s3) = (World::new().await, Silent::listen().await);
    let build = world.dispatch(&world.repository("left", "echo it runs; sleep 86931 & wait")).await;
    let mut launcher = killed::start(&world, "bubblewrap");
    world.until_log(build, "it runs").await;
    launcher.kill().unwrap();
    launcher.wait().unwrap();
    world.cancel(build).await;
    let _launched = world.launch(world.config(), s3.address).await;
    world.until_log(build, "[pagefold] canceled").await;
    assert!(world.log(build).await.ends_with("[pagefold] canceled\n"), "and with that it ends");
}
