//! Watches what a running build writes, since nothing in a folder of a shared disk bounds it.

use crate::group;
use crate::spec::Limits;
use crate::workspace::Workspace;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::Instant;

/// How often a workspace is measured, and at most a part of the time.
const MEASURE_EVERY: Duration = Duration::from_secs(1);
const PART: u32 = 10;

/// What a build wrote too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excess {
    Bytes(u64),
    Files(u64),
    /// Not by itself alone, but the disk is needed for more than builds.
    Disk(u64),
}

impl Excess {
    /// For the person who reads the build.
    pub(crate) fn message(self) -> String {
        match self {
            Self::Bytes(limit) => format!("The build wrote more than the {limit} bytes of disk that it may use."),
            Self::Files(limit) => format!("The build made more than the {limit} files that it may have."),
            Self::Disk(reserve) => {
                format!("The build was ended because the machine's disk has less than {reserve} bytes left.")
            }
        }
    }
}

/// Ends when the build has written more than it may.
pub(crate) async fn exceeded(workspace: &Workspace, limits: &Limits) -> Excess {
    loop {
        let started = Instant::now();
        if let Some(excess) = look(workspace, limits).await {
            return excess;
        }
        tokio::time::sleep(MEASURE_EVERY.max(started.elapsed() * PART)).await;
    }
}

async fn look(workspace: &Workspace, limits: &Limits) -> Option<Excess> {
    let left = left(workspace.site()).await;
    if left.is_some_and(|left| left < limits.disk_reserve_bytes) {
        return Some(Excess::Disk(limits.disk_reserve_bytes));
    }
    let above = |used: Option<u64>, limit: u64| used.is_some_and(|used| used > limit);
    if above(measure(workspace, "--block-size=1").await, limits.disk_bytes) {
        return Some(Excess::Bytes(limits.disk_bytes));
    }
    above(measure(workspace, "--inodes").await, limits.disk_files).then_some(Excess::Files(limits.disk_files))
}

/// Bytes that the disk below a folder has left for us; it may be gone already.
async fn left(folder: PathBuf) -> Option<u64> {
    let found = crate::blocking(move || Ok(rustix::fs::statvfs(folder)?)).await.ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

/// What the checkout and the home hold together, as the disk counts it. A program does it, for the same reason as a
/// workspace is removed by one; it complains of what vanishes meanwhile, and still says what it saw.
async fn measure(workspace: &Workspace, unit: &str) -> Option<u64> {
    let mut command = Command::new("nice");
    command.args(["-n", "19", "du", "--summarize", "--total", unit, "--"]);
    command.arg(workspace.site()).arg(workspace.home());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let said = group::output(&mut command).await.ok()?;
    total(&String::from_utf8_lossy(&said.stdout))
}

fn total(said: &str) -> Option<u64> {
    said.lines().last()?.strip_suffix("\ttotal")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Excess, look, measure, total};
    use crate::spec::Limits;
    use crate::workspace::Workspace;
    use std::fs;

    #[test]
    fn the_last_line_is_the_total() {
        assert_eq!(total("4096\t/w/site\n12\t/w/home\n4108\ttotal\n"), Some(4108));
        assert_eq!(total(""), None);
    }

    #[tokio::test]
    async fn bytes_files_and_the_machine_s_reserve_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::create(folder.path().join("build")).unwrap();
        fs::write(workspace.home().join("big"), vec![1; 3 << 20]).unwrap();
        for index in 0..20 {
            fs::write(workspace.site().join(index.to_string()), "").unwrap();
        }
        let used = measure(&workspace, "--block-size=1").await.unwrap();
        assert!((3 << 20..4 << 20).contains(&used), "{used}");
        let limits = Limits { disk_reserve_bytes: 0, ..Limits::default() };
        assert_eq!(look(&workspace, &limits).await, None);
        let little = Limits { disk_bytes: 1 << 20, ..limits.clone() };
        assert_eq!(look(&workspace, &little).await, Some(Excess::Bytes(1 << 20)));
        let few = Limits { disk_files: 10, ..limits.clone() };
        assert_eq!(look(&workspace, &few).await, Some(Excess::Files(10)));
        let full = Limits { disk_reserve_bytes: u64::MAX, ..limits };
        assert_eq!(look(&workspace, &full).await, Some(Excess::Disk(u64::MAX)));
    }
}
