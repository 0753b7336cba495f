//! A git repository on this machine: a clone to work in, and the bare one that is pushed to and built from.

use crate::webhook::{Delivery, NOTHING};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A repository.
#[derive(Debug, Clone)]
pub struct Repository {
    bare: PathBuf,
    clone: PathBuf,
}

impl Repository {
    /// Makes an empty one below `folder`.
    pub(crate) fn create(folder: &Path, name: &str) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let repository = Self { bare: folder.join(format!("{name}.git")), clone: folder.join(name) };
        git(folder, &["init", "--quiet", "--bare", "--initial-branch=main", &format!("{name}.git")]);
        git(folder, &["init", "--quiet", "--initial-branch=main", name]);
        git(&repository.clone, &["remote", "add", "origin", &format!("../{name}.git")]);
        repository
    }

    /// Where it is fetched from.
    #[must_use]
    pub fn url(&self) -> String {
        format!("file://{}", self.bare.display())
    }

    /// Writes files, commits them on `branch`, and pushes that; answers what a host would tell of it.
    ///
    /// # Panics
    /// If git refuses.
    pub fn push<'f>(&self, branch: &str, files: impl IntoIterator<Item = (&'f str, &'f str)>) -> Delivery {
        let before = self.tip(branch);
        git(&self.clone, &["checkout", "--quiet", "-B", branch]);
        for (path, text) in files {
            let path = self.clone.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        git(&self.clone, &["add", "--all"]);
        git(&self.clone, &["commit", "--quiet", "--allow-empty", "--message", &format!("Work on {branch}")]);
        git(&self.clone, &["push", "--quiet", "origin", branch]);
        Delivery::of_push(&self.url(), branch, &before, &self.tip(branch))
    }

    /// Copies the files of a folder into the clone, for the next push to bring.
    ///
    /// # Panics
    /// If they cannot be copied.
    pub fn write(&self, folder: &Path) {
        let copied = Command::new("cp").arg("-R").arg(folder.join(".")).arg(&self.clone).status().unwrap();
        assert!(copied.success(), "cp: {copied}");
    }

    /// Deletes a branch where it is built from; answers what a host would tell of it.
    #[must_use]
    pub fn delete_branch(&self, branch: &str) -> Delivery {
        let before = self.tip(branch);
        git(&self.clone, &["push", "--quiet", "origin", "--delete", branch]);
        Delivery::of_push(&self.url(), branch, &before, NOTHING)
    }

    /// Makes a branch anew at a commit it had; answers what a host would tell of it.
    #[must_use]
    pub fn restore_branch(&self, branch: &str, commit: &str) -> Delivery {
        git(&self.clone, &["push", "--quiet", "origin", &format!("{commit}:refs/heads/{branch}")]);
        Delivery::of_push(&self.url(), branch, NOTHING, commit)
    }

    fn tip(&self, branch: &str) -> String {
        let reference = format!("refs/heads/{branch}");
        let tip = git(&self.bare, &["for-each-ref", "--format=%(objectname)", &reference]);
        if tip.is_empty() { NOTHING.to_owned() } else { tip }
    }
}

/// Runs git without anybody's own settings.
fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=Story", "-c", "user.email=story@localhost"]).args(arguments).current_dir(folder);
    let output = command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
