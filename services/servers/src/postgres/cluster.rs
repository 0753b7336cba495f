//! The data directory: made once, whole or not at all.

use super::account::Account;
use super::programs::Programs;
use super::{Endpoint, Error, Role};
use crate::{private, process};
use secrecy::ExposeSecret;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a server that is still ending is waited for.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(30);
const RELEASE_POLL: Duration = Duration::from_millis(50);
/// Lines of the server's log that tell why it has ended.
const TAIL_LINES: usize = 5;

/// A data directory that is ready to be served.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) directory: PathBuf,
    pub(super) log: PathBuf,
    pub(super) endpoint: Endpoint,
}

/// The data directory by its whole name, made if missing.
pub(super) fn data_dir(data_dir: &Path, account: Option<&Account>) -> Result<PathBuf, Error> {
    let fresh = !data_dir.exists();
    fs::create_dir_all(data_dir).map_err(Error::file("make", data_dir))?;
    if fresh {
        // As another user, Postgres passes through it; what is inside guards itself.
        close(data_dir, if account.is_some() { 0o711 } else { 0o700 })?;
    }
    let data_dir = data_dir.canonicalize().map_err(Error::file("look at", data_dir))?;
    if let Some(account) = account {
        account.can_enter(&data_dir)?;
    }
    Ok(data_dir)
}

/// Makes a folder that is closed to others, or closes it.
pub(super) fn closed_folder(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(Error::file("make", folder))?;
    close(folder, 0o700)
}

fn close(folder: &Path, mode: u32) -> Result<(), Error> {
    fs::set_permissions(folder, Permissions::from_mode(mode)).map_err(Error::file("close", folder))
}

impl Cluster {
    /// Takes up the cluster below `data_dir`, or makes it.
    pub(super) fn prepare(data_dir: &Path, programs: &Programs) -> Result<Self, Error> {
        let data_dir = self::data_dir(data_dir, programs.account.as_ref())?;
        let endpoint = Endpoint::below(&data_dir, programs)?;
        let cluster = Self { directory: data_dir.join("cluster"), log: data_dir.join("postgres.log"), endpoint };
        if !cluster.directory.exists() {
            cluster.init(&data_dir, programs)?;
        }
        Ok(cluster)
    }

    /// Makes it under another name first: an interrupted `initdb` leaves something that looks whole and is not.
    fn init(&self, data_dir: &Path, programs: &Programs) -> Result<(), Error> {
        let making = data_dir.join("cluster.new");
        if making.exists() {
            fs::remove_dir_all(&making).map_err(Error::file("clear", &making))?;
        }
        closed_folder(&making)?;
        // The password goes by a file: other users can read a command line.
        let password_file = data_dir.join("password.new");
        let password = self.endpoint.password(Role::Administrator).expose_secret();
        private::write(&password_file, password).map_err(Error::file("write", &password_file))?;
        if let Some(account) = &programs.account {
            account.own(&making)?;
            account.own(&password_file)?;
        }
        let made = programs.init(&making, Role::Administrator.name(), &password_file);
        fs::remove_file(&password_file).map_err(Error::file("remove", &password_file))?;
        made?;
        fs::rename(&making, &self.directory).map_err(Error::file("put in place", &self.directory))
    }

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

    /// That the server has ended, with its last words.
    pub(super) fn exited(&self) -> Error {
        let tail = process::last_lines(&self.log, TAIL_LINES).join("; ");
        Error::Exited { log: self.log.clone(), tail }
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
