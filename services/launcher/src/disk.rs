//! Watches what folders take of a shared disk, since nothing else bounds it.

use crate::group;
use crate::spec::Limits;
use crate::workspace::Workspace;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::Instant;

/// How often folders are measured, and at most a part of the time.
pub(crate) const MEASURE_EVERY: Duration = Duration::from_secs(1);
const PART: u32 = 10;
/// A disk that has less left is full, whatever is to be kept for others: what is written in pieces finds no room for the next.
const FULL_BYTES: u64 = 1 << 20;
/// What `du` counts.
const BYTES: &str = "--block-size=1";
const FILES: &str = "--inodes";

/// What there is too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excess {
    Bytes(u64),
    Files(u64),
    /// Not by these folders alone, but the disk is needed for more than them.
    Disk(u64),
}

impl Excess {
    /// What the build did wrong, for the person who reads it; nothing where the disk is short, whoever filled it.
    pub(crate) fn fault(self) -> Option<String> {
        match self {
            Self::Bytes(limit) => Some(format!(
                "The build wrote more than the {limit} bytes of disk that it may use (`--build-disk-bytes`)."
            )),
            Self::Files(limit) => {
                Some(format!("The build made more than the {limit} files that it may have (`--build-disk-files`)."))
            }
            Self::Disk(_) => None,
        }
    }
}

/// Whether a disk that has so much left is short of what it keeps for others.
pub(crate) const fn is_short(left_bytes: u64, reserve_bytes: u64) -> bool {
    left_bytes < reserve_bytes || left_bytes < FULL_BYTES
}

/// Whether something failed because there is no room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// What some folders of one disk may hold together.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    pub(crate) folders: Vec<PathBuf>,
    pub(crate) bytes: u64,
    pub(crate) files: u64,
    /// What the disk keeps for others.
    pub(crate) reserve_bytes: u64,
}

/// Ends when the build has written more than it may. Until then `seen` is told how much that is.
pub(crate) async fn exceeded(workspace: &Workspace, limits: &Limits, seen: impl Fn(u64)) -> Excess {
    of_build(workspace, limits).watched(seen).await
}

/// What a build takes of the disk now, in bytes; nothing if that cannot be told.
pub(crate) async fn taken_by(workspace: &Workspace) -> Option<u64> {
    measure(&written(workspace), BYTES).await
}

fn written(workspace: &Workspace) -> [PathBuf; 3] {
    [workspace.site(), workspace.home(), workspace.cache()]
}

fn of_build(workspace: &Workspace, limits: &Limits) -> Bounds {
    Bounds {
        folders: written(workspace).to_vec(),
        bytes: limits.disk_bytes,
        files: limits.disk_files,
        reserve_bytes: limits.disk_reserve_bytes,
    }
}

impl Bounds {
    /// Ends when there is too much in the folders.
    pub(crate) async fn exceeded(&self) -> Excess {
        self.watched(|_| {}).await
    }

    /// The same, and tells `seen` how much is in them whenever that is known.
    async fn watched(&self, seen: impl Fn(u64)) -> Excess {
        loop {
            let started = Instant::now();
            if let Some(excess) = self.look_and_tell(&seen).await {
                return excess;
            }
            tokio::time::sleep(MEASURE_EVERY.max(started.elapsed() * PART)).await;
        }
    }

    async fn is_disk_short(&self, folder: &Path) -> bool {
        left(folder).await.is_some_and(|left| is_short(left, self.reserve_bytes))
    }

    /// What there is too much of now.
    pub(crate) async fn look(&self) -> Option<Excess> {
        self.look_and_tell(&|_| {}).await
    }

