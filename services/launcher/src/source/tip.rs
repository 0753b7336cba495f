//! The newest commit of a branch, for a build that was asked for without one.

use super::address::Address;
use super::git::Git;
use super::{Error, Mirror, Origin, Room, TIP, Turn, digest, well_formed_branch};
use crate::blocking;
use events::CommitId;
use std::fs;
use std::path::PathBuf;

/// The newest commit of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    pub commit: CommitId,
    /// Whether the mirror knew the branch with another tip, or not at all.
    pub is_new: bool,
}

impl Mirror {
    /// Fetches the tip of a branch and says which commit it is. No branch is [`Error::BranchNotFound`].
    pub async fn tip(&self, origin: &Origin<'_>) -> Result<Tip, Error> {
        let address = Address::parse(origin.repository)?;
        let branch = well_formed_branch(origin.branch)?;
        let git = Git::new(&self.config, &address, &origin.credentials);
        git.check()?;
        let held = self.shelf.hold(&origin.mirror(&address)).await;
        let room = Room::new(&self.config, &address, &held);
        let turn = Turn { git, held: &held };
        let tip = Box::pin(turn.within(&room, || turn.tip(&branch))).await;
        match &tip {
            // It is wanted again at once.
            Ok(_) => drop(held),
            Err(_) => self.put_back(held),
        }
        tip
    }
}

impl Turn<'_> {
    async fn tip(&self, branch: &str) -> Result<Tip, Error> {
        self.make().await?;
        let kept = format!("refs/branches/{}", digest(branch));
        let refspec = format!("+refs/heads/{branch}:{kept}");
        let file = self.held.folder.join(kept);
        let known = read(file.clone()).await.ok();
        let route = self.git.route().await?;
        self.git.fetch(&self.held.folder, &route, [TIP, &refspec]).await.map_err(|complaint| {
            if complaint.is_about_a_missing_ref() {
                Error::BranchNotFound { branch: branch.to_owned(), address: self.git.address.to_string() }
            } else {
                self.git.failed_fetch(complaint, route.why())
            }
        })?;
        let commit = read(file).await?;
        let is_new = known.is_none_or(|known| known != commit);
        Ok(Tip { commit: commit.parse().map_err(|_| Error::CommitMalformed(commit))?, is_new })
    }
}

/// What a ref names. Refs of a mirror are never packed, so each is a file.
async fn read(file: PathBuf) -> Result<String, Error> {
    let text = blocking(move || fs::read_to_string(file)).await;
    let text = text.map_err(|source| Error::Io { action: "read the tip of a branch", source })?;
    Ok(text.trim().to_owned())
}
