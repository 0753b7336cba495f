//! Runs git on a repository of ours, without settings of anybody's, and not for ever.

use crate::problem::Problem;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

/// How long one command may take.
const DEADLINE: Duration = Duration::from_secs(30);
/// What one may answer, in bytes.
const ANSWER_MAX: u64 = 8 << 20;
/// What one may have of memory, and of the disk for one file.
const MEMORY_MAX: &str = "--data=1073741824";
const DISK_MAX: &str = "--fsize=1073741824";
/// What holds for every command: nothing of a repository is run, and what is told to the log stays between us.
const SETTINGS: [&str; 16] = [
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "safe.directory=*",
    "-c",
    "transfer.hideRefs=refs/told",
    "-c",
    "transfer.hideRefs=refs/edits",
    "-c",
    "transfer.fsckObjects=true",
    "-c",
    "receive.maxInputSize=268435456",
    "-c",
    "gc.autoDetach=false",
    "-c",
    "uploadpack.allowAnySHA1InWant=true",
];

/// Why git did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// It said no.
    #[error("git said: {said}")]
    Ended { said: String },
    #[error("git could not be run, or the repository's disk not be used")]
    Io(#[from] io::Error),
    #[error("git did not end in time")]
    TooSlow,
    #[error("git had more to say than it may")]
    TooLong,
    #[error("too many clone and push at once: ask again soon")]
    Busy,
}

impl Fault {
    pub(crate) fn into_problem(self) -> Problem {
        Problem::RepositoryUnavailable(self.into())
    }
}

pub(super) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("prlimit");
    command.args([MEMORY_MAX, DISK_MAX, "--core=0", "--", "git"]).args(SETTINGS).args(arguments);
    command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path))).current_dir(folder);
    command
        .env("HOME", "/nonexistent")
        .env("LC_ALL", "C")
        .env("GIT_DIR", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .kill_on_drop(true);
    command
}

/// What git answers when it is given `input`.
pub(crate) async fn run(command: Command, input: &[u8]) -> Result<Vec<u8>, Fault> {
    run_within(DEADLINE, command, input).await
}

/// The same, for what may take longer.
pub(super) async fn run_within(deadline: Duration, mut command: Command, input: &[u8]) -> Result<Vec<u8>, Fault> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let write = async {
        if let Some(mut stdin) = stdin {
            // One that has heard enough says why it ends.
            let _ = stdin.write_all(input).await;
        }
    };
    let answer = async {
        let (mut answer, mut said) = (Vec::new(), Vec::new());
        let read = async {
            match stdout {
                Some(stdout) => stdout.take(ANSWER_MAX + 1).read_to_end(&mut answer).await.map(drop),
                None => Ok(()),
            }
        };
        let listen = async {
            match stderr {
                Some(stderr) => stderr.take(4096).read_to_end(&mut said).await.map(drop),
                None => Ok(()),
            }
        };
        let ((), read, listened) = tokio::join!(write, read, listen);
        read.and(listened)?;
        Ok::<_, io::Error>((answer, said))
    };
    let ended = async {
        let (answer, said) = answer.await?;
        if answer.len() as u64 > ANSWER_MAX {
            return Err(Fault::TooLong);
        }
        let status = child.wait().await?;
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        if status.success() { Ok(answer) } else { Err(Fault::Ended { said }) }
    };
    tokio::time::timeout(deadline, ended).await.map_err(|_| Fault::TooSlow)?
}
