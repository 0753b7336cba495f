//! What a build takes too much of is not given to it.

use super::place::{DEADLINE, Place, processes, run, run_noted, sandboxes, uid};
use launcher::sandbox::Exit;
use launcher::spec::Limits;
use std::process::Command;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_limit_holds() {
    for sandbox in sandboxes().await {
        let place = Place::new();
        let mut spec = place.shell("head -c 400000000 /dev/zero | tail >/dev/null; exit $?");
        spec.limits.memory_bytes = 64 << 20;
        let (exit, lines) = run_noted(&sandbox, &spec).await;
        let given_up = lines.iter().any(|line| line.ends_with("the memory limit is not enforced"));
        assert!(exit == Exit::OutOfMemory || given_up, "{}: {exit:?} {lines:?}", sandbox.name());
        assert!(!given_up || uid("/proc/self") != 0, "root can make control groups");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn temporary_files_and_long_files_are_bounded() {
    for sandbox in sandboxes().await {
        let place = Place::new();
        let script = "for folder in /tmp /dev/shm ~; do head -c 30000000 /dev/zero > $folder/big 2>/dev/null; done
            stat -c %s /tmp/big /dev/shm/big ~/big";
        let mut spec = place.shell(script);
        spec.limits = Limits { tmp_bytes: 1 << 20, file_bytes: 2 << 20, ..spec.limits };
        let (_, lines) = run(&sandbox, &spec).await;
        let sizes: Vec<_> = lines.iter().filter(|line| line.parse::<u64>().is_ok()).collect();
        assert_eq!(sizes, ["1048576", "1048576", "2097152"], "{}: {lines:?}", sandbox.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_bomb_is_contained_and_can_be_stopped() {
    for (sandbox, nap) in sandboxes().await.iter().zip(["86323", "86324"]) {
        let place = Place::new();
        let script = format!("bomb() {{ sleep {nap} & bomb | bomb & }}; bomb; sleep {nap}; wait");
        let mut spec = place.shell(&script);
        spec.limits.pids = 64;
        let (lines, mut said) = mpsc::channel(64);
        let stop = CancellationToken::new();
        let running = sandbox.run(&spec, lines, stop.clone());
        let stopping = async {
            let said = tokio::time::timeout(DEADLINE, async {
                while let Some(line) = said.recv().await {
                    if line.contains("fork") {
                        return true;
                    }
                }
                false
            });
            let hit = said.await;
            let alive = processes(nap);
            stop.cancel();
            (hit, alive)
        };
        let (exit, (hit, alive)) = tokio::join!(running, stopping);
        assert!(exit.is_ok());
        assert_eq!(hit, Ok(true), "{} says that it cannot fork", sandbox.name());
        assert!(alive <= 64, "{}: {alive} processes", sandbox.name());
        assert_eq!(processes(nap), 0, "{}", sandbox.name());
        assert!(Command::new("true").status().unwrap().success());
    }
}
