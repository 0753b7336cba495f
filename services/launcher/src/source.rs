//! Fetches commits: a bare mirror per repository, so that a second build is cheap, and from it a checkout that shares
//! nothing with the mirror.
//!
//! What a build gets is a repository of its own with this one commit in it, since generators ask git for the commit and
//! its date. Submodules and Git LFS are not fetched.

use crate::workspace::Workspace;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

mod address;
mod dial;
mod egress;
mod git;
pub(crate) mod leftovers;
mod local;
mod route;
mod tip;
mod verdict;

pub use dial::{Dialer, Unreached};
pub use git::Complaint;

use crate::workspace::Identity;
use address::Address;
use git::Git;

/// How far back the tip of a branch is fetched: a build needs one commit.
const TIP: &str = "--depth=1";
/// How much of a `.gitattributes` is looked at.
const ATTRIBUTES_MAX: u64 = 64 << 10;
/// The depth that git takes for all of the history.
const ALL: &str = "--depth=2147483647";

/// How sources are fetched.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the mirrors are kept; of one launcher alone.
    pub root: PathBuf,
    pub rules: Rules,
    /// Who repositories of this machine are read as, if the launcher is root.
    pub reader: Option<Identity>,
    /// One run of git may take this long.
    pub timeout: Duration,
    /// A server that sends next to nothing for so long is given up; in whole seconds.
    pub stall: Duration,
}

/// Where sources may be.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// What may be connected to, and the folders of this machine that repositories may be below.
    pub dialer: Dialer,
    /// Folders of the platform, which no repository may be in.
    pub closed: Vec<PathBuf>,
}

/// The mirrors of all repositories.
pub struct Mirror {
    config: Config,
    locks: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

/// A checkout that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Whether the mirror had the commit already.
    pub from_mirror: bool,
    /// What the log of the build should say about the source.
    pub notices: Vec<String>,
}

/// Why there is no checkout. No message holds a user name or password.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{address}` is not an address that is fetched from: {why}")]
    AddressRefused { address: String, why: &'static str },
    #[error("`{0}` is not a commit: 40 or 64 hexadecimal digits are needed")]
    CommitMalformed(String),
    #[error("`{0}` is not a branch name")]
    BranchMalformed(String),
    #[error("there is no branch `{branch}` in `{address}`")]
    BranchNotFound { branch: String, address: String },
    #[error("commit `{commit}` is not in `{address}`")]
    CommitNotFound { commit: String, address: String },
    #[error("there is no repository at `{address}` that can be read from here")]
    RepositoryNotFound { address: String },
    #[error("`{address}` refuses us: it is private, or asks for a password or a key that we do not have")]
    AccessRefused { address: String },
    #[error("`{address}` is not connected to: {why}")]
    Forbidden { address: String, why: Unreached },
    #[error("`{address}` cannot be reached: {why}")]
    Unreachable { address: String, why: Unreached },
    #[error("failed to fetch from `{address}`")]
    RepositoryUnavailable { address: String, source: Complaint },
    #[error("the commit cannot be checked out on any machine of ours")]
    CommitUnfit { source: Complaint },
    #[error("failed to {action}")]
    Git { action: &'static str, source: Complaint },
    #[error("failed to {action}")]
    Io { action: &'static str, source: io::Error },
}

impl Error {
    /// Whether another try may succeed with the same source.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::RepositoryUnavailable { .. }) || self.is_ours()
    }

    /// Whether this machine is at fault, and not the source or the way to it.
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Git { .. } | Self::Io { .. })
    }

    fn unreached(address: &Address, why: Unreached) -> Self {
        let address = address.to_string();
        if why.is_forbidden() { Self::Forbidden { address, why } } else { Self::Unreachable { address, why } }
    }
}

/// One wish, checked.
struct Wish {
    address: Address,
    commit: String,
    branch: String,
    folder: PathBuf,
}

impl Mirror {
    /// Makes the folder of the mirrors if need be.
    pub fn open(config: Config) -> Result<Self, Error> {
        let root = fs::create_dir_all(&config.root)
            .and_then(|()| git::write_settings(&config.root))
            .and_then(|()| config.root.canonicalize())
            .map_err(|source| Error::Io { action: "prepare the folder of mirrors", source })?;
        Ok(Self { config: Config { root, ..config }, locks: Mutex::default() })
    }

    /// Checks out `commit` of `repository`, pushed to `branch`, into the empty folder `into`.
    pub async fn checkout(&self, repository: &str, commit: &str, branch: &str, into: &Path) -> Result<Fetched, Error> {
        let address = Address::parse(repository)?;
        let wish = Wish {
            commit: well_formed_commit(commit)?,
            branch: well_formed_branch(branch)?,
            folder: self.config.root.join(format!("{}.git", digest(repository))),
            address,
        };
        let lock = self.lock_of(repository);
        let _turn = lock.lock().await;
        let git = Git::new(&self.config, &wish.address);
        match attempt(&git, &wish, into).await {
            Err(error) if error.is_retryable() && is_damaged(&git, &wish.folder).await => {
                tracing::warn!(error = &error as &dyn std::error::Error, address = %wish.address, "a mirror is damaged and made anew");
                remove(wish.folder.clone()).await?;
                remove(into.join(".git")).await?;
                attempt(&git, &wish, into).await
            }
            outcome => outcome,
        }
    }

    fn lock_of(&self, repository: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(locks.entry(digest(repository)).or_default())
    }
}

async fn attempt(git: &Git<'_>, wish: &Wish, into: &Path) -> Result<Fetched, Error> {
    let mirror = wish.folder.as_path();
    git.check()?;
    make(git, mirror).await?;
    let from_mirror = has_commit(git, wish).await;
    if !from_mirror {
        fetch(git, wish).await?;
    }
    check_out(git, wish, into).await?;
    Ok(Fetched { from_mirror, notices: notices(into) })
}

