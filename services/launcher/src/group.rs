//! A program with all that it starts: a process group that is killed whole when nobody waits for it any more.

use rustix::process::{Pid, Signal, kill_process_group};
use std::io;
use std::process::Output;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

/// What is kept of what a program says: the end of it, for there the reason stands.
const SAID_MAX: usize = 64 << 10;

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
    let mut child = command.process_group(0).kill_on_drop(true).spawn()?;
    let leader = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let mut group = Group(leader);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr, status) = tokio::join!(end_of(stdout), end_of(stderr), child.wait());
    group.0 = None;
    Ok(Output { status: status?, stdout: stdout?, stderr: stderr? })
}

/// Reads all that comes and keeps the end of it: whoever is spoken to by a stranger must not hold all of it.
async fn end_of(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let Some(mut pipe) = pipe else { return Ok(Vec::new()) };
    let (mut kept, mut piece) = (Vec::new(), vec![0; 8 << 10]);
    loop {
        let read = pipe.read(&mut piece).await?;
        if read == 0 {
            return Ok(kept);
        }
        kept.extend_from_slice(&piece[..read]);
        if kept.len() > 2 * SAID_MAX {
            kept.drain(..kept.len() - SAID_MAX);
        }
    }
}

#[cfg(test)]
#[path = "group_tests.rs"]
mod tests;
