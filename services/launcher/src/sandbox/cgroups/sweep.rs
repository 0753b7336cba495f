//! What builds that are over have left of their groups.

use super::hierarchy::candidates;
use super::{REMOVAL_PAUSE, REMOVAL_TRIES, write};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Removes the groups of a name, and kills what is still in them.
pub(in crate::sandbox) fn sweep(name: &str) {
    for group in folders().into_iter().map(|folder| folder.join(name)).filter(|group| group.is_dir()) {
        clear(&group);
    }
}

/// What follows `prefix` in the names of groups, each once.
pub(in crate::sandbox) fn builds(prefix: &str) -> Vec<String> {
    let groups = folders().into_iter().flat_map(fs::read_dir).flatten().flatten();
    let names = groups.filter_map(|group| group.file_name().into_string().ok());
    let mut builds: Vec<String> = names.filter_map(|name| name.strip_prefix(prefix).map(str::to_owned)).collect();
    builds.sort_unstable();
    builds.dedup();
    builds
}

fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = candidates().into_iter().map(|group| group.folder).collect();
    folders.sort_unstable();
    folders.dedup();
    folders
}

/// Kills what is in a group, however fast it multiplies, and removes it.
fn clear(group: &Path) {
    // Nobody in it may start another process from here on, where processes are counted.
    let _ = write(group, "pids.max", "0");
    for _ in 0..REMOVAL_TRIES {
        // Version 2 kills a group at once.
        if write(group, "cgroup.kill", "1").is_err() {
            kill_members(group);
        }
        match fs::remove_dir(group) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => std::thread::sleep(REMOVAL_PAUSE),
            _ => return,
        }
    }
    tracing::warn!(group = %group.display(), "a control group of an earlier build could not be removed");
}

fn kill_members(group: &Path) {
    let members = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    for member in members.split_whitespace().filter_map(|id| id.parse().ok()).filter_map(Pid::from_raw) {
        // It may have ended meanwhile.
        let _ = kill_process(member, Signal::KILL);
    }
}