/// Makes the mirror, or clears what a run of git left in it that was killed. Whoever calls has the mirror's turn.
async fn make(git: &Git<'_>, mirror: &Path) -> Result<(), Error> {
    let existing = mirror.to_owned();
    let found = crate::blocking(move || {
        leftovers::remove(&existing);
        Ok(existing.exists())
    });
    let failed = |source| Error::Io { action: "look at a mirror", source };
    if found.await.map_err(failed)? {
        return Ok(());
    }
    let action = "make a mirror";
    git.run(mirror, &["init", "--quiet", "--bare"]).await.map_err(|source| Error::Git { action, source })
}

/// Asks for the branch's tip, then for the commit itself, then for all of the branch: servers that give out any commit by
/// its name are the rule, but not all do.
async fn fetch(git: &Git<'_>, wish: &Wish) -> Result<(), Error> {
    let branch = format!("+refs/heads/{}:refs/branches/{}", wish.branch, digest(&wish.branch));
    let exact = format!("+{}:refs/commits/{}", wish.commit, wish.commit);
    let route = git.route().await?;
    for (depth, refspec) in [(TIP, &branch), (TIP, &exact), (ALL, &branch)] {
        match git.fetch(&wish.folder, &route, [depth, refspec]).await {
            Err(complaint) if !complaint.is_about_a_missing_ref() => {
                return Err(verdict::of_fetch(complaint, route.why(), &wish.address));
            }
            _ => {}
        }
        if has_commit(git, wish).await {
            return Ok(());
        }
    }
    Err(Error::CommitNotFound { commit: wish.commit.clone(), address: wish.address.to_string() })
}

async fn has_commit(git: &Git<'_>, wish: &Wish) -> bool {
    git.run(&wish.folder, &["cat-file", "-e", &format!("{}^{{commit}}", wish.commit)]).await.is_ok()
}

/// Copies the commit out of the mirror: a copy, not a link, since the build may write to every file it gets.
async fn check_out(git: &Git<'_>, wish: &Wish, into: &Path) -> Result<(), Error> {
    let failed = |source| Error::Git { action: "check out the commit", source };
    let own = into.join(".git");
    let format = if wish.commit.len() == 64 { "--object-format=sha256" } else { "--object-format=sha1" };
    git.run(&own, &["init", "--quiet", "--bare", "--template=", format]).await.map_err(failed)?;
    git.run(&own, &["config", "core.bare", "false"]).await.map_err(failed)?;
    git.copy(&own, &wish.folder, &wish.commit).await.map_err(failed)?;
    let checkout = ["checkout", "--quiet", "--force", "-B", &wish.branch, &wish.commit];
    git.run_in(&own, into, &checkout).await.map_err(verdict::of_checkout)
}

async fn is_damaged(git: &Git<'_>, mirror: &Path) -> bool {
    mirror.exists() && git.run(mirror, &["fsck", "--no-dangling", "--no-progress"]).await.is_err()
}

fn notices(checkout: &Path) -> Vec<String> {
    let mut notices = Vec::new();
    if fs::symlink_metadata(checkout.join(".gitmodules")).is_ok() {
        notices.push("the repository has submodules: they are not fetched".to_owned());
    }
    let attributes = checkout.join(".gitattributes");
    let plain = fs::symlink_metadata(&attributes).is_ok_and(|found| found.is_file());
    if plain && beginning(&attributes).is_ok_and(|text| text.contains("filter=lfs")) {
        notices.push("the repository uses Git LFS: its files are not fetched, only their pointers".to_owned());
    }
    notices
}

/// The beginning of a file, however long it is.
fn beginning(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(ATTRIBUTES_MAX).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn well_formed_commit(commit: &str) -> Result<String, Error> {
    let hex = commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hex && matches!(commit.len(), 40 | 64) {
        Ok(commit.to_ascii_lowercase())
    } else {
        Err(Error::CommitMalformed(commit.to_owned()))
    }
}

fn well_formed_branch(branch: &str) -> Result<String, Error> {
    events::Branch::try_from(branch.to_owned())
        .ok()
        .filter(|branch| branch.as_str() != "HEAD")
        .map(|branch| branch.as_str().to_owned())
        .ok_or_else(|| Error::BranchMalformed(branch.to_owned()))
}

/// A mirror is named by the whole address, credentials included: who knows a commit of a private repository but not its
/// credentials must not get it from somebody else's mirror.
fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

async fn remove(folder: PathBuf) -> Result<(), Error> {
    let removed = crate::blocking(move || Workspace::at(folder).remove()).await;
    removed.map_err(|source| Error::Io { action: "remove a damaged mirror", source })
}

#[cfg(test)]
mod notices_tests;

#[cfg(test)]
mod tests {
    use super::{well_formed_branch, well_formed_commit};

    #[test]
    fn a_commit_is_a_full_object_name() {
        assert_eq!(well_formed_commit(&"AB".repeat(20)).unwrap(), "ab".repeat(20));
        assert!(well_formed_commit(&"ab".repeat(32)).is_ok());
        for bad in ["", "main", "--upload-pack=x", &"ab".repeat(19), &"zz".repeat(20), &"ab".repeat(21)] {
            assert!(well_formed_commit(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_branch_can_be_neither_option_nor_pattern() {
        for good in ["main", "feature/x", "v1.2", "ünï"] {
            assert!(well_formed_branch(good).is_ok(), "{good}");
        }
        for bad in ["", "-f", "--upload-pack=x", "a b", "a:b", "a*", "a..b", "a@{1}", "a\nb", "HEAD"] {
            assert!(well_formed_branch(bad).is_err(), "{bad}");
        }
    }
}
