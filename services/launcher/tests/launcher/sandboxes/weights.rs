//! Who gives way when two want the same processor: told by the time that each was given, not by the clock.

use super::place::{DEADLINE, Place, sandboxes, until};
use launcher::sandbox::Exit;
use launcher::spec::Limits;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const SPIN: &str = "while :; do :; done";
/// What both were given together before they are compared, in nanoseconds.
const ENOUGH: u64 = 2_000_000_000;

/// A process in a group as heavy as any, beside the group of the platform's own processes.
struct Neighbour {
    process: Child,
    group: PathBuf,
}

impl Neighbour {
    fn start() -> Result<Self, String> {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap();
        let group = own.lines().find_map(|line| {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            let folder = Path::new("/sys/fs/cgroup").join(controllers).join(path.trim_matches('/'));
            let weighs = ["cpu.shares", "cpu.weight"].iter().any(|file| folder.join(file).exists());
            weighs.then(|| folder.join(format!("pagefold-neighbour-{}", std::process::id())))
        });
        let group = group.ok_or("no control group for processors")?;
        fs::create_dir(&group).map_err(|error| format!("no control group can be made: {error}"))?;
        let process = Command::new("sh").args(["-c", SPIN]).spawn().unwrap();
        fs::write(group.join("cgroup.procs"), process.id().to_string()).unwrap();
        Ok(Self { process, group })
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir(&self.group);
    }
}

/// Says that a test cannot see what it is about. Root can make groups and mount disks, so there it is a failure, unless this
/// machine is known not to let it: whoever runs the tests there names that.
pub(super) fn skipped(why: &str) {
    println!("SKIPPED: {why}");
    let allowed = !rustix::process::geteuid().is_root()
        || std::env::var_os("PAGEFOLD_TEST_SHARES").is_some_and(|value| value == "0");
    assert!(allowed, "{why}: weights cannot be seen at work; set PAGEFOLD_TEST_SHARES=0 where that must do");
}

/// The process of a build that spins, named by its last word.
fn spinning(name: &str) -> Option<u32> {
    let command = ["sh", "-c", SPIN, name, ""].join("\0");
    let ids = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut ids = ids.filter(|id| fs::read(format!("/proc/{id}/cmdline")).is_ok_and(|line| line == command.as_bytes()));
    ids.next()
}

/// Binds a process to the first processor that this one may have.
fn bind(id: u32) {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let all = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap();
    let first = all.trim().split([',', '-']).next().unwrap();
    assert!(Command::new("taskset").args(["-pc", first, &id.to_string()]).output().unwrap().status.success());
}

/// Nanoseconds of processors that a process was given.
fn given(id: u32) -> u64 {
    let told = fs::read_to_string(format!("/proc/{id}/schedstat")).unwrap();
    told.split(' ').next().unwrap().parse().unwrap()
}

/// What the neighbour and the build are given from now on.
async fn compete(neighbour: u32, build: u32) -> (u64, u64) {
    bind(neighbour);
    bind(build);
    let before = [neighbour, build].map(given);
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = [neighbour, build].map(given);
        let since = (now[0] - before[0], now[1] - before[1]);
        if since.0 + since.1 > ENOUGH {
            return since;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_the_platform_a_build_has_the_share_of_its_weight() {
    for (sandbox, name) in sandboxes().await.iter().zip(["86951", "86952"]) {
        let neighbour = match Neighbour::start() {
            Ok(neighbour) => neighbour,
            Err(why) => return skipped(&why),
        };
        let place = Place::new();
        let mut spec = place.shell("");
        spec.command = ["sh", "-c", SPIN, name].map(str::to_owned).to_vec();
        // Between groups only weights count; within one it would be how nice a process is.
        spec.limits = Limits { cpu_weight: 20, nice: 0, ..spec.limits };
        let (lines, _unread) = mpsc::channel(8);
        let stop = CancellationToken::new();
        let running = sandbox.run(&spec, lines, stop.clone());
        let comparing = async {
            until("the build spins", || spinning(name).is_some()).await;
            let compared = compete(neighbour.process.id(), spinning(name).unwrap());
            let compared = tokio::time::timeout(DEADLINE, compared).await;
            stop.cancel();
            compared.unwrap()
        };
        let (exit, (platform, build)) = tokio::join!(running, comparing);
        assert_eq!(exit.unwrap().exit, Exit::Stopped, "{}", sandbox.name());
        // One to five is the weight; the margin is wide, and what others take is taken from both.
        assert!(platform > 2 * build, "{}: the platform {platform}, the build {build}", sandbox.name());
        assert!(build > platform / 20, "{}: the platform {platform}, the build {build}", sandbox.name());
    }
}
