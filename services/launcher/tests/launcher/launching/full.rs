//! A disk that is full ends no build: it is told, no build is taken meanwhile, and what was in hand is given back.

use super::away::{interruptions, until_given_back};
use super::processes;
use super::world::{Launched, Silent, World, until};
use events::{BuildEvent, BuildId, Outcome};
use launcher::Config;
use launcher::spec::Limits;
use runtime::health::Status;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const MIB: usize = 1 << 20;
const DISK_MIB: usize = 64;
/// Longer than it takes until a build is taken.
const TAKEN: Duration = Duration::from_secs(3);
const REASON: &str = "The launcher's disk is full.";

/// A small disk for a launcher's folder alone.
struct Disk(PathBuf);

impl Disk {
    /// Nothing for whoever may not mount one.
    fn mount(folder: PathBuf) -> Option<Self> {
        fs::create_dir_all(&folder).unwrap();
        let size = format!("size={DISK_MIB}m,mode=0711");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&folder).output().unwrap();
        if !mounted.status.success() {
            let said = String::from_utf8_lossy(&mounted.stderr).into_owned();
            println!("SKIPPED: a small disk cannot be mounted here: {said}");
            assert!(!rustix::process::geteuid().is_root(), "root can: {said}");
            return None;
        }
        Some(Self(folder))
    }

    /// Leaves so much.
    fn fill(&self, left: usize) {
        let found = rustix::fs::statvfs(&self.0).unwrap();
        let bytes = usize::try_from(found.f_bavail * found.f_frsize).unwrap();
        fs::write(self.filling(), vec![0; bytes - left]).unwrap();
    }

    fn free(&self) {
        fs::remove_file(self.filling()).unwrap();
    }

    fn filling(&self) -> PathBuf {
        self.0.join("filling")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// A launcher on a small disk.
async fn launch(world: &World, s3: &Silent) -> Launched {
    let limits = Limits { disk_reserve_bytes: MIB as u64, ..world.config().limits };
    world.launch(Config { limits, ..world.config() }, s3.address).await
}

async fn until_told(launched: &Launched, status: Status) {
    until("the truth about the disk", async || launched.disk().status == status).await;
}

async fn fails_by_itself(world: &World, build: BuildId) {
    let end = world.finished(build).await;
    let BuildEvent::Finished { outcome, reason, .. } = &end else { panic!("{end:?}") };
    assert_eq!((outcome, reason.as_str()), (&Outcome::Failure, "npm run pages failed with exit code 3."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_is_told_and_waited_for_before_an_attempt_begins() {
    let (world, s3) = (World::new().await, Silent::listen().await);
    let Some(disk) = Disk::mount(world.data()) else { return };
    disk.fill(MIB / 2);
    let launched = launch(&world, &s3).await;
    until_told(&launched, Status::Failing).await;
    let build = world.dispatch(&world.repository("failing", "exit 3")).await;
    tokio::time::sleep(TAKEN).await;
    let detail = launched.disk().detail.unwrap();
    assert!(detail.starts_with("disk full: ") && detail.contains("`--build-disk-reserve-bytes"), "{detail}");
    assert_eq!(world.starts(build).await, 0);
    disk.free();
    fails_by_itself(&world, build).await;
    assert_eq!((world.starts(build).await, launched.disk().status), (1, Status::Ok));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_beside_a_build_costs_an_attempt_and_not_the_build() {
    let (world, s3) = (World::new().await, Silent::listen().await);
    let Some(disk) = Disk::mount(world.data()) else { return };
    let launched = launch(&world, &s3).await;
    let napping = "sleep 86961";
    let build = world.dispatch(&world.repository("napping", napping)).await;
    until("the build to run", async || !processes::with_command("86961").is_empty()).await;
    disk.fill(MIB / 2);
    until_given_back(&world, build).await;
    until_told(&launched, Status::Failing).await;
    assert_eq!(interruptions(&world.facts(build).await), [(1, REASON)]);
    until("the build's processes to be gone", async || processes::with_command("86961").is_empty()).await;
    disk.free();
    world.until(build, "the next attempt", |state| state.running_attempt() == Some(2)).await;
    world.cancel(build).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_finds_no_room_is_not_blamed_for_what_it_says() {
    let (world, s3) = (World::new().await, Silent::listen().await);
    let Some(disk) = Disk::mount(world.data()) else { return };
    let _launched = launch(&world, &s3).await;
    // It is over before anybody has looked how much it wrote.
    let greedy = "head -c 60000000 /dev/zero > large && exit 3";
    disk.fill(30 * MIB);
    let build = world.dispatch(&world.repository("greedy", greedy)).await;
    until("the build to be given back", async || !interruptions(&world.facts(build).await).is_empty()).await;
    assert!(interruptions(&world.facts(build).await).iter().all(|(_, why)| *why == REASON));
    disk.free();
    fails_by_itself(&world, build).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_finds_no_room_is_fetched_when_there_is_some() {
    let (world, s3) = (World::new().await, Silent::listen().await);
    let Some(disk) = Disk::mount(world.data()) else { return };
    let _launched = launch(&world, &s3).await;
    let repository = world.repository("large", "exit 3");
    commit_noise(Path::new(repository.trim_start_matches("file://")), 12 * MIB);
    disk.fill(20 * MIB);
    let build = world.dispatch(&repository).await;
    until("the build to be given back", async || !interruptions(&world.facts(build).await).is_empty()).await;
    assert!(interruptions(&world.facts(build).await).iter().all(|(_, why)| *why == REASON));
    disk.free();
    fails_by_itself(&world, build).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_finds_no_room_to_be_packed_is_built_again() {
    let (world, s3) = (World::new().await, Silent::listen().await);
    let Some(disk) = Disk::mount(world.data()) else { return };
    let _launched = launch(&world, &s3).await;
    disk.fill(30 * MIB);
    let page = "mkdir _site && head -c 20000000 /dev/zero > _site/page";
    let build = world.dispatch(&world.repository("large", page)).await;
    until("the build to be given back", async || !interruptions(&world.facts(build).await).is_empty()).await;
    assert!(interruptions(&world.facts(build).await).iter().all(|(_, why)| *why == REASON));
    disk.free();
    s3.reached().await;
    world.cancel(build).await;
}

fn commit_noise(folder: &Path, bytes: usize) {
    let script = format!(
        "head -c {bytes} /dev/urandom > noise && git add -A && \
         git -c user.name=n -c user.email=e@example.org commit -q -m noise"
    );
    assert!(Command::new("sh").args(["-ec", &script]).current_dir(folder).status().unwrap().success());
}
