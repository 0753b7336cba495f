//! The processes below a platform, to be looked at and to be hurt.

use std::fs;
use std::path::PathBuf;

pub use rustix::process::Signal;

/// A process of a platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    /// The log's server.
    Nats,
    /// The read model's server, with all of its own processes.
    Postgres,
}

impl Process {
    /// What the kernel calls it.
    const fn command(self) -> &'static str {
        match self {
            Self::Nats => "nats-server",
            Self::Postgres => "postgres",
        }
    }

    /// The process among the children of `parent`, if it runs.
    #[must_use]
    pub fn below(self, parent: u32) -> Option<u32> {
        // A server that is only asked for its version serves nobody.
        let serves = |child: &u32| !line_of(*child).contains("--version");
        let is_it = |child: &u32| command_of(*child).as_deref() == Some(self.command()) && serves(child);
        children(parent).into_iter().find(is_it)
    }
}

/// Sends a signal to a process and what it has started.
pub(crate) fn signal_tree(pid: u32, signal: Signal) {
    for child in children(pid) {
        signal_tree(child, signal);
    }
    self::signal(pid, signal);
}

/// A process and what it has started, a line for each: how its threads are, its id, its name.
pub(crate) fn told_tree(pid: u32) -> String {
    let threads = fs::read_dir(file(pid, "task")).into_iter().flatten().flatten();
    let states = threads.filter_map(|thread| state_of(&fs::read_to_string(thread.path().join("stat")).ok()?));
    let line = format!("{:<8} {pid:>6} {}\n", states.collect::<String>(), command_of(pid).unwrap_or_default());
    children(pid).into_iter().fold(line, |told, child| told + &told_tree(child))
}

/// Sends a signal to a process that may have ended.
pub(crate) fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).unwrap();
    let _ = rustix::process::kill_process(pid, signal);
}

/// The processes whose command line has `text` in it.
#[must_use]
pub fn running_with(text: &str) -> Vec<u32> {
    all().filter(|pid| line_of(*pid).contains(text)).collect()
}

fn line_of(pid: u32) -> String {
    String::from_utf8_lossy(&fs::read(file(pid, "cmdline")).unwrap_or_default()).into_owned()
}

fn all() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn children(parent: u32) -> Vec<u32> {
    all().filter(|pid| parent_of(*pid) == Some(parent)).collect()
}

/// The fourth field; the second is in parentheses and may contain anything.
fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(file(pid, "stat")).ok()?;
    stat.rsplit(") ").next()?.split(' ').nth(1)?.parse().ok()
}

/// The third field: `R` runs, `S` and `D` wait, `T` is stopped, `Z` is dead.
fn state_of(stat: &str) -> Option<char> {
    stat.rsplit(") ").next()?.chars().next()
}

fn command_of(pid: u32) -> Option<String> {
    Some(fs::read_to_string(file(pid, "comm")).ok()?.trim().to_owned())
}

fn file(pid: u32, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{name}"))
}
