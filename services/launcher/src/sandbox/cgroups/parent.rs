//! Where the containers of an engine belong, so that the weight of a build counts beside us: a group shares with its siblings
//! alone, and an engine by itself puts containers beside other containers, all of them together as heavy as we are.

use super::hierarchy::own_path;
use bollard::models::SystemInfo;
use std::path::Path;

/// The group to make containers in, as the engine names it, from what it tells of itself and what `/proc/self/cgroup` says of
/// us. Nothing where the engine knows better: systemd has a slice for services, and without root no other place.
pub(in crate::sandbox) fn parent(told: &SystemInfo, own: &str) -> Option<String> {
    let rootless = told.security_options.iter().flatten().any(|option| option.contains("rootless"));
    let driver = told.cgroup_driver.map(|driver| driver.to_string())?;
    let version = told.cgroup_version.map(|version| version.to_string())?;
    if rootless || driver != "cgroupfs" {
        return None;
    }
    let path = if version == "2" {
        // A group with processes has no children there, so it is the one above.
        Path::new(own_path(own, "")?).parent().unwrap_or(Path::new(""))
    } else {
        Path::new(own_path(own, "cpu")?)
    };
    Some(format!("/{}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::parent;
    use bollard::models::{SystemInfo, SystemInfoCgroupDriverEnum as Driver, SystemInfoCgroupVersionEnum as Version};

    fn engine(cgroup_driver: Driver, cgroup_version: Version) -> SystemInfo {
        SystemInfo { cgroup_driver: Some(cgroup_driver), cgroup_version: Some(cgroup_version), ..SystemInfo::default() }
    }

    #[test]
    fn containers_are_made_beside_us_where_that_is_ours_to_say() {
        let (first, second) = (engine(Driver::CGROUPFS, Version::_1), engine(Driver::CGROUPFS, Version::_2));
        assert_eq!(parent(&first, "4:memory:/x\n1:cpu,cpuacct:/\n").as_deref(), Some("/"));
        assert_eq!(parent(&first, "1:cpu,cpuacct:/a/b\n").as_deref(), Some("/a/b"));
        assert_eq!(parent(&second, "0::/a/b\n").as_deref(), Some("/a"));
        assert_eq!(parent(&second, "0::/\n").as_deref(), Some("/"));
        assert_eq!(parent(&engine(Driver::SYSTEMD, Version::_2), "0::/a/b\n"), None);
        let rootless = SystemInfo { security_options: Some(vec!["name=rootless".to_owned()]), ..second };
        assert_eq!(parent(&rootless, "0::/a/b\n"), None);
    }
}
