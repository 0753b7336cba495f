//! What GitHub tells of pull requests: a head that is to be looked at, or that nobody will look at any more.

use super::{Source, summary, tip};
use crate::problem::Problem;
use events::repository::{Change, Delivery};
use events::{Branch, PullRequest, RepositoryUrl};
use serde::Deserialize;

/// The part of a delivery that we use.
#[derive(Deserialize)]
pub(super) struct Told {
    action: String,
    number: u64,
    /// Where its head was, if it is told that it moved.
    before: Option<String>,
    pull_request: Pull,
    repository: Source,
}

#[derive(Deserialize)]
struct Pull {
    title: String,
    head: Head,
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "ref")]
    branch: String,
    sha: String,
    /// None once the fork was deleted.
    repo: Option<Source>,
}

/// What a delivery tells; none if it says nothing of commits.
pub(super) fn translate(delivery: &str, told: Told) -> Result<Option<Delivery>, Problem> {
    let Told { action, number, before, pull_request: Pull { title, head }, repository } = told;
    let repository: RepositoryUrl = repository.clone_url.parse()?;
    let commit = tip(&head.sha)?;
    let change = match (action.as_str(), commit.clone()) {
        ("opened" | "reopened" | "synchronize", Some(commit)) => {
            Change::Pushed { commit, summary: summary(&title), skip: false, paths: None }
        }
        ("closed", _) => Change::Deleted,
        _ => return Ok(None),
    };
    let pull_request = PullRequest { number, fork: fork(head.repo, &repository)? };
    let own: Branch = head.branch.parse()?;
    let branch = pull_request.branch(own)?;
    let before = match &change {
        Change::Pushed { .. } => before.as_deref().map(tip).transpose()?.flatten(),
        Change::Deleted => commit,
    };
    let id = delivery.to_owned();
    Ok(Some(Delivery { id, repository, branch, before, change, site: None, pull_request: Some(pull_request) }))
}

/// The repository of a head, unless it is the one that it is for. What the installation keeps is nobody's fork: whoever signs a
/// delivery may speak for one repository and must not reach another by it.
fn fork(head: Option<Source>, repository: &RepositoryUrl) -> Result<Option<RepositoryUrl>, Problem> {
    let unknown =
        || Problem::InvalidInput("`pull_request.head.repo` is not a repository that can be fetched".to_owned());
    let Some(head) = head else { return Ok(Some(repository.clone())) };
    let head: RepositoryUrl = head.clone_url.parse()?;
    match head.own_site() {
        Some(_) => Err(unknown()),
        None => Ok(Some(head).filter(|head| head.canonical() != repository.canonical())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ONE: &str = "1111111111111111111111111111111111111111";
    const TWO: &str = "2222222222222222222222222222222222222222";
    const OURS: &str = "https://github.com/acme/docs.git";
    const FORK: &str = "https://github.com/mallory/docs.git";

    fn told(action: &str, head: Value) -> Result<Option<Delivery>, Problem> {
        let told = json!({
            "action": action, "number": 12,
            "pull_request": { "title": "Say it better", "head": { "ref": "main", "sha": TWO, "repo": head } },
            "repository": { "clone_url": OURS },
        });
        let mut told: Value = told;
        if action == "synchronize" {
            told["before"] = json!(ONE);
        }
        translate("d-1", serde_json::from_value(told).unwrap())
    }

    fn at(url: &str) -> Value {
        json!({ "clone_url": url })
    }

    #[test]
    fn a_head_of_the_repository_itself_is_its_branch() {
        for ours in [OURS, "https://github.com/Acme/docs"] {
            let told = told("opened", at(ours)).unwrap().unwrap();
            assert_eq!((told.branch.as_str(), told.before), ("main", None));
            assert_eq!(told.pull_request, Some(PullRequest { number: 12, fork: None }));
            let Change::Pushed { commit, summary, .. } = told.change else { panic!("it was opened") };
            assert_eq!((commit.as_str(), summary.as_str()), (TWO, "Say it better"));
        }
    }

    #[test]
    fn a_head_of_a_fork_has_a_branch_of_its_number_whatever_it_is_called_there() {
        for action in ["opened", "reopened", "synchronize"] {
            let told = told(action, at(FORK)).unwrap().unwrap();
            assert_eq!(told.branch.as_str(), "pull/12");
            assert_eq!(told.pull_request.unwrap().fork.unwrap().as_str(), FORK);
            let moved = (action == "synchronize").then(|| ONE.parse().unwrap());
            assert_eq!(told.before, moved, "{action}");
        }
        let closed = told("closed", at(FORK)).unwrap().unwrap();
        assert_eq!((closed.change, closed.before), (Change::Deleted, Some(TWO.parse().unwrap())));
    }

    #[test]
    fn what_says_nothing_of_commits_is_passed_over() {
        for action in ["labeled", "edited", "assigned"] {
            assert_eq!(told(action, at(OURS)).unwrap(), None);
        }
    }

    #[test]
    fn a_deleted_fork_is_a_fork_and_what_is_kept_here_is_none() {
        let closed = told("closed", Value::Null).unwrap().unwrap();
        assert_eq!(closed.branch.as_str(), "pull/12");
        let kept = "pagefold:01890a5d-ac96-774b-bcce-b302099a8057";
        assert_eq!(told("opened", at(kept)).unwrap_err().kind().0, "invalid_input");
        assert_eq!(told("opened", at("https://me:hunter2@github.com/x/y")).unwrap_err().kind().0, "invalid_input");
    }
}
