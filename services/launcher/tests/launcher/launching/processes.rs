//! The processes of this machine, as anybody may look at them.

use std::fs;
use std::path::PathBuf;

/// Those whose command line has `text` in it.
pub(crate) fn with_command(text: &str) -> Vec<u32> {
    with("cmdline", text)
}

/// Those whose environment has `text` in it.
pub(crate) fn with_environment(text: &str) -> Vec<u32> {
    with("environ", text)
}

pub(crate) fn read(pid: u32, name: &str) -> String {
    let path = PathBuf::from(format!("/proc/{pid}/{name}"));
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

fn with(file: &str, text: &str) -> Vec<u32> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let ids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|pid| *pid != std::process::id() && read(*pid, file).contains(text)).collect()
}
