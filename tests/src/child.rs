//! A process of the platform: its output, how it is signalled, and that it ends.

use crate::DEADLINE;
use crate::executable::{executable, older};
use crate::folder::workspace;
use crate::gate;
use crate::process::{self, Signal};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::{Duration, Instant};

/// Lines of output that a failure shows.
const TAIL_LINES: usize = 40;
/// How long one that nobody has ended may take to end.
const GRACE: Duration = Duration::from_secs(30);

/// A running `pagefold`.
#[derive(Debug)]
pub struct Child {
    pid: u32,
    output: PathBuf,
    ended: Arc<OnceLock<ExitStatus>>,
}

impl Child {
    /// Starts `pagefold` with the given arguments and variables; its output is added to the file `output`.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn start(arguments: &[String], variables: &[(String, String)], output: &Path) -> Self {
        Self::spawn(command(&executable()), arguments, variables, output)
    }

    /// The same with an older version.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn start_older(arguments: &[String], variables: &[(String, String)], output: &Path) -> Self {
        Self::spawn(command(&older()), arguments, variables, output)
    }

    /// The same where at most `files` may be open at the same time.
    #[must_use]
    pub fn start_with_files(files: u64, arguments: &[String], variables: &[(String, String)], output: &Path) -> Self {
        let (mut limited, inner) = (Command::new("prlimit"), command(&executable()));
        limited.arg(format!("--nofile={files}:{files}")).arg(inner.get_program()).args(inner.get_args());
        limited.current_dir(workspace());
        clean(&mut limited);
        Self::spawn(limited, arguments, variables, output)
    }

    fn spawn(mut command: Command, arguments: &[String], variables: &[(String, String)], output: &Path) -> Self {
        let (name, value) = gate::variable();
        command.args(arguments).env(name, value).envs(variables.iter().cloned()).stdin(Stdio::null());
        let out = File::options().create(true).append(true).open(output).unwrap();
        command.stdout(out.try_clone().unwrap()).stderr(out);
        let (tell, told) = mpsc::channel();
        let ended = Arc::new(OnceLock::new());
        let end = Arc::clone(&ended);
        // The process is to die with the tests, and the kernel takes its parent to be the thread that started it.
        std::thread::spawn(move || {
            let mut child = command.spawn().unwrap();
            tell.send(child.id()).unwrap();
            end.set(child.wait().unwrap()).unwrap();
        });
        Self { pid: told.recv().unwrap(), output: output.to_owned(), ended }
    }

    /// Its process id.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        self.pid
    }

    /// How it ended, if it has.
    #[must_use]
    pub fn status(&self) -> Option<ExitStatus> {
        self.ended.get().copied()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        process::signal(self.pid, signal);
    }

    /// Sends it a signal that ends it, and waits until it has ended.
    ///
    /// # Panics
    /// If it goes on living.
    pub fn end(&self, signal: Signal) -> ExitStatus {
        let status = self.end_within(signal, DEADLINE);
        status.unwrap_or_else(|| panic!("it does not end\n{}", self.told()))
    }

    fn end_within(&self, signal: Signal, deadline: Duration) -> Option<ExitStatus> {
        let started = Instant::now();
        if self.status().is_none() {
            self.signal(signal);
        }
        while self.status().is_none() && started.elapsed() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        self.status()
    }

    /// How it is: its last lines, and its processes.
    #[must_use]
    pub fn told(&self) -> String {
        let text = std::fs::read_to_string(&self.output).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let last = &lines[lines.len().saturating_sub(TAIL_LINES)..];
        let (output, processes) = (self.output.display(), process::told_tree(self.pid));
        format!("the last lines of `{output}`:\n{}\nits processes:\n{processes}", last.join("\n"))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.end_within(Signal::TERM, GRACE).is_none() {
            self.signal(Signal::KILL);
        }
    }
}

/// `pagefold` with nothing of its settings in the environment, and the project's own tools in reach. It gets SIGTERM when
/// its parent dies, whatever of.
fn command(executable: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "SIGTERM"]).arg(executable).current_dir(workspace());
    clean(&mut command);
    command
}

/// Runs `pagefold` to its end.
pub(crate) fn run(arguments: &[&str]) -> std::process::Output {
    run_with(arguments, &[])
}

/// The same with variables.
pub(crate) fn run_with(arguments: &[&str], variables: &[(String, String)]) -> std::process::Output {
    run_as(&executable(), arguments, variables)
}

/// The same with another executable.
pub(crate) fn run_as(executable: &Path, arguments: &[&str], variables: &[(String, String)]) -> std::process::Output {
    let mut command = Command::new(executable);
    command.args(arguments).current_dir(workspace());
    clean(&mut command);
    command.envs(variables.iter().cloned()).output().unwrap()
}

/// The same as somebody whose settings are below `home`, with `input`.
pub(crate) fn run_by(home: &Path, arguments: &[&str], input: &str) -> std::process::Output {
    let mut command = Command::new(executable());
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    clean(&mut command);
    let mut child = command.env("XDG_CONFIG_HOME", home).current_dir(home).spawn().unwrap();
    // Whoever asks for nothing has ended without reading.
    let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes());
    child.wait_with_output().unwrap()
}

fn clean(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PAGEFOLD") {
            command.env_remove(name);
        }
    }
}
