//! Limits of one bubblewrap build by control groups, version 2 or 1, wherever this process may make a group.
//!
//! A limit that cannot be set is not an error: the caller is told which ones hold, and says so in the build's log.

use crate::spec::Limits;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const CONTROLLERS: [&str; 2] = ["memory", "pids"];
const REMOVAL_TRIES: u32 = 100;
const REMOVAL_PAUSE: Duration = Duration::from_millis(10);

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

/// Removes groups that a lost attempt left, and kills what is still in them.
pub(super) fn sweep(name: &str) {
    let left = places().into_iter().map(|place| Place { folder: place.folder.join(name), ..place });
    let groups: Vec<Place> = left.filter(|group| group.folder.is_dir()).collect();
    for group in &groups {
        let members = fs::read_to_string(group.folder.join("cgroup.procs")).unwrap_or_default();
        let members: Vec<&str> = members.split_whitespace().collect();
        if !members.is_empty() {
            let kill = ["-c", "kill -KILL \"$@\"", "kill"];
            let _ = Command::new("sh").args(kill).args(members).stderr(Stdio::null()).status();
        }
    }
    Cgroups { groups }.remove();
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

fn limit(group: &Place, limits: &Limits) -> io::Result<()> {
    let write = |file: &str, value: u64| {
        // Opened without creating: on a file system that is not a control group this must fail.
        let mut opened = fs::OpenOptions::new().write(true).open(group.folder.join(file))?;
        io::Write::write_all(&mut opened, value.to_string().as_bytes())
    };
    match (group.controller, group.unified) {
        ("pids", _) => write("pids.max", u64::from(limits.pids)),
        (_, true) => {
            write("memory.max", limits.memory_bytes)?;
            // Absent where the kernel counts no swap.
            let _ = write("memory.swap.max", 0);
            Ok(())
        }
        (_, false) => {
            write("memory.limit_in_bytes", limits.memory_bytes)?;
            let _ = write("memory.memsw.limit_in_bytes", limits.memory_bytes);
            Ok(())
        }
    }
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
        if !unified && (kind != Some("cgroup") || !options.split(',').any(|option| option == controller)) {
            continue;
        }
        let mut folders = Vec::new();
        if let Some(own) = own_path(own, if unified { "" } else { controller }) {
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
    fn version_2_also_offers_a_place_beside_our_own_group() {
        let mounts = "30 1 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
        let found = folders("pids", mounts, "0::/system.slice/pagefold.service\n");
        let expected =
            ["/sys/fs/cgroup/system.slice/pagefold.service", "/sys/fs/cgroup/system.slice", "/sys/fs/cgroup"];
        assert_eq!(found, expected);
        assert_eq!(folders("pids", mounts, "0::/\n"), ["/sys/fs/cgroup/", "/sys/fs/cgroup"][..1]);
    }
}
