//! What is away, or full, for longer than a moment.

use super::proof;
use super::stage::Stage;
use crate::{Part, Service, Signal, eventually};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const STORE_AWAY: Duration = Duration::from_secs(30);
/// Longer than a build takes that finds no room.
const DISK_FULL: Duration = Duration::from_secs(20);
/// What the launcher's disk holds, and what is left of it when somebody has filled it.
const DISK_BYTES: usize = 64 << 20;
const LEFT_BYTES: usize = 64 << 10;

/// What was built waits for the store; it is neither lost nor built again.
pub(super) async fn store_refuses(stage: &mut Stage) {
    let reader = stage.reader(false);
    stage.fleet().stop(Part::Store, Signal::TERM).await;
    let (delivery, page) = stage.commit();
    let push = stage.deliver(&delivery).await;
    tokio::time::sleep(STORE_AWAY).await;
    stage.fleet().start(Part::Store).await;
    reader.shows(page).await;
    stage.told(&push).await;
    stage.is_well().await;
    proof::one_page(stage, &push);
    assert_eq!(proof::count(&proof::story(stage, &push), "build.started"), 1, "it is built once");
    proof::whole(stage).await;
    assert_eq!(reader.checked(), page);
}

/// A push becomes a page without the read model, which has all of it afterwards.
pub(super) async fn postgres_is_away(stage: &mut Stage) {
    let reader = stage.reader(false);
    stage.fleet().stop(Part::Postgres, Signal::KILL).await;
    let (delivery, page) = stage.commit();
    let push = stage.deliver(&delivery).await;
    reader.shows(page).await;
    stage.told(&push).await;
    proof::one_page(stage, &push);
    stage.fleet().start(Part::Postgres).await;
    stage.is_well().await;
    proof::whole(stage).await;
    assert_eq!(reader.checked(), page);
}

/// The launcher says so and takes no build, nobody else notices, and the push is built when there is room again.
pub(super) async fn disk_is_full(stage: &mut Stage) {
    let reader = stage.reader(false);
    let launcher = Part::Service(Service::Launcher);
    stage.fleet().stop(launcher, Signal::TERM).await;
    let disk = Disk::mount(&stage.fleet().folder().join(Service::Launcher.name()));
    stage.fleet().start(launcher).await;
    stage.is_well().await;
    let filling = disk.fill();
    let (delivery, page) = stage.commit();
    let push = stage.deliver(&delivery).await;
    stage.until(&push, "build.dispatched").await;
    let fleet = stage.fleet();
    let told = async || {
        let (status, health) = fleet.health(Service::Launcher).await?;
        let detail = health["parts"]["disk"]["detail"].as_str()?;
        (status == 503 && detail.starts_with("disk full")).then_some(())
    };
    eventually("the launcher to say that its disk is full", told).await;
    tokio::time::sleep(DISK_FULL).await;
    let story = proof::story(stage, &push);
    assert_eq!(story.iter().filter(|fact| fact.is_end()).count(), 0, "{}", proof::told(&story));
    assert_eq!(reader.checked(), page - 1, "the page is the one before");

    std::fs::remove_file(filling).unwrap();
    reader.shows(page).await;
    stage.told(&push).await;
    proof::one_page(stage, &push);
    proof::whole(stage).await;
    assert_eq!(reader.checked(), page);
    stage.fleet().stop(launcher, Signal::TERM).await;
    drop(disk);
    stage.fleet().start(launcher).await;
    stage.is_well().await;
}

/// A small disk.
struct Disk(PathBuf);

impl Disk {
    fn mount(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let size = format!("size={DISK_BYTES},mode=0700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder).status().unwrap();
        assert!(mounted.success(), "only root may mount the small disk that this story fills");
        Self(folder.to_owned())
    }

    /// Leaves next to nothing.
    fn fill(&self) -> PathBuf {
        let (filling, left) = (self.0.join("filling"), rustix::fs::statvfs(&self.0).unwrap());
        let bytes = usize::try_from(left.f_bavail * left.f_frsize).unwrap() - LEFT_BYTES;
        std::fs::write(&filling, vec![0; bytes]).unwrap();
        filling
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}
