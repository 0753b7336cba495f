//! What a build may use is in force while it runs, and nothing of it is seen by others.

use super::processes;
use super::world::{Silent, World, until};
use events::{BuildEvent, Outcome};
use launcher::Config;
use launcher::sandbox::{self, Exit, Kind, Sandbox};
use launcher::spec::{ContainerSpec, Limits, container_name};
use launcher::workspace::Workspace;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Both sandboxes; Docker is left out with `PAGEFOLD_TEST_DOCKER=0`.
pub(crate) fn kinds() -> Vec<Kind> {
    let docker = std::env::var("PAGEFOLD_TEST_DOCKER").map_or(true, |value| value != "0");
    [Some(Kind::Bubblewrap), docker.then_some(Kind::Docker)].into_iter().flatten().collect()
}

pub(crate) async fn sandbox(kind: Kind, installation: &str) -> Sandbox {
    let config = sandbox::Config { kind, installation: installation.to_owned(), ..sandbox::Config::default() };
    Sandbox::detect(&config).await.unwrap()
}

pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Workspace::create(folder.path().join("workspace")).unwrap();
        Self(folder)
    }

    pub(crate) fn shell(&self, script: &str) -> ContainerSpec {
        let build = self.0.path().file_name().unwrap().to_string_lossy().trim_start_matches('.').to_owned();
        ContainerSpec {
            name: container_name(&build),
            build,
            command: ["sh", "-c", script].map(str::to_owned).to_vec(),
            env: [("HIDDEN".to_owned(), "a-value-for-nobody-else".to_owned())].into(),
            variables: Default::default(),
            workspace: Workspace::at(self.0.path().join("workspace")),
            limits: Limits { cpu_millis: 500, ..Limits::default() },
            gate: None,
        }
    }
}

/// Runs `script` and looks at the machine while it runs, from before it starts on.
async fn beside<T>(sandbox: &Sandbox, script: &str, look: impl AsyncFnOnce() -> T) -> T {
    let place = Place::new();
    let (lines, mut said) = mpsc::channel(64);
    let stop = CancellationToken::new();
    let spec = place.shell(script);
    let running = sandbox.run(&spec, lines, stop.clone());
    let reading = async { while said.recv().await.is_some() {} };
    let looking = async {
        let seen = look().await;
        stop.cancel();
        seen
    };
    let (exit, seen, ()) = tokio::join!(running, looking, reading);
    assert_eq!(exit.unwrap().exit, Exit::Stopped);
    seen
}

/// The value of a file in the control group of a process, by the names that versions 1 and 2 have for it.
fn group_setting(pid: u32, controller: &str, files: [&str; 2]) -> Option<String> {
    processes::read(pid, "cgroup").lines().find_map(|line| {
        let (listed, path) = line.split_once(':')?.1.split_once(':')?;
        let root = PathBuf::from("/sys/fs/cgroup");
        let folders = [root.join(listed), root.join("unified"), root];
        let ours = listed.is_empty() || listed.split(',').any(|listed| listed == controller);
        let found = folders.iter().flat_map(|folder| files.map(|file| folder.join(path.trim_matches('/')).join(file)));
        found.filter(|_| ours).find_map(|file| fs::read_to_string(file).ok()).map(|text| text.trim().to_owned())
    })
}

async fn pid_of(nap: &str) -> u32 {
    let ours = |pid: &u32| processes::read(*pid, "comm").trim() == "sleep";
    until("the nap", async || processes::with_command(nap).iter().any(ours)).await;
    processes::with_command(nap).into_iter().find(ours).unwrap()
}

