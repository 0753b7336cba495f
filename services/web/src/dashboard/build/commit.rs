//! Where hosts of repositories show a commit.

use events::{CommitId, RepositoryUrl};

/// The hosts that are known, each with what stands between a repository's page and a commit's.
const HOSTS: [(&str, &str); 4] =
    [("github.com", "commit"), ("gitlab.com", "-/commit"), ("bitbucket.org", "commits"), ("codeberg.org", "commit")];

/// The page of a commit; none if its repository is elsewhere.
pub(super) fn page(repository: &RepositoryUrl, commit: &CommitId) -> Option<String> {
    let name = repository.canonical();
    let (host, path) = name.split_once('/')?;
    let (_, between) = HOSTS.iter().find(|(known, _)| *known == host)?;
    Some(format!("https://{host}/{path}/{between}/{commit}"))
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn commits_are_shown_by_hosts_that_are_known() {
        let commit = "1111111111111111111111111111111111111111".parse().unwrap();
        let at = |url: &str| page(&url.parse().unwrap(), &commit);
        let github = format!("https://github.com/acme/docs/commit/{commit}");
        assert_eq!(at("https://github.com/acme/docs.git").as_deref(), Some(github.as_str()));
        assert_eq!(at("git@github.com:acme/docs.git").as_deref(), Some(github.as_str()));
        let gitlab = format!("https://gitlab.com/acme/team/docs/-/commit/{commit}");
        assert_eq!(at("https://gitlab.com/acme/team/docs").as_deref(), Some(gitlab.as_str()));
        assert_eq!(at("https://git.test/acme/docs"), None);
    }
}
