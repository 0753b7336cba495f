//! The server's process: spawned, watched, ended.

use super::Error;
use super::account::Account;
use super::binaries::Binaries;
use super::cluster::Cluster;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long an orderly end may take.
const STOP_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the hard end may take before we go on without it.
const DROP_TIMEOUT: Duration = Duration::from_secs(10);
const STOP_POLL: Duration = Duration::from_millis(20);

/// A running server.
#[derive(Debug)]
pub(super) struct Process {
    pid: Option<Pid>,
    /// Closes when the process has ended.
    ended: Mutex<Receiver<()>>,
}

impl Process {
    /// Spawns the server. Its parent is a thread that lives as long as it does: the kernel's parent-death signal is
    /// sent when the spawning *thread* ends, and a runtime ends its threads when it likes.
    pub(super) fn spawn(
        binaries: &Binaries,
        account: Option<&Account>,
        cluster: &Cluster,
        arguments: &[String],
    ) -> Result<Self, Error> {
        let mut command = command(binaries, account, cluster)?;
        command.args(arguments);
        let (spawned, spawn_result) = channel::<io::Result<u32>>();
        let (running, ended) = channel::<()>();
        let failed = |source| Error::Run { program: binaries.postgres.clone(), source };
        let guardian = move || match command.spawn() {
            Ok(child) => {
                let _ = spawned.send(Ok(child.id()));
                reap(child);
                drop(running);
            }
            Err(error) => {
                let _ = spawned.send(Err(error));
            }
        };
        std::thread::Builder::new().name("postgres".to_owned()).spawn(guardian).map_err(failed)?;
        let pid = spawn_result.recv().unwrap_or_else(|gone| Err(io::Error::other(gone))).map_err(failed)?;
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        Ok(Self { pid, ended: Mutex::new(ended) })
    }

    /// Its id, as long as it lives.
    pub(super) fn pid(&self) -> Option<u32> {
        let pid = self.pid.filter(|_| !self.has_ended())?;
        u32::try_from(pid.as_raw_nonzero().get()).ok()
    }

    /// Whether it has ended by itself.
    pub(super) fn has_ended(&self) -> bool {
        self.wait(Duration::ZERO)
    }

    /// Ends it in order ("fast shutdown"), or the hard way when that takes too long.
    pub(super) async fn stop(self) -> Result<(), Error> {
        self.signal(Signal::INT);
        let deadline = Instant::now() + STOP_TIMEOUT;
        while !self.has_ended() {
            if Instant::now() >= deadline {
                return Err(Error::Stuck { seconds: STOP_TIMEOUT.as_secs() });
            }
            tokio::time::sleep(STOP_POLL).await;
        }
        Ok(())
    }

    fn wait(&self, timeout: Duration) -> bool {
        let ended = self.ended.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match ended.recv_timeout(timeout) {
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
            self.signal(Signal::QUIT);
            self.wait(DROP_TIMEOUT);
        }
    }
}

fn reap(mut child: Child) {
    if let Err(error) = child.wait() {
        tracing::warn!(error = &error as &dyn std::error::Error, "lost sight of the private postgres");
    }
}

fn command(binaries: &Binaries, account: Option<&Account>, cluster: &Cluster) -> Result<Command, Error> {
    let mut options = File::options();
    let log = options.write(true).create(true).truncate(true).mode(0o600).open(&cluster.log);
    let log = log.map_err(Error::file("write", &cluster.log))?;
    let mut command = match &binaries.setpriv {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "QUIT"]).arg(&binaries.postgres);
            command
        }
        None => Command::new(&binaries.postgres),
    };
    command.arg("-D").arg(&cluster.directory).current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    // An interrupt from the terminal is for this program alone, which ends the server in its turn.
    command.process_group(0);
    if let Some(account) = account {
        account.run(&mut command);
    }
    Ok(command)
}

/// Where the log is, for an error message.
pub(super) fn exited(cluster: &Cluster) -> Error {
    let log: PathBuf = cluster.log.clone();
    Error::Exited { log, tail: cluster.log_tail() }
}
