//! What the groups of a build have counted.

use super::hierarchy::ControlGroup;
use std::fs;

const NANOS_PER_MILLI: u64 = 1_000_000;
const MICROS_PER_MILLI: u64 = 1000;

/// The time of processors, in milliseconds.
pub(super) fn cpu_ms(groups: &[ControlGroup]) -> Option<u64> {
    groups.iter().find_map(|group| {
        if group.unified {
            let text = fs::read_to_string(group.folder.join("cpu.stat")).ok()?;
            return usage_us(&text).map(|micros| micros / MICROS_PER_MILLI);
        }
        number(group, "cpuacct.usage").map(|nanos| nanos / NANOS_PER_MILLI)
    })
}

/// The most main memory at once, in bytes.
pub(super) fn memory_peak(groups: &[ControlGroup]) -> Option<u64> {
    let group = groups.iter().find(|group| group.controller == "memory")?;
    number(group, if group.unified { "memory.peak" } else { "memory.max_usage_in_bytes" })
}

fn number(group: &ControlGroup, file: &str) -> Option<u64> {
    fs::read_to_string(group.folder.join(file)).ok()?.trim().parse().ok()
}

fn usage_us(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("usage_usec "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(controller: &'static str, unified: bool, files: &[(&str, &str)]) -> (tempfile::TempDir, ControlGroup) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let known = ControlGroup { controller, unified, folder: folder.path().to_owned() };
        (folder, known)
    }

    #[test]
    fn both_versions_are_read_in_their_own_words() {
        let (_unified, second) =
            group("memory", true, &[("memory.peak", "4096\n"), ("cpu.stat", "usage_usec 1234567\nuser_usec 1\n")]);
        assert_eq!((cpu_ms(std::slice::from_ref(&second)), memory_peak(&[second])), (Some(1234), Some(4096)));
        let (_memory, memory) = group("memory", false, &[("memory.max_usage_in_bytes", "8192\n")]);
        let (_account, account) = group("cpuacct", false, &[("cpuacct.usage", "5000000\n")]);
        let first = [memory, account];
        assert_eq!((cpu_ms(&first), memory_peak(&first)), (Some(5), Some(8192)));
        let (_silent, silent) = group("pids", false, &[]);
        assert_eq!((cpu_ms(std::slice::from_ref(&silent)), memory_peak(&[silent])), (None, None));
    }
}
