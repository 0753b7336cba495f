//! Limits of one bubblewrap build by control groups, version 2 or 1, wherever this process may make a group.
//!
//! A limit that cannot be set is not an error: the caller is told which ones hold, and says so in the build's log.

mod account;
mod hierarchy;
mod parent;
mod settings;
mod sweep;

pub(super) use parent::parent;
pub(super) use settings::shares;
pub(super) use sweep::{builds, sweep};

use super::Used;
use crate::spec::{Limits, container_name};
use hierarchy::{ControlGroup, candidates, candidates_of};
use settings::settings;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// As version 2 names them.
pub(super) const CONTROLLERS: [&str; 4] = ["memory", "pids", "cpu", "io"];
/// Limits nothing, and counts the time of processors where version 1 keeps that apart.
const ACCOUNT: &str = "cpuacct";
const REMOVAL_TRIES: u32 = 100;
const REMOVAL_PAUSE: Duration = Duration::from_millis(10);

/// The name of the groups of a build, or with none the beginning of the names of all builds of a launcher.
pub(super) fn name(installation: &str, build: &str) -> String {
    format!("pagefold-{installation}-{}", container_name(build))
}

/// The groups of one build, removed when dropped.
#[derive(Default)]
pub(super) struct Cgroups {
    /// Each with its controller; the same folder twice where the hierarchy is unified.
    groups: Vec<ControlGroup>,
}

impl Cgroups {
    /// Makes the groups, as many of them as can be made.
    pub(super) fn create(name: &str, limits: &Limits) -> Self {
        let candidates = candidates();
        let groups = CONTROLLERS.iter().chain([&ACCOUNT]).filter_map(|controller| {
            let parents = candidates.iter().filter(|parent| parent.controller == *controller);
            parents.map(|parent| make(parent, name, limits)).find_map(Result::ok)
        });
        Self { groups: groups.collect() }
    }

    /// Whether the controller's limit holds.
    pub(super) fn hold(&self, controller: &str) -> bool {
        self.groups.iter().any(|group| group.controller == controller)
    }

    /// The root of the hierarchy that a controller's group is in.
    pub(super) fn root_of(&self, controller: &str) -> Option<PathBuf> {
        let group = self.groups.iter().find(|group| group.controller == controller)?;
        let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
        candidates_of(group.controller, &mounts, "").into_iter().map(|root| root.folder).next()
    }

    /// What the build has taken until now.
    pub(super) fn used(&self) -> Used {
        Used { cpu_ms: account::cpu_ms(&self.groups), memory_peak_bytes: account::memory_peak(&self.groups) }
    }

    /// The files to which a process writes its id to join.
    pub(super) fn doors(&self) -> Vec<PathBuf> {
        let mut doors: Vec<PathBuf> = self.groups.iter().map(|group| group.folder.join("cgroup.procs")).collect();
        // One hierarchy may be that of several controllers.
        doors.sort_unstable();
        doors.dedup();
        doors
    }

    /// Whether the kernel killed a process of the build for memory.
    pub(super) fn ran_out_of_memory(&self) -> bool {
        let memory = self.groups.iter().find(|group| group.controller == "memory");
        memory.is_some_and(|group| {
            let file = if group.unified { "memory.events" } else { "memory.oom_control" };
            let text = fs::read_to_string(group.folder.join(file)).unwrap_or_default();
            let mut kills = text.lines().filter_map(|line| line.strip_prefix("oom_kill "));
            kills.any(|count| count.trim() != "0")
        })
    }

    /// Removes the groups once their last process is gone.
    pub(super) fn remove(self) {
        for group in &self.groups {
            for _ in 0..REMOVAL_TRIES {
                match fs::remove_dir(&group.folder) {
                    Err(error) if error.kind() == io::ErrorKind::ResourceBusy => std::thread::sleep(REMOVAL_PAUSE),
                    _ => break,
                }
            }
        }
    }
}

impl Drop for Cgroups {
    fn drop(&mut self) {
        for group in &self.groups {
            let _ = fs::remove_dir(&group.folder);
        }
    }
}

/// Gives the group that a process is in the share of the disk that a build has: engines drop a weight that they do not know
/// the kernel's file for, and count it otherwise. `id` is in the name of that group, so it is nobody else's.
pub(super) fn weigh(process: i64, id: &str, limits: &Limits) -> io::Result<()> {
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let own = fs::read_to_string(format!("/proc/{process}/cgroup"))?;
    let candidates = candidates_of("io", &mounts, &own).into_iter();
    let mut groups = candidates.filter(|group| group.folder.to_string_lossy().contains(id));
    groups.find_map(|group| limit(&group, limits).ok()).ok_or_else(|| io::ErrorKind::Unsupported.into())
}

fn make(parent: &ControlGroup, name: &str, limits: &Limits) -> io::Result<ControlGroup> {
    if parent.unified {
        let control = parent.folder.join("cgroup.subtree_control");
        let enabled = fs::read_to_string(&control)?;
        if !enabled.split_whitespace().any(|controller| controller == parent.controller) {
            fs::write(&control, format!("+{}", parent.controller))?;
        }
    }
    let group = ControlGroup { folder: parent.folder.join(name), ..parent.clone() };
    fs::create_dir_all(&group.folder)?;
    let set = limit(&group, limits);
    if set.is_err() {
        let _ = fs::remove_dir(&group.folder);
    }
    set.map(|()| group)
}

/// Writes the settings of a group's controller. At least one must hold, if there are any to hold, and every one that is needed.
fn limit(group: &ControlGroup, limits: &Limits) -> io::Result<()> {
    let mut holds = group.controller == ACCOUNT;
    for setting in settings(group.controller, group.unified, limits) {
        match write(&group.folder, setting.file, &setting.value) {
            Ok(()) => holds = true,
            Err(error) if setting.needed => return Err(error),
            Err(_) => {}
        }
    }
    if holds { Ok(()) } else { Err(io::ErrorKind::Unsupported.into()) }
}

fn write(group: &Path, file: &str, value: &str) -> io::Result<()> {
    // Opened without creating: on a file system that is not a control group this must fail.
    let mut opened = fs::OpenOptions::new().write(true).open(group.join(file))?;
    io::Write::write_all(&mut opened, value.as_bytes())
}