    async fn look_and_tell(&self, seen: &impl Fn(u64)) -> Option<Excess> {
        if let Some(folder) = self.folders.first()
            && self.is_disk_short(folder).await
        {
            return Some(Excess::Disk(self.reserve_bytes));
        }
        let above = |used: Option<u64>, limit: u64| used.is_some_and(|used| used > limit);
        let used = measure(&self.folders, BYTES).await;
        used.inspect(|used| seen(*used));
        if above(used, self.bytes) {
            return Some(Excess::Bytes(self.bytes));
        }
        let counted = self.files < u64::MAX;
        (counted && above(measure(&self.folders, FILES).await, self.files)).then_some(Excess::Files(self.files))
    }
}

/// Bytes that the disk below a folder has left for us, none where no more files can be made; it may be gone already.
pub(crate) async fn left(folder: &Path) -> Option<u64> {
    let folder = folder.to_owned();
    let found = crate::blocking(move || Ok(rustix::fs::statvfs(folder)?)).await.ok()?;
    // Where files are not counted there are none at all.
    let has_files = found.f_files == 0 || found.f_favail > 0;
    Some(if has_files { found.f_bavail.saturating_mul(found.f_frsize) } else { 0 })
}

/// Whether the disk of a workspace is short now.
pub(crate) async fn is_short_of(workspace: &Workspace, limits: &Limits) -> bool {
    of_build(workspace, limits).is_disk_short(&workspace.site()).await
}

/// What a folder takes of the disk, in bytes; nothing if that cannot be told.
pub(crate) async fn taken(folder: &Path) -> Option<u64> {
    measure(&[folder.to_owned()], BYTES).await
}

/// What folders hold together, as the disk counts it. A program does it, for the same reason as a workspace is removed by
/// one; it complains of what vanishes meanwhile, and still says what it saw.
async fn measure(folders: &[PathBuf], unit: &str) -> Option<u64> {
    let mut command = Command::new("nice");
    command.args(["-n", "19", "du", "--summarize", "--total", unit, "--"]).args(folders);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let said = group::output(&mut command).await.ok()?;
    total(&String::from_utf8_lossy(&said.stdout))
}

fn total(said: &str) -> Option<u64> {
    said.lines().last()?.strip_suffix("\ttotal")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{BYTES, Excess, FULL_BYTES, is_short, measure, of_build, total};
    use crate::spec::Limits;
    use crate::workspace::Workspace;
    use std::fs;

    #[test]
    fn the_last_line_is_the_total() {
        assert_eq!(total("4096\t/w/site\n12\t/w/home\n4108\ttotal\n"), Some(4108));
        assert_eq!(total(""), None);
    }

    #[test]
    fn a_disk_is_short_below_its_reserve_and_always_when_next_to_nothing_is_left() {
        assert!(is_short(99, 100) && is_short((2 << 20) - 1, 2 << 20));
        assert!(!is_short(2 << 20, 2 << 20) && !is_short(FULL_BYTES, 0));
        assert!(is_short(FULL_BYTES - 1, 0), "nobody keeps less");
    }

    #[tokio::test]
    async fn bytes_files_and_the_machine_s_reserve_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::create(folder.path().join("build")).unwrap();
        fs::write(workspace.home().join("big"), vec![1; 3 << 20]).unwrap();
        for index in 0..20 {
            fs::write(workspace.site().join(index.to_string()), "").unwrap();
        }
        let used = measure(&[workspace.site(), workspace.home()], BYTES).await.unwrap();
        assert!((3 << 20..4 << 20).contains(&used), "{used}");
        let limits = Limits { disk_reserve_bytes: 0, ..Limits::default() };
        assert_eq!(of_build(&workspace, &limits).look().await, None);
        let little = Limits { disk_bytes: 1 << 20, ..limits.clone() };
        assert_eq!(of_build(&workspace, &little).look().await, Some(Excess::Bytes(1 << 20)));
        let few = Limits { disk_files: 10, ..limits.clone() };
        assert_eq!(of_build(&workspace, &few).look().await, Some(Excess::Files(10)));
        let full = Limits { disk_reserve_bytes: u64::MAX, ..limits };
        assert_eq!(of_build(&workspace, &full).look().await, Some(Excess::Disk(u64::MAX)));
    }
}
