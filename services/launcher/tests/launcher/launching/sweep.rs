//! A launcher that is killed leaves things behind; its next life clears them away, and nothing of anybody else.

use super::limits::{Place, engine, kinds};
use super::world::{self, Silent, World, until};
use super::{killed, processes};
use events::Build;
use launcher::engine::{Exit, Kind};
use std::process::Command;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread")]
async fn the_next_life_clears_away_what_a_killed_launcher_left() {
    for kind in kinds() {
        let (name, nap) = if kind == Kind::Docker { ("docker", "86921") } else { ("bubblewrap", "86922") };
        let (world, git, s3) = (World::new().await, Silent::listen().await, Silent::listen().await);
        let running = world.dispatch(&world.repository("sleeper", &format!("sleep {nap} & wait"))).await;
        let fetching = world.dispatch(&git.repository()).await;
        let mut launcher = killed::start(&world, name);
        until("the build to run", async || !processes::with_command(nap).is_empty()).await;
        git.reached().await;
        launcher.kill().unwrap();
        launcher.wait().unwrap();
        let (mirrors, work) = (world.data().join("mirrors"), world.data().join("work"));
        let git_of_ours = format!("GIT_CONFIG_GLOBAL={}", mirrors.canonicalize().unwrap().display());
        assert!(std::fs::read_dir(&work).unwrap().count() > 0, "workspaces are left");
        if kind == Kind::Docker {
            assert!(!processes::with_command(nap).is_empty(), "the container runs on");
        }
        for build in [running, fetching] {
            world.cancel(build).await;
        }

        let _launched = world.launch(world::config(world.data(), kind), s3.address).await;
        until("the build's processes to be gone", async || processes::with_command(nap).is_empty()).await;
        until("git to be gone", async || processes::with_environment(&git_of_ours).is_empty()).await;
        assert_eq!(std::fs::read_dir(&work).unwrap().count(), 0, "no workspace is left");
        let installation = std::fs::read_to_string(world.data().join("installation")).unwrap();
        assert_eq!(groups(&installation), Vec::<String>::new());
        for build in [running, fetching] {
            world.until(build, "the end", |state| matches!(state, Build::Ended { .. })).await;
        }
    }
}

/// Control groups with `text` in their names.
fn groups(text: &str) -> Vec<String> {
    let found =
        Command::new("find").args(["/sys/fs/cgroup", "-maxdepth", "3", "-name"]).arg(format!("*{text}*")).output();
    String::from_utf8_lossy(&found.unwrap().stdout).lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_spares_other_launchers_and_builds_in_hand() {
    for kind in kinds() {
        let [ours, other] = ["sweeps", "others"].map(|name| format!("{name}{}", std::process::id()));
        let (ours, other) = (engine(kind, &ours).await, engine(kind, &other).await);
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
            ours.sweep_all(move |other| other == build).await.unwrap();
            until("the lost build to be gone", async || !run("86931").await).await;
            assert!(run("86932").await && run("86933").await, "{}", ours.name());
            stop.cancel();
        };
        let (abandoned, in_hand, elsewhere, ()) = tokio::join!(abandoned, in_hand, elsewhere, sweeping);
        assert!(!matches!(abandoned, Ok(Exit::Code(0))));
        assert_eq!((in_hand.unwrap(), elsewhere.unwrap()), (Exit::Stopped, Exit::Stopped));
    }
}
