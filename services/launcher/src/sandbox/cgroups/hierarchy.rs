//! Where this process may make groups, as the kernel tells its mounts and its own group.

use super::{ACCOUNT, CONTROLLERS};
use std::fs;
use std::path::{Path, PathBuf};

/// The group of one controller, in which others may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ControlGroup {
    pub(super) controller: &'static str,
    pub(super) unified: bool,
    pub(super) folder: PathBuf,
}

/// Where groups of each controller may be made.
pub(super) fn candidates() -> Vec<ControlGroup> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    CONTROLLERS.iter().chain([&ACCOUNT]).flat_map(|controller| candidates_of(controller, &mounts, &own)).collect()
}

/// Where groups of `controller` may be made, best first: below our own group, in version 2 also beside it, since a group with
/// processes cannot have children with controllers there, then below the root.
pub(super) fn candidates_of(controller: &'static str, mounts: &str, own: &str) -> Vec<ControlGroup> {
    let mut groups = Vec::new();
    for mount in mounts.lines() {
        let Some((left, right)) = mount.split_once(" - ") else { continue };
        let Some(folder) = left.split(' ').nth(4).map(Path::new) else { continue };
        let (kind, options) = (right.split(' ').next(), right.rsplit(' ').next().unwrap_or_default());
        let unified = kind == Some("cgroup2");
        let listed = options.split(',').any(|option| option == name_of(controller, unified));
        // Version 2 counts in every group.
        if (unified && controller == ACCOUNT) || (!unified && (kind != Some("cgroup") || !listed)) {
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
        groups.extend(folders.into_iter().map(|folder| ControlGroup { controller, unified, folder }));
    }
    groups
}

/// Version 1 has another name for the disk.
fn name_of(controller: &'static str, unified: bool) -> &'static str {
    if controller == "io" && !unified { "blkio" } else { controller }
}

/// Our own group in the hierarchy of `controller` (empty for version 2), relative to its root.
pub(super) fn own_path<'a>(own: &'a str, controller: &str) -> Option<&'a str> {
    own.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let listed = fields.next()?.split(',').any(|listed| listed == controller);
        fields.next().filter(|_| listed).map(|path| path.trim_start_matches('/'))
    })
}

#[cfg(test)]
mod tests {
    use super::candidates_of;

    fn folders(controller: &'static str, mounts: &str, own: &str) -> Vec<String> {
        candidates_of(controller, mounts, own).into_iter().map(|group| group.folder.display().to_string()).collect()
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
