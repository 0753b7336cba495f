//! A private nats-server for `pagefold up` and the tests: its configuration, its users, its process.

mod users;

use crate::error::Error;
use rustix::process::{Pid, Signal, kill_process};
use secrecy::{ExposeSecret, SecretString};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

pub use users::USERS;

/// Oldest server that has what we need (atomic batches that deduplicate, expectations inside batches).
pub const VERSION_MIN: (u32, u32, u32) = (2, 12, 8);
const START_DEADLINE: Duration = Duration::from_secs(20);

/// A running server. It ends with this process, whatever happens to it.
pub struct Server {
    child: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Server {
    /// Starts nats-server below `folder`, on `port` of the loopback address (0: any free one). What it stored before
    /// is served again.
    ///
    /// # Errors
    /// [`Error::Server`] names what is missing and the remedy.
    pub async fn start(folder: &Path, port: u16) -> Result<Self, Error> {
        let failed = |reason: String| Error::Server { reason };
        let binary = find().await?;
        std::fs::create_dir_all(folder)
            .map_err(|error| failed(format!("cannot make `{}`: {error}", folder.display())))?;
        let address =
            SocketAddr::from((Ipv4Addr::LOCALHOST, free_port(port).map_err(|error| failed(error.to_string()))?));
        let config = folder.join("nats.conf");
        let text = users::configuration(folder, address).map_err(|error| failed(error.to_string()))?;
        write_private(&config, &text)
            .map_err(|error| failed(format!("cannot write `{}`: {error}", config.display())))?;
        let log = std::fs::File::create(folder.join("nats.log")).map_err(|error| failed(error.to_string()))?;
        let mut command = dies_with_parent(&binary);
        command.arg("-c").arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        // An interrupt from the terminal is for us alone: the log ends last, when everything has said its last.
        let child = command.process_group(0).kill_on_drop(true).spawn();
        let child = child.map_err(|error| failed(format!("cannot run `{}`: {error}", binary.display())))?;
        let mut server = Self { child, address, folder: folder.to_owned() };
        server.wait_ready().await?;
        Ok(server)
    }

    /// `nats://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// The port it listens on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Whether its process lives.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// The password of one of [`USERS`].
    ///
    /// # Errors
    /// [`Error::Server`] if the user is unknown or the secrets cannot be read.
    pub fn password(&self, user: &str) -> Result<SecretString, Error> {
        password(&self.folder, user)
    }

    /// Asks the server to end and waits until it has.
    pub async fn stop(mut self) {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // It may have ended in between; then there is nobody to ask.
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = tokio::time::timeout(Duration::from_secs(10), self.child.wait()).await;
    }

    async fn wait_ready(&mut self) -> Result<(), Error> {
        let started = tokio::time::Instant::now();
        while tokio::net::TcpStream::connect(self.address).await.is_err() {
            let ended = self.child.try_wait().ok().flatten();
            if ended.is_some() || started.elapsed() > START_DEADLINE {
                let log = std::fs::read_to_string(self.folder.join("nats.log")).unwrap_or_default();
                let last = log.lines().last().unwrap_or("no output").to_owned();
                return Err(Error::Server { reason: format!("it did not come up: {last}") });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

/// The password of `user` in the server kept below `folder`.
///
/// # Errors
/// [`Error::Server`] if the user is unknown or the secrets cannot be read.
pub fn password(folder: &Path, user: &str) -> Result<SecretString, Error> {
    let secrets = users::passwords(folder).map_err(|error| Error::Server { reason: error.to_string() })?;
    let unknown = || Error::Server { reason: format!("there is no user `{user}`") };
    secrets.get(user).map(|secret| SecretString::from(secret.expose_secret())).ok_or_else(unknown)
}

/// A command whose process ends when ours does, even by SIGKILL.
fn dies_with_parent(binary: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.arg("--pdeathsig").arg("SIGTERM").arg(binary);
    command
}

/// Finds a nats-server new enough on PATH, or among the project's private tools.
async fn find() -> Result<PathBuf, Error> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut seen = None;
    for folder in std::env::split_paths(&path).chain([PathBuf::from(".tools/venv/bin")]) {
        let candidate = folder.join("nats-server");
        let Ok(output) = Command::new(&candidate).arg("--version").output().await else { continue };
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if parse_version(&version).is_some_and(|version| version >= VERSION_MIN) {
            return Ok(candidate);
        }
        seen = Some(format!("`{}` is {version}", candidate.display()));
    }
    let found = seen.unwrap_or_else(|| "there is none on PATH".to_owned());
    let (major, minor, patch) = VERSION_MIN;
    Err(Error::Server {
        reason: format!(
            "it must be {major}.{minor}.{patch} or newer, and {found}; `sh deploy/bootstrap.sh tools` installs one"
        ),
    })
}

fn parse_version(text: &str) -> Option<(u32, u32, u32)> {
    let version = text.rsplit('v').next()?;
    let mut parts = version.split(['.', '-']).map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next()??))
}

fn free_port(wanted: u16) -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, wanted))?.local_addr()?.port())
}

pub(crate) fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(parse_version("nats-server: v2.15.1"), Some((2, 15, 1)));
        assert!(parse_version("nats-server: v2.9.10").unwrap() < VERSION_MIN);
        assert_eq!(parse_version("what"), None);
    }
}
