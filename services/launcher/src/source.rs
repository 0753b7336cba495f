//! Fetches commits: a bare mirror per repository, so that a second build is cheap, and from it a checkout that shares
//! nothing with the mirror.
//!
//! What a build gets is a repository of its own with this one commit in it, since generators ask git for the commit and
//! its date. Submodules and Git LFS are not fetched.

use crate::spec::Limits;
use crate::workspace::Identity;
use dialer::Dialer;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

mod address;
mod checkout;
mod complaint;
mod credentials;
mod error;
mod git;
mod home;
pub(crate) mod leftovers;
mod local;
mod room;
mod route;
mod shelf;
mod tip;
mod told;
mod verdict;

pub use complaint::Complaint;
pub use credentials::{Credentials, Login};
pub use error::Error;
pub use home::Home;
pub use tip::Tip;

use address::Address;
use git::Git;
use room::Room;
use shelf::{Held, Shelf};

/// How far back the tip of a branch is fetched: a build needs one commit.
const TIP: &str = "--depth=1";

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
    /// What mirrors may take.
    pub space: Space,
    /// What a build may take: its checkout is part of that, and git has as much memory.
    pub limits: Limits,
}

/// What mirrors may take of the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Space {
    /// The mirror of one repository, in bytes.
    pub mirror_bytes: u64,
    /// All mirrors together, in bytes, as long as no build has one in hand: those used last are kept.
    pub mirrors_bytes: u64,
}

impl Default for Space {
    fn default() -> Self {
        Self { mirror_bytes: 4 << 30, mirrors_bytes: 32 << 30 }
    }
}

/// Where sources may be.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// What may be connected to, and the folders of this machine that repositories may be below.
    pub dialer: Dialer,
    /// Folders of the platform, which no repository may be in.
    pub closed: Vec<PathBuf>,
    /// Where the platform's own repositories are; none if it keeps none.
    pub own: Option<Home>,
}

/// The mirrors of all repositories.
pub struct Mirror {
    config: Config,
    shelf: Arc<Shelf>,
}

/// A branch of a repository, and what that is read by.
#[derive(Debug, Clone)]
pub struct Origin<'a> {
    pub repository: &'a str,
    pub branch: &'a str,
    pub credentials: Credentials,
}

impl<'a> Origin<'a> {
    /// One that everybody may read.
    pub fn public(repository: &'a str, branch: &'a str) -> Self {
        Self { repository, branch, credentials: Credentials::default() }
    }

    /// What its mirror is called. Credentials are part of that: who knows a commit of a private repository but has not what it is
    /// read by must not get it from somebody else's mirror.
    fn mirror(&self, address: &Address) -> String {
        format!("{}{}", self.repository, self.credentials.mark(address.scheme))
    }
}

/// A checkout that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Whether the mirror had the commit already.
    pub from_mirror: bool,
    /// What the commit tells of itself.
    pub source: events::event::Source,
    /// What the log of the build should say about the source.
    pub notices: Vec<String>,
}

/// Git's turn at a mirror, which nobody else has meanwhile.
struct Turn<'a> {
    git: Git<'a>,
    held: &'a Held,
}

/// One wish, checked.
struct Wish {
    address: Address,
    commit: String,
    branch: String,
}

impl Mirror {
    /// Makes the folder of the mirrors if need be. Blocks.
    pub fn open(config: Config) -> Result<Self, Error> {
        let failed = |source| Error::Io { action: "prepare the folder of mirrors", source };
        let root = fs::create_dir_all(&config.root)
            .and_then(|()| git::write_settings(&config.root))
            .and_then(|()| credentials::prepare(&config.root))
            .and_then(|()| config.root.canonicalize())
            .map_err(failed)?;
        let shelf = Shelf::open(&root, config.space.mirrors_bytes, config.limits.disk_reserve_bytes);
        Ok(Self { shelf: Arc::new(shelf.map_err(failed)?), config: Config { root, ..config } })
    }

    /// Checks out `commit`, pushed to the branch of `origin`, into the empty folder `into`.
    pub async fn checkout(&self, origin: &Origin<'_>, commit: &str, into: &Path) -> Result<Fetched, Error> {
        let wish = Wish::of(origin, commit)?;
        let git = Git::new(&self.config, &wish.address, &origin.credentials);
        git.check()?;
        let held = self.shelf.hold(&origin.mirror(&wish.address)).await;
        let room = Room::new(&self.config, &wish.address, &held).with_tree(&self.config, into);
        // The future is large and lives on the heap.
        let turn = Turn { git, held: &held };
        let fetched = Box::pin(turn.within(&room, || turn.check_out(&wish, into))).await;
        self.put_back(held);
        fetched
    }

    /// Fetches all of the history of `commit` and its branch into `into`, where it is checked out.
    pub async fn deepen(&self, origin: &Origin<'_>, commit: &str, into: &Path) -> Result<(), Error> {
        let wish = Wish::of(origin, commit)?;
        let git = Git::new(&self.config, &wish.address, &origin.credentials);
        git.check()?;
        let held = self.shelf.hold(&origin.mirror(&wish.address)).await;
        let room = Room::new(&self.config, &wish.address, &held).with_tree(&self.config, into);
        let turn = Turn { git, held: &held };
        // The future is large and lives on the heap.
        let deepened = Box::pin(room.keep(turn.deepen(&wish, into))).await;
        self.put_back(held);
        deepened
    }

    /// Removes mirrors that nobody has in hand while they take too much or the disk is short.
    pub(crate) async fn make_room(&self) {
        self.shelf.trim().await;
    }

    /// Gives a mirror back, and makes room for others if need be. Nobody waits for that.
    fn put_back(&self, held: Held) {
        drop(held);
        let shelf = Arc::clone(&self.shelf);
        tokio::spawn(async move { shelf.trim().await });
    }
}

impl Wish {
    fn of(origin: &Origin<'_>, commit: &str) -> Result<Self, Error> {
        Ok(Self {
            address: Address::parse(origin.repository)?,
            commit: well_formed_commit(commit)?,
            branch: well_formed_branch(origin.branch)?,
        })
    }
}

impl Turn<'_> {
    /// Does `work` within `room`, and once more from nothing if the mirror was there before and is damaged or has outgrown
    /// its room: only what is fetched now is the repository's own size.
    async fn within<T, Work: Future<Output = Result<T, Error>>>(
        &self,
        room: &Room<'_>,
        work: impl Fn() -> Work,
    ) -> Result<T, Error> {
        let was_there = self.held.is_there().await;
        let error = match room.keep(work()).await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let (mirror, outgrown) = (&self.held.folder, matches!(error, Error::RepositoryTooLarge { .. }));
        let doubtful = !error.is_about_room() && error.is_retryable();
        if !was_there || !(outgrown || doubtful && self.git.is_damaged(mirror).await) {
            return Err(error);
        }
        tracing::warn!(error = &error as &dyn std::error::Error, mirror = %mirror.display(), "a mirror is made anew");
        let removed = self.held.remove().await;
        removed.map_err(|source| Error::Io { action: "remove a damaged mirror", source })?;
        room.empty_tree().await;
        room.keep(work()).await
    }
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

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

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
