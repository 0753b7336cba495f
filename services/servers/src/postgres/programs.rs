//! Where the programs of PostgreSQL are, and who runs them.

use super::Error;
use super::account::Account;
use crate::process;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Debian keeps each major version, outside PATH.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The programs of one installation, so that they are of one version.
#[derive(Debug)]
pub(super) struct Programs {
    initdb: PathBuf,
    pub(super) postgres: PathBuf,
    /// Ties the server's life to ours where util-linux is there; without it only an orderly end stops the server.
    setpriv: Option<PathBuf>,
    /// Who they run as; none if it is simply us.
    pub(super) account: Option<Account>,
}

impl Programs {
    /// Finds them on PATH or where Debian keeps them, to be run by `user` if we are root.
    pub(super) fn find(user: &str) -> Result<Self, Error> {
        let path: Vec<PathBuf> = std::env::var_os("PATH").iter().flat_map(std::env::split_paths).collect();
        let candidates = path.iter().cloned().chain(versions());
        let complete = |directory: &PathBuf| directory.join("initdb").is_file() && directory.join("postgres").is_file();
        let directory = candidates.into_iter().find(complete).ok_or(Error::Missing)?;
        let setpriv = path.iter().map(|directory| directory.join("setpriv")).find(|program| program.is_file());
        let account = Account::to_run_as(user)?;
        Ok(Self { initdb: directory.join("initdb"), postgres: directory.join("postgres"), setpriv, account })
    }

    /// A server of `directory`.
    pub(super) fn server(&self, directory: &Path) -> Command {
        let tied = self.setpriv.as_ref().map(|setpriv| process::tied(setpriv, "QUIT", &self.postgres));
        let mut command = self.run_by_account(tied.unwrap_or_else(|| Command::new(&self.postgres)));
        command.arg("-D").arg(directory);
        command
    }

    /// Makes `directory` a cluster; `password_file` has the password of the administrator, whose name is `administrator`.
    pub(super) fn init(&self, directory: &Path, administrator: &str, password_file: &Path) -> Result<(), Error> {
        let mut command = self.run_by_account(Command::new(&self.initdb));
        command.arg("-D").arg(directory).arg("--pwfile").arg(password_file);
        command.args(["--username", administrator, "--auth", "scram-sha-256"]);
        // Both name the same order of texts. Only of the second does Postgres know that it is that of their bytes, which makes
        // indexes of texts cheaper to make.
        command.args(["--locale", "C.UTF-8", "--lc-collate", "C", "--encoding", "UTF8"]);
        let output = command.output().map_err(Error::run(&self.initdb))?;
        if !output.status.success() {
            return Err(Error::Init { output: String::from_utf8_lossy(&output.stderr).trim().to_owned() });
        }
        Ok(())
    }

    fn run_by_account(&self, mut command: Command) -> Command {
        command.current_dir("/");
        if let Some(account) = &self.account {
            account.run(&mut command);
        }
        command
    }
}

/// Debian's directories, the newest major version first.
fn versions() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let mut majors: Vec<u32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    majors.sort_unstable_by(|a, b| b.cmp(a));
    majors.iter().map(|major| Path::new(VERSIONS).join(major.to_string()).join("bin")).collect()
}
