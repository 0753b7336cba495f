//! A running `bwrap`: its output, its report, and the certainty that everything inside is dead.

use crate::installation::MARK;
use crate::lines::Lines;
use crate::sandbox::{Error, deliver};
use serde_json::Value;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::sync::mpsc::Sender;
use tokio::sync::oneshot;

const BUFFER_BYTES: usize = 16 * 1024;
/// A report is two short documents; more than this is not one.
const REPORT_BYTES: usize = 4 * 1024;
/// How long bubblewrap may take to report the first process of a sandbox.
const SETUP: Duration = Duration::from_secs(5);
/// How long killed processes may take to die before we say that they did not.
const DEATH_TRIES: u32 = 2000;
const DEATH_PAUSE: Duration = Duration::from_millis(5);

pub(super) struct Process {
    child: Child,
    output: pipe::Receiver,
    report: pipe::Receiver,
    reported: Vec<u8>,
    /// Lets the thread end that started the process.
    _keeper: oneshot::Sender<()>,
}

struct Started {
    child: Child,
    output: OwnedFd,
    report: OwnedFd,
}

impl Process {
    /// Starts the command on a thread that lives as long as the process: `--die-with-parent` means the parent thread, and
    /// a thread of the runtime may end at any time.
    pub(super) async fn start(command: Vec<OsString>, installation: &str) -> Result<Self, Error> {
        let failed = |source| Error::Io { action: "start the sandbox", source };
        let (runtime, mark) = (tokio::runtime::Handle::current(), installation.to_owned());
        let (tell, told) = oneshot::channel();
        let (keeper, kept) = oneshot::channel::<()>();
        std::thread::Builder::new()
            .name("sandbox".to_owned())
            .spawn(move || {
                let started = {
                    let _entered = runtime.enter();
                    spawn(&command, &mark)
                };
                if tell.send(started).is_ok() {
                    let _ = kept.blocking_recv();
                }
            })
            .map_err(failed)?;
        let started = told.await.map_err(|gone| failed(io::Error::other(gone)))?.map_err(failed)?;
        Ok(Self {
            child: started.child,
            output: pipe::Receiver::from_owned_fd(started.output).map_err(failed)?,
            report: pipe::Receiver::from_owned_fd(started.report).map_err(failed)?,
            reported: Vec::new(),
            _keeper: keeper,
        })
    }

    /// Passes the output on until everything inside has ended. Gives the exit code of the build, or nothing if bubblewrap
    /// failed before it could run it.
    pub(super) async fn follow(&mut self, read: Lines, lines: &Sender<String>) -> Result<Option<i64>, Error> {
        let Self { child, output, report, reported, .. } = self;
        let failed = |source| Error::Io { action: "follow the sandbox", source };
        tokio::try_join!(pass_on(output, read, lines), read_report(report, reported), child.wait()).map_err(failed)?;
        Ok(number(reported, "exit-code"))
    }

    /// Kills what is left and waits until the last process is dead, so that nobody changes the workspace any more.
    ///
    /// The first process of the namespace is killed by its id and takes all others along. To kill only bubblewrap would not
    /// do: while it sets the sandbox up, that process is not yet bound to die with it, and would wait for ever.
    pub(super) async fn end(mut self) -> Result<(), Error> {
        let failed = |source| Error::Io { action: "end the sandbox", source };
        let Self { child, report, reported, .. } = &mut self;
        let first = tokio::time::timeout(SETUP, first_process(report, reported)).await.unwrap_or(Ok(None));
        let first = first.map_err(failed)?;
        if let Some(first) = first.filter(|first| !is_dead(*first)) {
            // It may die of itself before the signal arrives; whether it is dead is looked at below.
            let _ = kill(first).await;
        }
        child.kill().await.map_err(failed)?;
        let Some(first) = first else { return Ok(()) };
        for _ in 0..DEATH_TRIES {
            if is_dead(first) {
                return Ok(());
            }
            tokio::time::sleep(DEATH_PAUSE).await;
        }
        Err(Error::Survivors)
    }
}

/// The id of the sandbox's first process, as soon as it is reported; nothing if bubblewrap ended without one.
async fn first_process(report: &mut pipe::Receiver, reported: &mut Vec<u8>) -> io::Result<Option<i64>> {
    loop {
        if let Some(first) = number(reported, "child-pid") {
            return Ok(Some(first));
        }
        if reported.len() >= REPORT_BYTES || report.read_buf(reported).await? == 0 {
            return Ok(None);
        }
    }
}

fn spawn(command: &[OsString], mark: &str) -> io::Result<Started> {
    let (output, output_end) = io::pipe()?;
    let (report, report_end) = io::pipe()?;
    let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    // The first process of the sandbox keeps what bubblewrap was started with, and the build may read it there.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let child = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", path)
        .env(MARK, mark)
        .current_dir("/")
        .stdin(report_end)
        .stdout(output_end.try_clone()?)
        .stderr(output_end)
        .kill_on_drop(true)
        .spawn()?;
    Ok(Started { child, output: output.into(), report: report.into() })
}

async fn pass_on(output: &mut pipe::Receiver, mut lines: Lines, to: &Sender<String>) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match output.read(&mut buffer).await? {
            0 => break,
            length => deliver(&mut lines, buffer.get(..length).unwrap_or_default(), to).await,
        }
    }
    for line in lines.finish() {
        let _ = to.send(line).await;
    }
    Ok(())
}

async fn read_report(report: &mut pipe::Receiver, into: &mut Vec<u8>) -> io::Result<()> {
    while into.len() < REPORT_BYTES && report.read_buf(into).await? > 0 {}
    Ok(())
}

/// The number called `key` in a report: JSON documents, one a line.
fn number(report: &[u8], key: &str) -> Option<i64> {
    serde_json::Deserializer::from_slice(report)
        .into_iter::<Value>()
        .map_while(Result::ok)
        .find_map(|document| document.get(key)?.as_i64())
}

/// Kills a process for sure.
async fn kill(pid: i64) -> io::Result<()> {
    let signal = ["-c", "kill -KILL \"$1\"", "kill", &pid.to_string()].map(str::to_owned);
    Command::new("sh").args(signal).stdin(Stdio::null()).stderr(Stdio::null()).status().await.map(drop)
}

/// A first process that is gone or a zombie has outlived every other process of its namespace.
fn is_dead(pid: i64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_none_or(|state| state.is_empty() || state.starts_with(['Z', 'X']))
}

#[cfg(test)]
mod tests {
    use super::{is_dead, number};

    #[test]
    fn a_report_is_read_document_by_document() {
        let report = b"{ \"child-pid\": 42, \"pid-namespace\": 4026532446 }\n{ \"exit-code\": 3 }\n{ \"cut";
        assert_eq!(number(report, "child-pid"), Some(42));
        assert_eq!(number(report, "exit-code"), Some(3));
        assert_eq!(number(b"", "exit-code"), None);
    }

    #[test]
    fn a_living_process_is_not_dead() {
        assert!(!is_dead(i64::from(std::process::id())));
        assert!(is_dead(i64::MAX));
    }
}
