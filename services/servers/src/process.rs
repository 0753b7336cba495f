//! One server's process: begun, waited for, watched, ended; gone when we are.

use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a server that lives may take to answer: it reads what it stores first, and a big store takes its time, as does what
/// follows a crash. Only one that is silent for longer is taken for stuck.
const ANSWER_MAX: Duration = Duration::from_secs(10 * 60);
/// How often it is said that a server is waited for.
const SAY_EVERY: Duration = Duration::from_secs(10);
/// How long the hard end may take before we go on without it.
const DEATH_MAX: Duration = Duration::from_secs(10);
const END_POLL: Duration = Duration::from_millis(20);

/// What processes of one kind have in common.
#[derive(Debug)]
pub(crate) struct Kind {
    /// What the operator knows it by.
    pub(crate) name: &'static str,
    /// How often it is asked whether it answers.
    pub(crate) ask_every: Duration,
    /// Asks it to end in order.
    pub(crate) end: Signal,
    /// How long that may take.
    pub(crate) end_max: Duration,
    /// Ends it the hard way.
    pub(crate) end_now: Signal,
}

/// A process that was begun. Dropping it ends it the hard way.
#[derive(Debug)]
pub(crate) struct Process {
    kind: &'static Kind,
    pid: Option<Pid>,
    /// Closes when the process has ended.
    ended: Mutex<Receiver<()>>,
}

/// Why a server does not answer.
#[derive(Debug)]
pub(crate) enum Silence<E> {
    /// It has ended.
    Ended,
    /// It lives, and this is its last word.
    Final(E),
}

/// A command whose process gets `signal` when ours ends, even by SIGKILL; `setpriv` of util-linux sees to that.
pub(crate) fn tied(setpriv: &Path, signal: &str, program: &Path) -> Command {
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", signal]).arg(program);
    command
}

/// The last lines of what a process has said.
pub(crate) fn last_lines(output: &Path, count: usize) -> Vec<String> {
    let text = std::fs::read_to_string(output).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.iter().skip(lines.len().saturating_sub(count)).map(|line| (*line).to_owned()).collect()
}

impl Process {
    /// Begins it; what it says goes to `output`. Its parent is a thread that lives as long as it does: the kernel takes the
    /// spawning *thread* for the parent whose death it tells, and a runtime ends its threads when it likes.
    pub(crate) fn spawn(kind: &'static Kind, mut command: Command, output: File) -> io::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(output);
        // An interrupt from the terminal is for us alone, and we end servers last, when everything has said its last.
        command.process_group(0);
        let (tell, told) = channel::<io::Result<u32>>();
        let (running, ended) = channel::<()>();
        let guardian = move || match command.spawn() {
            Ok(child) => {
                let _ = tell.send(Ok(child.id()));
                reap(kind, child);
                drop(running);
            }
            Err(error) => {
                let _ = tell.send(Err(error));
            }
        };
        std::thread::Builder::new().name(kind.name.to_owned()).spawn(guardian)?;
        let pid = told.recv().map_err(io::Error::other)??;
        Ok(Self { kind, pid: i32::try_from(pid).ok().and_then(Pid::from_raw), ended: Mutex::new(ended) })
    }

    /// Its id, as long as it lives.
    pub(crate) fn pid(&self) -> Option<u32> {
        let pid = self.pid.filter(|_| !self.has_ended())?;
        u32::try_from(pid.as_raw_nonzero().get()).ok()
    }

    /// Whether it has ended, whoever ended it.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended_within(Duration::ZERO)
    }

    /// Asks until it answers, for as long as it lives and [`ANSWER_MAX`] at most; `waiting` is told every [`SAY_EVERY`] for how
    /// long. An error that `is_final` ends that at once.
    pub(crate) async fn answer<T, E>(
        &self,
        ask: impl AsyncFn() -> Result<T, E>,
        is_final: impl Fn(&E) -> bool,
        waiting: impl Fn(Duration),
    ) -> Result<T, Silence<E>> {
        let (began, mut say) = (Instant::now(), SAY_EVERY);
        loop {
            let answer = ask().await;
            if self.has_ended() {
                return Err(Silence::Ended);
            }
            let error = match answer {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let waited = began.elapsed();
            if is_final(&error) || waited >= ANSWER_MAX {
                return Err(Silence::Final(error));
            }
            if waited >= say {
                let name = self.kind.name;
                tracing::warn!(seconds = waited.as_secs(), "{name} lives and does not answer yet, waiting");
                waiting(waited);
                say += SAY_EVERY;
            }
            tokio::time::sleep(self.kind.ask_every).await;
        }
    }

    /// Ends it in order, or the hard way when that takes too long; says whether it ended in time.
    pub(crate) async fn end(self) -> bool {
        self.signal(self.kind.end);
        let asked = Instant::now();
        while !self.has_ended() {
            if asked.elapsed() >= self.kind.end_max {
                return false;
            }
            tokio::time::sleep(END_POLL).await;
        }
        true
    }

    fn ended_within(&self, patience: Duration) -> bool {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        match ended.recv_timeout(patience) {
            Err(RecvTimeoutError::Timeout) => false,
            Ok(()) | Err(RecvTimeoutError::Disconnected) => true,
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid {
            // It may have ended in between; then there is nobody to tell.
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.has_ended() {
            self.signal(self.kind.end_now);
            self.ended_within(DEATH_MAX);
        }
    }
}

fn reap(kind: &Kind, mut child: Child) {
    if let Err(error) = child.wait() {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "lost sight of the private {}", kind.name);
    }
}

#[cfg(test)]
mod tests;
