//! Limits of one bubblewrap build by control groups, version 2 or 1, wherever this process may make a group.
//!
//! A limit that cannot be set is not an error: the caller is told which ones hold, and says so in the build's log.

mod parent;
mod settings;

pub(super) use parent::parent;
pub(super) use settings::shares;

use crate::spec::{Limits, container_name};
use rustix::process::{Pid, Signal, kill_process};
use settings::settings;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// As version 2 names them.
pub(super) const CONTROLLERS: [&str; 4] = ["memory", "pids", "cpu", "io"];
const REMOVAL_TRIES: u32 = 100;
const REMOVAL_PAUSE: Duration = Duration::from_millis(10);

/// The name of the groups of a build, or with none the beginning of the names of all builds of a launcher.
pub(super) fn name(installation: &str, build: &str) -> String {
    format!("pagefold-{installation}-{}", container_name(build))
}

/// A place where groups of one controller can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    controller: &'static str,
    unified: bool,
    folder: PathBuf,
}

/// The groups of one build, removed when dropped.
#[derive(Default)]
pub(super) struct Cgroups {
    /// Each with its controller; the same folder twice where the hierarchy is unified.
    groups: Vec<Place>,
}

impl Cgroups {
    /// Makes the groups, as many of them as can be made.
    pub(super) fn create(name: &str, limits: &Limits) -> Self {
        let places = places();
        let groups = CONTROLLERS.iter().filter_map(|controller| {
            let candidates = places.iter().filter(|place| place.controller == *controller);
            candidates.map(|place| make(place, name, limits)).find_map(Result::ok)
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
        places_of(group.controller, &mounts, "").into_iter().map(|place| place.folder).next()
    }

    /// The files to which a process writes its id to join.
    pub(super) fn doors(&self) -> Vec<PathBuf> {
        let mut doors: Vec<PathBuf> = self.groups.iter().map(|group| group.folder.join("cgroup.procs")).collect();
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
    let places = places_of("io", &mounts, &own).into_iter();
    let mut groups = places.filter(|place| place.folder.to_string_lossy().contains(id));
    groups.find_map(|group| limit(&group, limits).ok()).ok_or_else(|| io::ErrorKind::Unsupported.into())
}

/// Removes the groups of a name, and kills what is still in them.
pub(super) fn sweep(name: &str) {
    for group in folders().into_iter().map(|folder| folder.join(name)).filter(|group| group.is_dir()) {
        clear(&group);
    }
}

/// What follows `prefix` in the names of groups, each once.
pub(super) fn builds(prefix: &str) -> Vec<String> {
    let groups = folders().into_iter().flat_map(fs::read_dir).flatten().flatten();
    let names = groups.filter_map(|group| group.file_name().into_string().ok());
    let mut builds: Vec<String> = names.filter_map(|name| name.strip_prefix(prefix).map(str::to_owned)).collect();
    builds.sort_unstable();
    builds.dedup();
    builds
}

fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = places().into_iter().map(|place| place.folder).collect();
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

fn make(place: &Place, name: &str, limits: &Limits) -> io::Result<Place> {
    if place.unified {
        let control = place.folder.join("cgroup.subtree_control");
        let enabled = fs::read_to_string(&control)?;
        if !enabled.split_whitespace().any(|controller| controller == place.controller) {
            fs::write(&control, format!("+{}", place.controller))?;
        }
    }
    let group = Place { folder: place.folder.join(name), ..place.clone() };
    fs::create_dir_all(&group.folder)?;
    let set = limit(&group, limits);
    if set.is_err() {
        let _ = fs::remove_dir(&group.folder);
    }
    set.map(|()| group)
}

/// Writes the settings of a group's controller. At least one must hold, and every one that is needed.
fn limit(group: &Place, limits: &Limits) -> io::Result<()> {
    let mut holds = false;
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

fn places() -> Vec<Place> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    CONTROLLERS.iter().flat_map(|controller| places_of(controller, &mounts, &own)).collect()
}

/// Where groups of `controller` may be made, best first: below our own group, in version 2 also beside it, since a group with
/// processes cannot have children with controllers there, then below the root.
fn places_of(controller: &'static str, mounts: &str, own: &str) -> Vec<Place> {
    let mut places = Vec::new();
    for mount in mounts.lines() {
        let Some((left, right)) = mount.split_once(" - ") else { continue };
        let Some(folder) = left.split(' ').nth(4).map(Path::new) else { continue };
        let (kind, options) = (right.split(' ').next(), right.rsplit(' ').next().unwrap_or_default());
        let unified = kind == Some("cgroup2");
        let listed = options.split(',').any(|option| option == name_of(controller, unified));
        if !unified && (kind != Some("cgroup") || !listed) {
            continue;
        }
        let mut folders = Vec::new();
        if let Some(own) = own_path(own, if unified { "" } else { name_of(controller, unified) }) {
            folders.push(folder.join(own));
            folders.extend(
                folder.join(own).parent().filter(|parent| unified && parent.starts_with(folder)).map(Path::to_owned),
            );
        }
        folders.push(folder.to_owned());
        folders.dedup();
        places.extend(folders.into_iter().map(|folder| Place { controller, unified, folder }));
    }
    places
}

/// Version 1 has another name for the disk.
fn name_of(controller: &'static str, unified: bool) -> &'static str {
    if controller == "io" && !unified { "blkio" } else { controller }
}

/// Our own group in the hierarchy of `controller` (empty for version 2), relative to its root.
fn own_path<'a>(own: &'a str, controller: &str) -> Option<&'a str> {
    own.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let listed = fields.next()?.split(',').any(|listed| listed == controller);
        fields.next().filter(|_| listed).map(|path| path.trim_start_matches('/'))
    })
}

#[cfg(test)]
mod tests {
    use super::places_of;

    fn folders(controller: &'static str, mounts: &str, own: &str) -> Vec<String> {
        places_of(controller, mounts, own).into_iter().map(|place| place.folder.display().to_string()).collect()
    }

    #[test]
    fn version_1_offers_our_own_group_and_the_root() {
        let mounts = "24 20 0:21 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      25 20 0:22 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";
        let own = "4:memory:/a/b\n1:cpu,cpuacct:/\n";
        assert_eq!(folders("memory", mounts, own), ["/sys/fs/cgroup/memory/a/b", "/sys/fs/cgroup/memory"]);
        assert!(folders("pids", mounts, own).is_empty());
    }

    #[test]
    fn version_1_has_another_name_for_the_disk() {
        let mounts = "26 20 0:23 / /sys/fs/cgroup/blkio rw - cgroup cgroup rw,blkio\n";
        assert_eq!(folders("io", mounts, "7:blkio:/\n"), ["/sys/fs/cgroup/blkio/", "/sys/fs/cgroup/blkio"][..1]);
    }

    #[test]
    fn version_2_also_offers_a_place_beside_our_own_group() {
        let mounts = "30 1 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
        let found = folders("pids", mounts, "0::/system.slice/pagefold.service\n");
        let expected =
            ["/sys/fs/cgroup/system.slice/pagefold.service", "/sys/fs/cgroup/system.slice", "/sys/fs/cgroup"];
        assert_eq!(found, expected);
        assert_eq!(folders("pids", mounts, "0::/\n"), ["/sys/fs/cgroup/", "/sys/fs/cgroup"][..1]);
    }
}