/// The settings of the process of a build that keep it from its neighbours and from the platform.
fn assert_stands_back(pid: u32, sandbox: &str) {
    let stat = processes::read(pid, "stat");
    let nice = stat.rsplit(") ").next().unwrap().split(' ').nth(16).unwrap();
    assert_eq!(nice, "10", "{sandbox}");
    let class = std::process::Command::new("ionice").args(["-p", &pid.to_string()]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&class.stdout).trim(), "idle", "{sandbox}");
    let makes_groups = sandbox == "docker" || fs::metadata("/proc/self").unwrap().uid() == 0;
    if makes_groups {
        let shares = group_setting(pid, "cpu", ["cpu.shares", "cpu.weight"]).unwrap();
        assert!(["204", "20"].contains(&shares.as_str()), "{sandbox}: {shares}");
        let quota = group_setting(pid, "cpu", ["cpu.cfs_quota_us", "cpu.max"]).unwrap();
        assert!(["50000", "50000 100000"].contains(&quota.as_str()), "{sandbox}: {quota}");
        let pids = group_setting(pid, "pids", ["pids.max", "pids.max"]).unwrap();
        assert_eq!(pids, "1024", "{sandbox}");
    }
}

/// The weight of a build's group, whether or not the disk's scheduler looks at it. A sandbox that knows nothing of it is helped
/// when the container runs.
async fn assert_weighs_little_at_the_disk(pid: u32, sandbox: &str) {
    let weight = || group_setting(pid, "blkio", ["blkio.bfq.weight", "io.bfq.weight"]);
    let weight = || weight().or_else(|| group_setting(pid, "blkio", ["blkio.weight", "io.weight"]));
    if fs::metadata("/proc/self").unwrap().uid() != 0 || weight().is_none() {
        return println!("SKIPPED: {sandbox}: no group with a weight at the disk can be made here");
    }
    let is_set =
        |weight: String| weight.lines().next().is_some_and(|first| first.trim_start_matches("default ") == "20");
    until(&format!("{sandbox} to give a build its weight at the disk"), async || weight().is_some_and(is_set)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_fork_bomb_and_a_disk_filler_a_neighbour_is_built_and_both_stand_back() {
    let greedy = [
        ("86911", "bomb() { sleep 86911 & bomb | bomb & }; bomb; sleep 86911; wait"),
        ("86912", "sleep 86912 & while :; do head -c 50000000 /dev/zero > fill; done"),
    ];
    for kind in kinds() {
        let sandbox = sandbox(kind, "shares").await;
        for (nap, script) in greedy {
            let name = sandbox.name();
            let neighbour = async || {
                let pid = pid_of(nap).await;
                assert_stands_back(pid, name);
                assert_weighs_little_at_the_disk(pid, name).await;
                let (place, (lines, mut said)) = (Place::new(), mpsc::channel(64));
                let spec = place.shell("echo built");
                let running = sandbox.run(&spec, lines, CancellationToken::new());
                let (exit, line) = tokio::join!(running, said.recv());
                assert_eq!((exit.unwrap().exit, line.as_deref()), (Exit::Code(0), Some("built")), "{name}");
            };
            beside(&sandbox, script, neighbour).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_of_a_build_are_on_no_command_line() {
    for kind in kinds() {
        let sandbox = sandbox(kind, "lines").await;
        let look = async || {
            until("the build to run", async || {
                let seen = processes::with_command("a-value-for-nobody-else");
                assert!(
                    seen.is_empty(),
                    "{}: {:?}",
                    sandbox.name(),
                    seen.iter().map(|pid| processes::read(*pid, "cmdline")).collect::<Vec<_>>()
                );
                processes::with_command("86913").iter().any(|pid| processes::read(*pid, "comm").trim() == "sleep")
            })
            .await;
        };
        beside(&sandbox, "test \"$HIDDEN\" = a-value-for-nobody'-else' && sleep 86913", look).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_fills_the_disk_is_ended_with_a_word() {
    let (world, s3) = (World::new().await, Silent::listen().await);
    let limits = Limits { disk_bytes: 8 << 20, ..world.config().limits };
    let _launched = world.launch(Config { limits, ..world.config() }, s3.address).await;
    let fill = "i=0; while :; do i=$((i+1)); head -c 1000000 /dev/zero > fill$i; sleep 0.02; done";
    let build = world.dispatch(&world.repository("filler", fill)).await;
    let BuildEvent::Finished { outcome, reason: message, .. } = world.finished(build).await else { panic!() };
    let expected = "The build wrote more than the 8388608 bytes of disk that it may use (`--build-disk-bytes`).";
    assert_eq!((outcome, message.as_str()), (Outcome::Failure, expected));
}
