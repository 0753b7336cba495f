//! Who gives way when two want the same disk: told by the bytes that each was given, on a disk of the test's own whose
//! scheduler looks at weights, whatever the machine's disks have.

use super::place::{DEADLINE, Place, sandboxes, until};
use super::weights::skipped;
use launcher::sandbox::Exit;
use launcher::spec::Limits;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Reads past the cache, for ever, and so much at once that the disk always has something to choose from. The file and a name
/// to be found by follow.
const READ: &str = "read() { while :; do dd if=\"$1\" of=/dev/null bs=1M iflag=direct 2>/dev/null; done; }; \
    read \"$1\" & read \"$1\" & read \"$1\" & read \"$1\"";
const FILE_MIB: usize = 32;
/// What both were given together before they are compared.
const ENOUGH: u64 = 2 << 30;
/// How often that is looked at where the one does not stand back.
const ROUNDS: usize = 5;

/// A disk in a file, with the scheduler that shares by weight.
struct Disk {
    folder: TempDir,
    device: String,
}

impl Disk {
    fn mount() -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("image");
        fs::File::create(&image).unwrap().set_len(256 << 20).unwrap();
        said(Command::new("mkfs.ext4").arg("-q").arg(&image))?;
        let device = said(Command::new("losetup").args(["--find", "--show"]).arg(&image))?;
        let disk = Self { folder, device };
        let queue = Path::new("/sys/block").join(Path::new(&disk.device).file_name().unwrap()).join("queue");
        fs::write(queue.join("scheduler"), "bfq").map_err(|error| format!("no scheduler by weight: {error}"))?;
        // Else whoever comes anew is preferred for a while.
        fs::write(queue.join("iosched/low_latency"), "0").unwrap();
        fs::create_dir(disk.root()).unwrap();
        said(Command::new("mount").arg(&disk.device).arg(disk.root()))?;
        Ok(disk)
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("disk")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.root()).output();
        let _ = Command::new("losetup").arg("--detach").arg(&self.device).output();
    }
}

fn said(command: &mut Command) -> Result<String, String> {
    let done = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if done.status.success() { Ok(text(&done.stdout)) } else { Err(format!("{command:?}: {}", text(&done.stderr))) }
}

/// A process in a group of its own, as heavy as any.
struct Neighbour {
    process: Child,
    group: PathBuf,
}

impl Neighbour {
    fn start(file: &Path) -> Result<Self, String> {
        let group = group_of("self").ok_or("no control group for the disk")?;
        let group = group.join(format!("pagefold-neighbour-{}", std::process::id()));
        fs::create_dir(&group).map_err(|error| format!("no control group can be made: {error}"))?;
        // It reads nothing before it has joined.
        let join = format!("echo $$ >'{}/cgroup.procs'; {READ}", group.display());
        let process = Command::new("sh").args(["-c", &join, "sh"]).arg(file).spawn().unwrap();
        Ok(Self { process, group })
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        // Those who are started meanwhile are killed the next time.
        while fs::remove_dir(&self.group).is_err() {
            let members = fs::read_to_string(self.group.join("cgroup.procs")).unwrap_or_default();
            let members = members.lines().filter_map(|id| Pid::from_raw(id.parse().ok()?));
            for member in members {
                let _ = kill_process(member, Signal::KILL);
            }
        }
        let _ = self.process.wait();
    }
}

/// The group of a process that counts for the disk.
fn group_of(process: &str) -> Option<PathBuf> {
    let text = fs::read_to_string(format!("/proc/{process}/cgroup")).ok()?;
    text.lines().find_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let folder = Path::new("/sys/fs/cgroup").join(controllers).join(path.trim_matches('/'));
        (controllers == "blkio" || folder.join("io.stat").exists()).then_some(folder)
    })
}

/// Bytes that a group has read.
fn given(group: &Path) -> u64 {
    let (first, second) = (group.join("blkio.bfq.io_service_bytes"), group.join("io.stat"));
    let lines = |text: String, read: fn(&str) -> Option<u64>| text.lines().filter_map(read).sum();
    match fs::read_to_string(first) {
        Ok(text) => lines(text, |line| line.split_once(" Read ")?.1.trim().parse().ok()),
        Err(_) => lines(fs::read_to_string(second).unwrap(), |line| {
            line.split(' ').find_map(|field| field.strip_prefix("rbytes=")?.parse().ok())
        }),
    }
}

/// The group of the build that reads, once it does.
fn group_of_build(name: &str) -> Option<PathBuf> {
    let ids = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let named = |id: &String| {
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        line.starts_with(b"sh\0") && line.ends_with(format!("\0{name}\0").as_bytes())
    };
    let mut groups = ids.filter(named).filter_map(|id| group_of(&id));
    // It begins in ours, and joins its own before it reads.
    let ours = group_of("self");
    groups.find(|group| Some(group) != ours.as_ref() && group.exists() && given(group) > 0)
}

/// What the disk gave to each while both stood in line. A reader that waits for a processor does not stand in line: where the
/// machine has other work than this, it is looked again.
async fn compete(neighbour: &Path, build: &Path) -> (u64, u64) {
    let mut compared = given_at_once(neighbour, build).await;
    for _ in 1..ROUNDS {
        if compared.0 > 2 * compared.1 {
            break;
        }
        compared = given_at_once(neighbour, build).await;
    }
    compared
}

async fn given_at_once(neighbour: &Path, build: &Path) -> (u64, u64) {
    let before = (given(neighbour), given(build));
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let since = (given(neighbour) - before.0, given(build) - before.1);
        if since.0 + since.1 > ENOUGH {
            return since;
        }
    }
}

fn noise(file: &Path) {
    let script = format!("head -c {} /dev/urandom >\"$0\" && sync \"$0\"", FILE_MIB << 20);
    assert!(Command::new("sh").args(["-ec", &script]).arg(file).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_the_platform_a_build_stands_back_at_the_disk() {
    let disk = match Disk::mount() {
        Ok(disk) => disk,
        Err(why) => return skipped(&why),
    };
    let file = disk.root().join("file");
    noise(&file);
    for (sandbox, name) in sandboxes().await.iter().zip(["86953", "86954"]) {
        let place = Place::on(&disk.root());
        noise(&place.workspace().site().join("file"));
        let mut spec = place.shell("");
        spec.command = ["sh", "-c", READ, "sh", "file", name].map(str::to_owned).to_vec();
        // By the disk alone.
        spec.limits = Limits { cpu_weight: 100, nice: 0, io_weight: 20, ..spec.limits };
        let neighbour = match Neighbour::start(&file) {
            Ok(neighbour) => neighbour,
            Err(why) => return skipped(&why),
        };
        let (lines, _unread) = mpsc::channel(8);
        let stop = CancellationToken::new();
        let running = sandbox.run(&spec, lines, stop.clone());
        let comparing = async {
            until("the build reads", || group_of_build(name).is_some()).await;
            let build = group_of_build(name).unwrap();
            let compared = tokio::time::timeout(DEADLINE, compete(&neighbour.group, &build)).await;
            stop.cancel();
            compared.unwrap()
        };
        let (exit, (platform, build)) = tokio::join!(running, comparing);
        assert_eq!(exit.unwrap().exit, Exit::Stopped, "{}", sandbox.name());
        println!("{}: the platform {platform}, the build {build}", sandbox.name());
        // Weight and class together make it four to one here.
        assert!(platform > 2 * build, "{}: the platform {platform}, the build {build}", sandbox.name());
        assert!(build > 0, "{}: a build is served too", sandbox.name());
    }
}
