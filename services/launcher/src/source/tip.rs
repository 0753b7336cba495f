//! The newest commit of a branch, for a build that was asked for without one.

use super::address::Address;
use super::git::Git;
use super::{Error, Mirror, TIP, digest, make, verdict, well_formed_branch};
use events::CommitId;

impl Mirror {
    /// Fetches the tip of `branch` and says which commit it is. No branch is [`Error::BranchNotFound`].
    pub async fn tip(&self, repository: &str, branch: &str) -> Result<CommitId, Error> {
        let address = Address::parse(repository)?;
        let branch = well_formed_branch(branch)?;
        let mirror = self.config.root.join(format!("{}.git", digest(repository)));
        let lock = self.lock_of(repository);
        let _turn = lock.lock().await;
        let git = Git::new(&self.config, &address);
        git.check()?;
        make(&git, &mirror).await?;
        let kept = format!("refs/branches/{}", digest(&branch));
        let refspec = format!("+refs/heads/{branch}:{kept}");
        let route = git.route().await?;
        git.fetch(&mirror, &route, [TIP, &refspec]).await.map_err(|complaint| {
            if complaint.is_about_a_missing_ref() {
                Error::BranchNotFound { branch, address: address.to_string() }
            } else {
                verdict::of_fetch(complaint, route.why(), &address)
            }
        })?;
        // Refs of a mirror are never packed, so each is a file.
        let action = "read the tip of a branch";
        let text = std::fs::read_to_string(mirror.join(kept)).map_err(|source| Error::Io { action, source })?;
        text.trim().parse().map_err(|_| Error::CommitMalformed(text.trim().to_owned()))
    }
}
