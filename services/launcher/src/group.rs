//! A program with all that it starts: a process group that is killed whole when nobody waits for it any more.

use rustix::process::{Pid, Signal, kill_process_group};
use std::io;
use std::process::Output;
use tokio::process::Command;

/// Kills the group of a process unless it has ended by itself.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // A group whose last process is gone has nobody to kill.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

/// Runs a program to its end and gives what it said. If this is dropped before, the program dies at once, and with it its
/// helpers, which would wait for a silent server by themselves.
pub(crate) async fn output(command: &mut Command) -> io::Result<Output> {
    let child = command.process_group(0).kill_on_drop(true).spawn()?;
    let leader = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let mut group = Group(leader);
    let output = child.wait_with_output().await;
    group.0 = None;
    output
}
