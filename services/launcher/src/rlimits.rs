//! Limits that the kernel keeps per process, as `prlimit` is told them.

use std::fs;

/// Limits that a program and what it starts keep unless they raise them again, never above our own.
pub(crate) fn soft(wanted: &[(&str, u64)]) -> Vec<String> {
    let own = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    wanted.iter().map(|(name, most)| format!("--{name}={}:", at_most(&own, name, *most))).collect()
}

/// The limit `wanted`, or our own hard one if that is lower. `own` is what `/proc/self/limits` holds.
pub(crate) fn at_most(own: &str, name: &str, wanted: u64) -> u64 {
    hard_limit(own, name).map_or(wanted, |own| own.min(wanted))
}

/// Absent if unlimited.
fn hard_limit(own: &str, name: &str) -> Option<u64> {
    let line = own.lines().find_map(|line| line.strip_prefix(called(name)))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// What the kernel calls a limit of `prlimit`.
fn called(name: &str) -> &str {
    match name {
        "core" => "Max core file size",
        "data" => "Max data size",
        "fsize" => "Max file size",
        "nofile" => "Max open files",
        "nproc" => "Max processes",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::hard_limit;

    #[test]
    fn the_hard_limit_is_the_second_number() {
        let own = "Limit                     Soft Limit           Hard Limit           Units     \n\
                   Max file size             unlimited            unlimited            bytes     \n\
                   Max open files            1024                 4096                 files     \n";
        assert_eq!(hard_limit(own, "nofile"), Some(4096));
        assert_eq!(hard_limit(own, "fsize"), None);
        assert_eq!(hard_limit(own, "nproc"), None);
    }
}
