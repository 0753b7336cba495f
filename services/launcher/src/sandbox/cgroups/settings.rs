//! What is written into a control group, by controller and version: pure, from the limits alone.

use crate::spec::Limits;

/// The length of the window in which time of processors is counted, in microseconds.
const PERIOD_US: u64 = 100_000;
/// What a group of version 1 has of processors when nobody says anything; version 2 calls the same 100.
const SHARES: u64 = 1024;

/// A file of a group and what it shall hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) file: &'static str,
    pub(super) value: String,
    /// Whether the limit does not hold without it; else it is absent on some kernels, or sharpens another.
    pub(super) needed: bool,
}

/// The settings of one controller.
pub(super) fn settings(controller: &str, unified: bool, limits: &Limits) -> Vec<Setting> {
    let needed = |file, value: u64| Setting { file, value: value.to_string(), needed: true };
    let wished = |file, value: String| Setting { file, value, needed: false };
    let quota = u64::from(limits.cpu_millis) * PERIOD_US / 1000;
    let weight = u64::from(limits.cpu_weight).max(1);
    match (controller, unified) {
        ("pids", _) => vec![needed("pids.max", limits.pids.into())],
        ("memory", true) => {
            vec![needed("memory.max", limits.memory_bytes), wished("memory.swap.max", "0".to_owned())]
        }
        ("memory", false) => vec![
            needed("memory.limit_in_bytes", limits.memory_bytes),
            wished("memory.memsw.limit_in_bytes", limits.memory_bytes.to_string()),
        ],
        ("cpu", true) => vec![needed("cpu.weight", weight), wished("cpu.max", format!("{quota} {PERIOD_US}"))],
        ("cpu", false) => vec![
            needed("cpu.shares", shares(limits.cpu_weight)),
            wished("cpu.cfs_period_us", PERIOD_US.to_string()),
            wished("cpu.cfs_quota_us", quota.to_string()),
        ],
        (super::ACCOUNT, _) => Vec::new(),
        (_, _) if limits.io_weight == 0 => Vec::new(),
        (_, true) => ["io.weight", "io.bfq.weight"].map(|file| wished(file, limits.io_weight.to_string())).into(),
        (_, false) => {
            ["blkio.bfq.weight", "blkio.weight"].map(|file| wished(file, limits.io_weight.to_string())).into()
        }
    }
}

/// A weight as version 1 and Docker count it.
pub(in crate::sandbox) fn shares(weight: u32) -> u64 {
    (u64::from(weight) * SHARES / 100).max(2)
}

#[cfg(test)]
mod tests {
    use super::settings;
    use crate::spec::Limits;

    fn written(controller: &str, unified: bool) -> Vec<String> {
        let limits = Limits { cpu_weight: 20, cpu_millis: 1500, io_weight: 20, ..Limits::default() };
        let all = settings(controller, unified, &limits).into_iter();
        all.map(|setting| format!("{}={}{}", setting.file, setting.value, if setting.needed { "!" } else { "" }))
            .collect()
    }

    #[test]
    fn both_versions_say_the_same_in_their_own_words() {
        assert_eq!(written("pids", true), ["pids.max=1024!"]);
        assert_eq!(written("memory", true), ["memory.max=2147483648!", "memory.swap.max=0"]);
        assert_eq!(
            written("memory", false),
            ["memory.limit_in_bytes=2147483648!", "memory.memsw.limit_in_bytes=2147483648"]
        );
        assert_eq!(written("cpu", true), ["cpu.weight=20!", "cpu.max=150000 100000"]);
        assert_eq!(written("cpu", false), ["cpu.shares=204!", "cpu.cfs_period_us=100000", "cpu.cfs_quota_us=150000"]);
        assert_eq!(written("io", true), ["io.weight=20", "io.bfq.weight=20"]);
        assert_eq!(written("io", false), ["blkio.bfq.weight=20", "blkio.weight=20"]);
    }

    #[test]
    fn no_weight_for_the_disk_is_no_setting() {
        assert!(settings("io", true, &Limits { io_weight: 0, ..Limits::default() }).is_empty());
    }
}
