//! A private nats-server for `pagefold up` and the tests: its configuration, its users, its process.

mod hand_out;
mod proof;
mod relay;
mod users;

use crate::connection;
use crate::error::Error;
use rustix::process::{Pid, Signal, kill_process};
use secrecy::{ExposeSecret, SecretString};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::Instant;

pub use hand_out::{INCLUDED, hand_out};
pub use proof::certificate;
pub use relay::Relay;
pub use users::USERS;

/// Oldest server that has what we need (atomic batches that deduplicate, expectations inside batches).
pub const VERSION_MIN: (u32, u32, u32) = (2, 12, 8);
/// How long a server that lives may take to answer: it reads what it stores first, and a big store takes its time. Only one
/// that is silent for longer is taken for stuck.
pub const START_MAX: Duration = Duration::from_secs(10 * 60);
/// How often it is said that a server is waited for.
pub const SAY_EVERY: Duration = Duration::from_secs(10);
/// How often it is asked whether it answers.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// How a server runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it stores the log, its configuration, the users' passwords, its certificate and its key.
    pub folder: PathBuf,
    /// Ports of the loopback interface, of which it takes the first that is free (0: any free one); any if there are none.
    pub ports: Vec<u16>,
}

/// A running server. It ends with this process, whatever happens to it.
pub struct Server {
    child: Child,
    address: SocketAddr,
    settings: Settings,
}

impl Settings {
    /// A server below `folder` that keeps a log alone.
    #[must_use]
    pub fn new(folder: &Path, ports: Vec<u16>) -> Self {
        Self { folder: folder.to_owned(), ports }
    }
}

impl Server {
    /// Starts nats-server below `folder`, on `port` of the loopback address (0: any free one). What it stored before
    /// is served again.
    ///
    /// # Errors
    /// [`Error::Server`] names what is missing and the remedy.
    pub async fn start(folder: &Path, port: u16) -> Result<Self, Error> {
        Self::start_as(Settings::new(folder, vec![port])).await
    }

    /// [`start`](Self::start) with settings of one's own.
    ///
    /// # Errors
    /// [`Error::Server`] names what is missing and the remedy.
    pub async fn start_as(settings: Settings) -> Result<Self, Error> {
        let mut server = Self::spawn(settings).await?;
        server.ready(|_| {}).await?;
        Ok(server)
    }

    /// Starts the process. It [is `ready`](Self::ready) when it has read what it stores.
    ///
    /// # Errors
    /// [`Error::Server`] names what is missing and the remedy.
    pub async fn spawn(settings: Settings) -> Result<Self, Error> {
        let failed = |reason: String| Error::Server { reason };
        let binary = find().await?;
        let folder = &settings.folder;
        private_folder(folder).map_err(|error| failed(format!("cannot make `{}`: {error}", folder.display())))?;
        let address = free(&settings.ports).map_err(|error| failed(error.to_string()))?;
        let config = settings.folder.join("nats.conf");
        let text = users::configuration(&settings, address).map_err(|error| failed(error.to_string()))?;
        write_private(&config, &text)
            .map_err(|error| failed(format!("cannot write `{}`: {error}", config.display())))?;
        let log = open_private(&settings.folder.join("nats.log")).map_err(|error| failed(error.to_string()))?;
        let mut command = dies_with_parent(&binary);
        command.arg("-c").arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        // An interrupt from the terminal is for us alone: the log ends last, when everything has said its last.
        let child = command.process_group(0).kill_on_drop(true).spawn();
        let child = child.map_err(|error| failed(format!("cannot run `{}`: {error}", binary.display())))?;
        Ok(Self { child, address, settings })
    }

    /// Waits until it answers. One that lives is waited for, [`START_MAX`] at most; `waiting` is told every [`SAY_EVERY`] for
    /// how long.
    ///
    /// # Errors
    /// [`Error::Server`] with the last it has said, if it has ended or is taken for stuck.
    pub async fn ready(&mut self, waiting: impl Fn(Duration)) -> Result<(), Error> {
        let (started, mut say) = (Instant::now(), SAY_EVERY);
        while TcpStream::connect(self.address).await.is_err() {
            let (ended, waited) = (!self.is_running(), started.elapsed());
            if ended || waited > START_MAX {
                let log = std::fs::read_to_string(self.settings.folder.join("nats.log")).unwrap_or_default();
                let last = log.lines().last().unwrap_or("no output").to_owned();
                return Err(Error::Server { reason: format!("it did not come up: {last}") });
            }
            if waited >= say {
                tracing::warn!(seconds = waited.as_secs(), "nats-server lives and does not answer yet, waiting");
                waiting(waited);
                say += SAY_EVERY;
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
        Ok(())
    }

    /// `tls://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        url(self.port())
    }

    /// How one of [`USERS`] connects to it.
    ///
    /// # Errors
    /// [`Error::Server`] if the user is unknown or the secrets cannot be read.
    pub fn access(&self, user: &str) -> Result<connection::Config, Error> {
        access(&self.settings.folder, user, self.url())
    }

    /// The port it listens on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
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
        password(&self.settings.folder, user)
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

/// Makes the users' passwords and the certificate, so that clients can be told how to connect before the server runs; and
/// says whether there is a server to run.
///
/// # Errors
/// [`Error::Server`] names what is missing and the remedy.
pub async fn prepare(settings: &Settings) -> Result<(), Error> {
    find().await?;
    let failed = |error: std::io::Error| Error::Server { reason: error.to_string() };
    private_folder(&settings.folder).map_err(failed)?;
    users::passwords(&settings.folder).map_err(failed)?;
    proof::prepare(&settings.folder).map_err(failed)
}

/// How `user` connects to a server at `url` whose secrets are kept in `secrets`.
///
/// # Errors
/// [`Error::Server`] if the user is unknown or the secrets cannot be read.
pub fn access(secrets: &Path, user: &str, url: String) -> Result<connection::Config, Error> {
    let password = password(secrets, user)?;
    Ok(connection::Config { url, user: user.to_owned(), password, certificate: Some(certificate(secrets)) })
}

/// The URL of a private server on `port`.
#[must_use]
pub fn url(port: u16) -> String {
    format!("tls://{}", address(port))
}

/// Ports that nothing listens on at this moment.
///
/// # Errors
/// If there are not so many.
pub fn free_ports(count: usize) -> std::io::Result<Vec<u16>> {
    let taken: Vec<TcpListener> = (0..count).map(|_| TcpListener::bind(address(0))).collect::<Result<_, _>>()?;
    taken.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
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

const fn address(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// The first address that can be listened on.
fn free(ports: &[u16]) -> std::io::Result<SocketAddr> {
    let mut tried = TcpListener::bind(address(ports.first().copied().unwrap_or_default()));
    for port in ports.iter().skip(1) {
        tried = tried.or_else(|_| TcpListener::bind(address(*port)));
    }
    tried?.local_addr()
}

fn private_folder(path: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

pub(crate) fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    open_private(path)?.write_all(text.as_bytes())
}

/// An empty file that only its owner can read.
fn open_private(path: &Path) -> std::io::Result<std::fs::File> {
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    Ok(file)
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
