//! Whatever a build is doing: to cancel it, or the end of its time, frees its slot at once.

use super::limits::kinds;
use super::processes;
use super::world::{self, AT_ONCE, Silent, World, until};
use events::{BuildEvent, BuildId, Outcome};
use launcher::spec::Limits;
use launcher::{Config, output::OutputLimits};
use std::time::Duration;
use time::OffsetDateTime;

/// So long that a build gets into its phase on a busy machine, and so short that a test can wait for its end.
const SHORT: Duration = Duration::from_secs(10);

/// A build of `repository` that is in a phase, by what `is_there` sees. On a busy machine its time may be over before: then
/// another one is tried.
async fn in_phase(world: &World, repository: &str, mut is_there: impl AsyncFnMut(BuildId) -> bool) -> BuildId {
    let mut build = world.dispatch(repository).await;
    until("a build to be in its phase", async || {
        if is_there(build).await {
            return true;
        }
        if world.facts(build).await.iter().any(|fact| matches!(fact, BuildEvent::Finished { .. })) {
            build = world.dispatch(repository).await;
        }
        false
    })
    .await;
    build
}

/// Cancels a build, and expects the one slot to be another's within a second: from the fact that cancels the one to the fact
/// that starts the other, as the log has their times.
pub(crate) async fn cancel_frees_the_slot(world: &World, build: BuildId) {
    let next = world.dispatch(&world.repository("next", "sleep 86901")).await;
    world.cancel(build).await;
    world.until_running(next).await;
    let canceled = world.time_of(build, |fact| matches!(fact, BuildEvent::Canceled { .. })).await;
    let took = started(world, next).await - canceled;
    println!("the slot was free {took} after the build was canceled");
    assert!(took < AT_ONCE, "{took}");
    let ours = world.data().join("work");
    until("the workspace of the canceled build to be gone", async || {
        let folders = std::fs::read_dir(&ours).into_iter().flatten().flatten();
        folders.into_iter().all(|folder| !folder.file_name().to_string_lossy().starts_with(&build.to_string()))
    })
    .await;
}

/// Expects the one slot to be another's within a second after a build's time is over.
async fn the_end_of_its_time_frees_the_slot(world: &World, build: BuildId) {
    // Dispatched while the first is at work, so that only the slot is waited for.
    let next = world.dispatch(&world.repository("next", "sleep 86901")).await;
    world.until_running(next).await;
    let took = started(world, next).await - started(world, build).await - SHORT;
    println!("the slot was free {took} after the build's time was over");
    assert!(took < AT_ONCE, "{took}");
    world.cancel(next).await;
}

async fn started(world: &World, build: BuildId) -> OffsetDateTime {
    world.time_of(build, |fact| matches!(fact, BuildEvent::Started { .. })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_git_server_that_never_answers_holds_no_slot() {
    let (world, git, s3) = (World::new().await, Silent::listen().await, Silent::listen().await);
    let _launched = world.launch(world.config(), s3.address).await;
    let build = world.dispatch(&git.repository()).await;
    git.reached().await;
    cancel_frees_the_slot(&world, build).await;
    let address = git.address.to_string();
    until("git and its helpers to be gone", async || processes::with_command(&address).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_git_server_that_never_answers_ends_in_time() {
    let (world, git, s3) = (World::new().await, Silent::listen().await, Silent::listen().await);
    let _launched = world.launch(Config { timeout: SHORT, ..world.config() }, s3.address).await;
    let build = world.dispatch(&git.repository()).await;
    world.until_running(build).await;
    the_end_of_its_time_frees_the_slot(&world, build).await;
    let BuildEvent::Finished { outcome, .. } = world.finished(build).await else { panic!() };
    assert_eq!(outcome, Outcome::Timeout);
    let address = git.address.to_string();
    until("git and its helpers to be gone", async || processes::with_command(&address).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_build_holds_no_slot_once_it_is_canceled() {
    for kind in kinds() {
        let (world, s3) = (World::new().await, Silent::listen().await);
        let _launched = world.launch(world::config(world.data(), kind), s3.address).await;
        let build = world.dispatch(&world.repository("first", "sleep 86902")).await;
        until("the build to run", async || !processes::with_command("86902").is_empty()).await;
        cancel_frees_the_slot(&world, build).await;
        until("the build's processes to be gone", async || processes::with_command("86902").is_empty()).await;
    }
}

/// More than is packed within the test, and nothing on the disk before.
const LARGE: &str = "mkdir _site && truncate -s 60G _site/large";

fn roomy(world: &World) -> Config {
    let limits = Limits { file_bytes: 1 << 40, ..world.config().limits };
    Config { limits, output: OutputLimits { bytes: 1 << 40, ..OutputLimits::default() }, ..world.config() }
}

async fn packing(world: &World) -> BuildId {
    let work = world.data().join("work");
    let archive = |build: BuildId| work.join(format!("{build}-1")).join("artifact.tar");
    let grows = async |build| std::fs::metadata(archive(build)).is_ok_and(|archive| archive.len() > 0);
    in_phase(world, &world.repository("large", LARGE), grows).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_output_holds_no_slot_once_its_build_is_canceled() {
    let (world, s3) = (World::new().await, Silent::listen().await);
    let _launched = world.launch(roomy(&world), s3.address).await;
    let build = packing(&world).await;
    cancel_frees_the_slot(&world, build).await;
    let trash = world.data().join("trash");
    until("the disk to be free", async || std::fs::read_dir(&trash).is_ok_and(|left| left.count() == 0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_output_ends_in_time() {
    let (world, s3) = (World::new().await, Silent::listen().await);
    let _launched = world.launch(Config { timeout: SHORT, ..roomy(&world) }, s3.address).await;
    let build = packing(&world).await;
    the_end_of_its_time_frees_the_slot(&world, build).await;
    let BuildEvent::Finished { outcome, .. } = world.finished(build).await else { panic!() };
    assert_eq!(outcome, Outcome::Timeout);
}

const PAGE: &str = "mkdir _site && echo page > _site/index.html";

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_never_answers_holds_no_slot() {
    let (world, s3) = (World::new().await, Silent::listen().await);
    let _launched = world.launch(world.config(), s3.address).await;
    let build = world.dispatch(&world.repository("page", PAGE)).await;
    s3.reached().await;
    cancel_frees_the_slot(&world, build).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_stored_in_time_is_left_to_another_attempt() {
    let (world, s3) = (World::new().await, Silent::listen().await);
    let _launched = world.launch(Config { timeout: SHORT, ..world.config() }, s3.address).await;
    let reached = async |_| s3.is_reached();
    let build = in_phase(&world, &world.repository("page", PAGE), reached).await;
    the_end_of_its_time_frees_the_slot(&world, build).await;
    world.until(build, "the next attempt", |state| state.running_attempt() == Some(2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_build_ends_in_time() {
    for kind in kinds() {
        let (world, s3) = (World::new().await, Silent::listen().await);
        let config = Config { timeout: SHORT, ..world::config(world.data(), kind) };
        let _launched = world.launch(config, s3.address).await;
        let runs = async |_| !processes::with_command("86903").is_empty();
        let build = in_phase(&world, &world.repository("napping", "sleep 86903"), runs).await;
        the_end_of_its_time_frees_the_slot(&world, build).await;
        until("the build's processes to be gone", async || processes::with_command("86903").is_empty()).await;
    }
}
