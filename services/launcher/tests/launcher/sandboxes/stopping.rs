//! A build that is stopped is dead at once, whatever it does, and so is one whose launcher is killed.

use super::place::{DEADLINE, Place, bubblewrap, processes, run, sandboxes, until};
use launcher::sandbox::Exit;
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Stopping, and anything else that must happen at once, takes less than this.
const AT_ONCE: Duration = Duration::from_secs(1);
const KILLED: &str = "launcher-is-killed";

#[tokio::test(flavor = "multi_thread")]
async fn stopping_kills_the_whole_tree_at_once() {
    for (sandbox, nap) in sandboxes().await.iter().zip(["86123", "86124"]) {
        let place = Place::new();
        let script = format!("trap '' TERM INT; (setsid sleep {nap} &) ; sleep {nap} & echo up; wait");
        let spec = place.shell(&script);
        let (lines, mut said) = mpsc::channel(8);
        let stop = CancellationToken::new();
        let running = sandbox.run(&spec, lines, stop.clone());
        let stopping = async {
            while said.recv().await.is_some_and(|line| line != "up") {}
            until("both naps run", || processes(nap) >= 2).await;
            let start = Instant::now();
            stop.cancel();
            start
        };
        let (exit, start) = tokio::join!(running, stopping);
        assert_eq!(exit.unwrap().exit, Exit::Stopped, "{}", sandbox.name());
        assert!(start.elapsed() < AT_ONCE, "{}", sandbox.name());
        assert_eq!(processes(nap), 0, "{}", sandbox.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_can_be_stopped_at_any_moment_of_its_start() {
    let sandbox = bubblewrap().await;
    for delay_us in (0..60).map(|step| step * 300) {
        let place = Place::new();
        let nap = format!("8662{delay_us}");
        let spec = place.shell(&format!("exec sleep {nap}"));
        let (lines, _unread) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let stopping = async {
            tokio::time::sleep(Duration::from_micros(delay_us)).await;
            stop.cancel();
        };
        let (exit, ()) = tokio::join!(sandbox.run(&spec, lines, stop.clone()), stopping);
        assert_eq!(exit.unwrap().exit, Exit::Stopped);
        assert_eq!(processes(&format!("exec sleep {nap}")) + processes(&nap), 0, "stopped after {delay_us} us");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_does_not_wait_for_a_reader() {
    for sandbox in sandboxes().await {
        let place = Place::new();
        let spec = place.shell("yes");
        let (lines, _unread) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let running = sandbox.run(&spec, lines, stop.clone());
        let stopping = async {
            until("the reader is behind", || processes("yes") > 0).await;
            stop.cancel();
        };
        let ended = tokio::time::timeout(DEADLINE, async { tokio::join!(running, stopping).0 }).await;
        assert_eq!(ended.unwrap().unwrap().exit, Exit::Stopped, "{}", sandbox.name());
        assert_eq!(processes("yes"), 0, "{}", sandbox.name());
    }
}

/// Not a test of its own: what the next test kills.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs until it is killed"]
async fn a_sandbox_that_sleeps() {
    let place = Place { id: KILLED.to_owned(), ..Place::new() };
    run(&bubblewrap().await, &place.shell("sleep 86523 & wait")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_dies_with_a_launcher_that_is_killed() {
    let place = Place::new();
    let mut launcher = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sandboxes::stopping::a_sandbox_that_sleeps", "--ignored"])
        .env("TMPDIR", place.folder.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    until("the nap runs", || processes("86523") > 0).await;
    launcher.kill().unwrap();
    launcher.wait().unwrap();
    until("the nap died", || processes("86523") == 0).await;
    bubblewrap().await.sweep(KILLED).await.unwrap();
}
