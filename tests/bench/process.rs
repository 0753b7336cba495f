//! What a process costs: time, processor, memory, bytes.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::Command;

/// How often the memory of a running process is looked at: it cannot be asked any more when it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What one run of a program took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) seconds: f64,
    /// The most memory it held, in MiB.
    pub(crate) mebibytes: f64,
}

/// Runs a program to a good end.
pub(crate) async fn run(mut command: Command) -> Cost {
    let started = Instant::now();
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true).spawn();
    let child =
        child.unwrap_or_else(|error| panic!("{:?}: {error}; `just setup` installs it", command.as_std().get_program()));
    let pid = child.id().unwrap();
    let mut most = 0;
    let mut ended = std::pin::pin!(child.wait_with_output());
    let output = loop {
        match tokio::time::timeout(LOOK_EVERY, &mut ended).await {
            Ok(output) => break output.unwrap(),
            Err(_still_running) => most = most.max(kibibytes(pid, "VmHWM:").unwrap_or(0)),
        }
    };
    let seconds = started.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {said}", command.as_std());
    Cost { seconds, mebibytes: most as f64 / 1024.0 }
}

/// A line of `/proc/PID/status`, if the process is there.
pub(crate) fn kibibytes(pid: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix(name))?.trim().strip_suffix(" kB")?.parse().ok()
}
