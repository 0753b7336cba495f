//! The data directory: made once, whole or not at all.

use super::account::Account;
use super::binaries::Binaries;
use super::roles::Passwords;
use super::{Error, Place, Role};
use secrecy::ExposeSecret;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a server that is still ending is waited for.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(30);
const RELEASE_POLL: Duration = Duration::from_millis(50);

/// A data directory that is ready to be served.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) directory: PathBuf,
    pub(super) log: PathBuf,
    pub(super) place: Place,
}

/// Takes up the cluster below `data_dir`, or makes it.
pub(super) fn prepare(data_dir: &Path, binaries: &Binaries, account: Option<&Account>) -> Result<Cluster, Error> {
    let (data_dir, place) = place(data_dir, account)?;
    let directory = data_dir.join("cluster");
    if !directory.exists() {
        init(&data_dir, &directory, &place.passwords, (binaries, account))?;
    }
    Ok(Cluster { directory, log: data_dir.join("postgres.log"), place })
}

/// The data directory by its whole name, and where its server will answer.
pub(super) fn place(data_dir: &Path, account: Option<&Account>) -> Result<(PathBuf, Place), Error> {
    let fresh = !data_dir.exists();
    fs::create_dir_all(data_dir).map_err(Error::file("make", data_dir))?;
    if fresh {
        // As another user, Postgres passes through it; what is inside guards itself.
        let mode = if account.is_some() { 0o711 } else { 0o700 };
        fs::set_permissions(data_dir, Permissions::from_mode(mode)).map_err(Error::file("close", data_dir))?;
    }
    let data_dir = data_dir.canonicalize().map_err(Error::file("look at", data_dir))?;
    if let Some(account) = account {
        account.can_enter(&data_dir)?;
    }
    let passwords = Passwords::in_directory(&data_dir.join("passwords"))?;
    let socket = super::socket::folder(&data_dir, account)?;
    Ok((data_dir, Place { passwords, socket }))
}

/// Makes the cluster under another name first: an interrupted `initdb` leaves something that looks whole and is not.
fn init(
    data_dir: &Path,
    directory: &Path,
    passwords: &Passwords,
    (binaries, account): (&Binaries, Option<&Account>),
) -> Result<(), Error> {
    let making = data_dir.join("cluster.new");
    if making.exists() {
        fs::remove_dir_all(&making).map_err(Error::file("clear", &making))?;
    }
    fs::create_dir(&making).map_err(Error::file("make", &making))?;
    fs::set_permissions(&making, Permissions::from_mode(0o700)).map_err(Error::file("close", &making))?;
    // The password goes by a file: other users can read a command line.
    let password_file = data_dir.join("password.new");
    let password = passwords.of(Role::Administrator).expose_secret();
    super::roles::write_secret(&password_file, password)?;
    if let Some(account) = account {
        account.own(&making)?;
        account.own(&password_file)?;
    }
    let mut command = Command::new(&binaries.initdb);
    command.arg("-D").arg(&making).arg("--pwfile").arg(&password_file).current_dir("/");
    command.args(["--username", Role::Administrator.name(), "--auth", "scram-sha-256"]);
    // Both name the same order of texts. Only of the second does Postgres know that it is that of their bytes, which makes
    // indexes of texts cheaper to make.
    command.args(["--locale", "C.UTF-8", "--lc-collate", "C", "--encoding", "UTF8"]);
    if let Some(account) = account {
        account.run(&mut command);
    }
    let output = command.output();
    fs::remove_file(&password_file).map_err(Error::file("remove", &password_file))?;
    let output = output.map_err(|source| Error::Run { program: binaries.initdb.clone(), source })?;
    if !output.status.success() {
        return Err(Error::Init { output: String::from_utf8_lossy(&output.stderr).trim().to_owned() });
    }
    fs::rename(&making, directory).map_err(Error::file("put in place", directory))
}

impl Cluster {
    /// Waits for a server that is still ending, and clears a lock that a dead one left.
    ///
    /// Postgres takes any living process of its user for the owner of the lock; after a restart of the machine or the
    /// container the number may be another program's, so its command line is asked.
    pub(super) async fn wait_until_free(&self) -> Result<(), Error> {
        let lock = self.directory.join("postmaster.pid");
        let deadline = Instant::now() + RELEASE_TIMEOUT;
        while let Some(pid) = holder(&lock) {
            if !serves(pid, &self.directory) {
                return match fs::remove_file(&lock) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        Err(Error::file("clear", &lock)(error))
                    }
                    _ => Ok(()),
                };
            }
            if Instant::now() >= deadline {
                return Err(Error::InUse { pid, directory: self.directory.clone() });
            }
            tokio::time::sleep(RELEASE_POLL).await;
        }
        Ok(())
    }

    /// The last lines of the server's log.
    pub(super) fn log_tail(&self) -> String {
        const LINES: usize = 5;
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("; ")
    }
}

fn holder(lock: &Path) -> Option<i32> {
    fs::read_to_string(lock).ok()?.lines().next()?.trim().parse().ok()
}

/// Whether process `pid` is a server of `directory`.
fn serves(pid: i32, directory: &Path) -> bool {
    let command_line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    command_line.split(|byte| *byte == 0).any(|argument| argument == directory.as_os_str().as_encoded_bytes())
}
