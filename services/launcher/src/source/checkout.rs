//! How a commit gets into a mirror, and from there into a folder of its own.

use super::{Error, Fetched, TIP, Turn, Wish, digest, leftovers, told};
use crate::blocking;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

/// How much of a `.gitattributes` is looked at.
const ATTRIBUTES_MAX: u64 = 64 << 10;
/// The depth that git takes for all of the history.
const ALL: &str = "--depth=2147483647";

impl Turn<'_> {
    /// Makes the mirror, fetches the commit if it is not there, and copies it out.
    pub(super) async fn check_out(&self, wish: &Wish, into: &Path) -> Result<Fetched, Error> {
        self.make().await?;
        let from_mirror = self.has_commit(wish).await;
        if !from_mirror {
            self.fetch(wish).await?;
        }
        self.copy(wish, into).await?;
        let source = told::of(&self.git, &into.join(".git"), wish).await?;
        Ok(Fetched { from_mirror, source, notices: notices_of(into).await })
    }

    /// Makes the mirror, or clears what a run of git left in it that was killed.
    pub(super) async fn make(&self) -> Result<(), Error> {
        let existing = self.held.folder.clone();
        let found = blocking(move || {
            leftovers::remove(&existing);
            Ok(existing.exists())
        });
        if !found.await.map_err(|source| Error::Io { action: "look at a mirror", source })? {
            let made = self.git.run(&self.held.folder, &["init", "--quiet", "--bare"]).await;
            made.map_err(|source| Error::Git { action: "make a mirror", source })?;
        }
        self.held.touch().await;
        Ok(())
    }

    /// Asks for the branch's tip, then for the commit itself, then for all of the branch: servers that give out any commit
    /// by its name are the rule, but not all do.
    async fn fetch(&self, wish: &Wish) -> Result<(), Error> {
        let branch = format!("+refs/heads/{}:refs/branches/{}", wish.branch, digest(&wish.branch));
        let exact = format!("+{}:refs/commits/{}", wish.commit, wish.commit);
        let route = self.git.route().await?;
        for (depth, refspec) in [(TIP, &branch), (TIP, &exact), (ALL, &branch)] {
            match self.git.fetch(&self.held.folder, &route, [depth, refspec]).await {
                Err(complaint) if !complaint.is_about_a_missing_ref() => {
                    return Err(self.git.failed_fetch(complaint, route.why()));
                }
                _ => {}
            }
            if self.has_commit(wish).await {
                return Ok(());
            }
        }
        Err(Error::CommitNotFound { commit: wish.commit.clone(), address: wish.address.to_string() })
    }

    /// Fetches all of the history, and copies it to where the commit is checked out.
    pub(super) async fn deepen(&self, wish: &Wish, into: &Path) -> Result<(), Error> {
        let branch = format!("+refs/heads/{}:refs/branches/{}", wish.branch, digest(&wish.branch));
        let exact = format!("+{}:refs/commits/{}", wish.commit, wish.commit);
        let route = self.git.route().await?;
        // A commit that the branch has left behind has a history of its own.
        for refspec in [&branch, &exact] {
            match self.git.fetch(&self.held.folder, &route, [ALL, refspec]).await {
                Err(complaint) if !complaint.is_about_a_missing_ref() => {
                    return Err(self.git.failed_fetch(complaint, route.why()));
                }
                _ => {}
            }
        }
        let copied = self.git.copy(&into.join(".git"), &self.held.folder, [ALL, &wish.commit]).await;
        copied.map_err(|complaint| self.git.failed_checkout(complaint))
    }

    async fn has_commit(&self, wish: &Wish) -> bool {
        let object = format!("{}^{{commit}}", wish.commit);
        self.git.run(&self.held.folder, &["cat-file", "-e", &object]).await.is_ok()
    }

    /// Copies the commit out of the mirror: a copy, not a link, since the build may write to every file it gets.
    async fn copy(&self, wish: &Wish, into: &Path) -> Result<(), Error> {
        let git = &self.git;
        let failed = |source| Error::Git { action: "check out the commit", source };
        let own = into.join(".git");
        let format = if wish.commit.len() == 64 { "--object-format=sha256" } else { "--object-format=sha1" };
        git.run(&own, &["init", "--quiet", "--bare", "--template=", format]).await.map_err(failed)?;
        git.run(&own, &["config", "core.bare", "false"]).await.map_err(failed)?;
        let copied = git.copy(&own, &self.held.folder, [TIP, &wish.commit]).await;
        copied.map_err(|complaint| git.failed_checkout(complaint))?;
        let checkout = ["checkout", "--quiet", "--force", "-B", &wish.branch, &wish.commit];
        git.run_in(&own, into, &checkout).await.map_err(|complaint| git.failed_checkout(complaint))
    }
}

async fn notices_of(checkout: &Path) -> Vec<String> {
    let checkout = checkout.to_owned();
    blocking(move || Ok(notices(&checkout))).await.unwrap_or_default()
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

#[cfg(test)]
#[path = "notices_tests.rs"]
mod tests;
