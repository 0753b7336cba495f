//! Runs git on somebody else's repository: without settings of anybody's, without credentials, and with no more than a look needs.

use super::Asked;
use crate::problem::Problem;
use crate::repositories::{Fault, run};
use dialer::{Dialer, Egress, Unreached};
use std::path::Path;
use tempfile::TempDir;
use tokio::process::Command;

/// What one run may have of memory, and of the disk for one file: names are wanted, and no contents.
const MEMORY_MAX: &str = "--data=536870912";
const DISK_MAX: &str = "--fsize=16777216";
/// How git finds whom the system trusts.
const PASSED: [&str; 5] = ["PATH", "GIT_SSL_CAINFO", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE"];
/// Where the tip is kept that was fetched.
const TIP: &str = "refs/tip";

/// A look at one repository.
pub(super) struct Look {
    transport: &'static str,
    egress: Egress,
    folder: TempDir,
}

/// What a repository says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Refs {
    pub(super) default: Option<String>,
    pub(super) branches: Vec<String>,
}

impl Look {
    pub(super) async fn open(dialer: &Dialer, folder: &Path, transport: &'static str) -> Result<Self, Problem> {
        let failed = |error: std::io::Error| Problem::RepositoryUnavailable(error.into());
        let egress = Egress::open(dialer.clone()).await.map_err(failed)?;
        let folder = tempfile::Builder::new().prefix("look-").tempdir_in(folder).map_err(failed)?;
        Ok(Self { transport, egress, folder })
    }

    /// Why the last connection was not made.
    pub(super) fn why(&self) -> Option<Unreached> {
        self.egress.why()
    }

    /// Its branches, or what git says instead.
    pub(super) async fn refs(&self, url: &str) -> Result<Result<Refs, String>, Problem> {
        match run(self.command(&["ls-remote", "--symref", "--", url, "HEAD", "refs/heads/*"]), &[]).await {
            Ok(answer) => Ok(Ok(Refs::read(&String::from_utf8_lossy(&answer)))),
            Err(Fault::Ended { said }) => Ok(Err(said)),
            Err(fault) => Err(fault.into_problem()),
        }
    }

    /// The names at the top of a branch; none if they do not come within the bounds.
    pub(super) async fn names(&self, asked: &Asked) -> Result<Option<Vec<String>>, Problem> {
        let refspec = format!("+refs/heads/{}:{TIP}", asked.branch);
        let fetch = [
            "fetch",
            "--quiet",
            "--depth=1",
            "--filter=blob:none",
            "--no-tags",
            "--",
            asked.repository.as_str(),
            &refspec,
        ];
        let list = ["ls-tree", "-z", "--name-only", TIP];
        let mut listed = Vec::new();
        for arguments in [&["init", "--quiet", "--bare"][..], &fetch, &list] {
            match run(self.command(arguments), &[]).await {
                Ok(answer) => listed = answer,
                Err(Fault::Ended { .. } | Fault::TooLong | Fault::TooSlow) => return Ok(None),
                Err(fault) => return Err(fault.into_problem()),
            }
        }
        let names = String::from_utf8_lossy(&listed);
        Ok(Some(names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect()))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("prlimit");
        command
            .args([MEMORY_MAX, DISK_MAX, "--core=0", "--", "git"])
            .arg(format!("--git-dir={}", self.folder.path().display()));
        command.args(["-c", &format!("http.proxy={}", self.egress.proxy())]);
        command.args(["-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=5", "-c", "core.hooksPath=/dev/null"]);
        command.args(arguments).env_clear().current_dir(self.folder.path()).kill_on_drop(true);
        command.envs(PASSED.iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value))));
        command
            .env("HOME", "/nonexistent")
            .env("LC_ALL", "C")
            .env("GIT_ALLOW_PROTOCOL", self.transport)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_NO_LAZY_FETCH", "1");
        command
    }
}

impl Refs {
    /// Reads lines of `ls-remote --symref`.
    fn read(text: &str) -> Self {
        let mut refs = Self::default();
        for (left, name) in text.lines().filter_map(|line| line.split_once('\t')) {
            if let (Some(target), "HEAD") = (left.strip_prefix("ref: refs/heads/"), name) {
                refs.default = Some(target.to_owned());
            } else if let Some(branch) = name.strip_prefix("refs/heads/") {
                refs.branches.push(branch.to_owned());
            }
        }
        refs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_says_which_branches_it_has_and_which_it_begins_with() {
        let text = "ref: refs/heads/trunk\tHEAD\nab\tHEAD\nab\trefs/heads/next\nab\trefs/heads/trunk\n";
        let branches = vec!["next".to_owned(), "trunk".to_owned()];
        assert_eq!(Refs::read(text), Refs { default: Some("trunk".to_owned()), branches });
        assert_eq!(Refs::read(""), Refs::default());
    }
}
