//! A launcher that is killed leaves things behind; its next life clears them away, and nothing of anybody else.

use super::docker_line::containers;
use super::limits::{Place, kinds, sandbox};
use super::world::{self, Silent, World, until};
use super::{killed, processes};
use events::Build;
use launcher::installation::Installation;
use launcher::sandbox::{self, Ended, Exit, Kind};
use launcher::{Config, spec};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How builds ran in the life that was killed, and how they run in the next.
fn lives() -> Vec<(Kind, Kind)> {
    kinds().into_iter().flat_map(|killed| kinds().into_iter().map(move |next| (killed, next))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_life_clears_away_what_a_killed_launcher_left_by_whichever_sandbox() {
    for (index, (killed, next)) in lives().into_iter().enumerate() {
        let (name, nap) = (if killed == Kind::Docker { "docker" } else { "bubblewrap" }, format!("8692{index}"));
        let (world, git, s3) = (World::new().await, Silent::listen().await, Silent::listen().await);
        let running = world.dispatch(&world.repository("sleeper", &format!("sleep {nap} & wait"))).await;
        let fetching = world.dispatch(&git.repository()).await;
        let mut launcher = killed::start(&world, name);
        until("the build to run", async || !processes::with_command(&nap).is_empty()).await;
        git.reached().await;
        launcher.kill().unwrap();
        launcher.wait().unwrap();
        let (mirrors, work) = (world.data().join("mirrors"), world.data().join("work"));
        let git_of_ours = format!("GIT_CONFIG_GLOBAL={}", mirrors.canonicalize().unwrap().display());
        let installation = world.installation(running).await;
        assert!(std::fs::read_dir(&work).unwrap().count() > 0, "workspaces are left");
        if killed == Kind::Docker {
            assert!(!processes::with_command(&nap).is_empty(), "the container runs on");
            assert_eq!(left_by(&installation).0.len(), 1);
        } else if makes_groups() {
            assert!(!left_by(&installation).1.is_empty(), "control groups are left");
        }
        for build in [running, fetching] {
            world.cancel(build).await;
        }

        let _launched = world.launch(world::config(world.data(), next), s3.address).await;
        until("the build's processes to be gone", async || processes::with_command(&nap).is_empty()).await;
        until("git to be gone", async || processes::with_environment(&git_of_ours).is_empty()).await;
        until("all to be gone", async || left_by(&installation) == <(Vec<_>, Vec<_>)>::default()).await;
        until("the workspaces to be gone", async || is_empty(&work) && is_empty(&world.data().join("trash"))).await;
        for build in [running, fetching] {
            world.until(build, "the end", |state| matches!(state, Build::Ended { .. })).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_launcher_at_work_sweeps_again_and_again_after_every_sandbox_and_spares_what_is_in_hand() {
    let (world, s3) = (World::new().await, Silent::listen().await);
    let config = Config { sweep_every: Duration::from_millis(300), ..world.config() };
    // As an earlier life of it had them: what a sandbox is tried with would be swept beside it.
    let installation = Installation::open(&world.data()).unwrap().name().to_owned();
    let mut sandboxes = Vec::new();
    for kind in kinds() {
        sandboxes.push(sandbox(kind, &installation).await);
    }
    let _launched = world.launch(config, s3.address).await;
    let in_hand = world.dispatch(&world.repository("sleeper", "sleep 86934")).await;
    until("the build in hand to run", async || !processes::with_command("86934").is_empty()).await;
    let (work, trash) = (world.data().join("work"), world.data().join("trash"));
    let spared = left_by(&installation);
    // Again and again: what comes after a sweep is found by the next.
    for (nap, sandbox) in ["86935", "86936"].into_iter().zip(sandboxes) {
        let place = Place::new();
        let spec = place.shell(&format!("sleep {nap}"));
        let (lines, _unread) = mpsc::channel(64);
        let seen = AtomicBool::new(false);
        let abandoned = async {
            // A sweep may come between the preparation and the first process: then the build is lost once more.
            loop {
                let end = sandbox.run(&spec, lines.clone(), CancellationToken::new()).await;
                if seen.load(Ordering::Relaxed) {
                    break end;
                }
            }
        };
        let looking = async {
            until("the lost build to run", async || !processes::with_command(nap).is_empty()).await;
            seen.store(true, Ordering::Relaxed);
            for folder in [work.join(format!("{}-1", runtime::clock::new_id())), trash.join("left")] {
                // Moved there whole: a sweep may come at any moment.
                let prepared = world.folder.path().join("left");
                std::fs::create_dir_all(prepared.join("site")).unwrap();
                std::fs::create_dir_all(&trash).unwrap();
                std::fs::rename(prepared, folder).unwrap();
            }
            until("the lost build to be gone", async || processes::with_command(nap).is_empty()).await;
            until("all else to be gone", async || left_by(&installation) == spared).await;
            let left = async || std::fs::read_dir(&work).unwrap().count() == 1 && is_empty(&trash);
            until("the workspaces to be gone", left).await;
        };
        let (abandoned, ()) = tokio::join!(abandoned, looking);
        assert!(!matches!(abandoned, Ok(Ended { exit: Exit::Code(0), .. })));
    }
    assert!(!processes::with_command("86934").is_empty(), "the build in hand runs on");
    world.cancel(in_hand).await;
}

/// Containers and control groups of a launcher.
fn left_by(installation: &str) -> (Vec<String>, Vec<String>) {
    let docker = kinds().contains(&Kind::Docker);
    let containers = docker.then(|| containers(&format!("{}={installation}", spec::LAUNCHER_LABEL)));
    (containers.unwrap_or_default(), groups(installation))
}

fn makes_groups() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or(true, |entries| entries.count() == 0)
}

/// Control groups with `text` in their names.
fn groups(text: &str) -> Vec<String> {
    let found = Command::new("find").args(["/sys/fs/cgroup", "-type", "d", "-name"]).arg(format!("*{text}*")).output();
    String::from_utf8_lossy(&found.unwrap().stdout).lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_spares_other_launchers_and_builds_in_hand() {
    for kind in kinds() {
        let [ours, other] = ["sweeps", "others"].map(|name| format!("{name}{}", std::process::id()));
        let config = sandbox::Config { installation: ours.clone(), ..sandbox::Config::default() };
        let (ours, other) = (sandbox(kind, &ours).await, sandbox(kind, &other).await);
        let (lost, kept, foreign) = (Place::new(), Place::new(), Place::new());
        let stop = CancellationToken::new();
        let (lines, _unread) = mpsc::channel(64);
        let [lost, kept, foreign] = [(lost, "86931"), (kept, "86932"), (foreign, "86933")]
            .map(|(place, nap)| (place.shell(&format!("sleep {nap}")), place));
        let abandoned = ours.run(&lost.0, lines.clone(), CancellationToken::new());
        let in_hand = ours.run(&kept.0, lines.clone(), stop.clone());
        let elsewhere = other.run(&foreign.0, lines, stop.clone());
        let sweeping = async {
            let run = async |nap: &str| !processes::with_command(nap).is_empty();
            until("all to run", async || run("86931").await && run("86932").await && run("86933").await).await;
            let build = kept.0.build.clone();
            sandbox::sweep_all(&config, move |other| other == build).await;
            until("the lost build to be gone", async || !run("86931").await).await;
            assert!(run("86932").await && run("86933").await, "{}", ours.name());
            stop.cancel();
        };
        let (abandoned, in_hand, elsewhere, ()) = tokio::join!(abandoned, in_hand, elsewhere, sweeping);
        assert!(!matches!(abandoned, Ok(Ended { exit: Exit::Code(0), .. })));
        assert_eq!((in_hand.unwrap().exit, elsewhere.unwrap().exit), (Exit::Stopped, Exit::Stopped));
    }
}
