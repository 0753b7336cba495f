//! What somebody does with the files of a site's own repository.

use super::active::active;
use super::permit::{About, permit};
use super::told;
use crate::app::Shared;
use crate::caller::{Caller, Who};
use crate::people;
use crate::place::Place;
use crate::problem::Problem;
use crate::repositories::{self, Author, Draft, FILE_MAX, Fault, Listed, Merge, Merged, Moved, Repository, Shown};
use events::authority::Command;
use events::site::Active;
use events::{Branch, CommitId, SiteId};
use runtime::clock;

/// Longest message of a commit, in bytes.
const MESSAGE_MAX: usize = 2000;

/// What is wanted of a repository.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Permitted {
    Read,
    Push,
}

/// A site that is built from its own repository.
struct Own {
    id: SiteId,
    site: Active,
}

/// A branch as it is now.
pub(crate) struct Tip {
    pub(crate) branch: Branch,
    pub(crate) commit: CommitId,
}

/// Where a branch is after somebody saved a file.
pub(crate) struct Saved {
    pub(crate) tip: Tip,
    /// Whether there was anything to commit.
    pub(crate) is_new: bool,
}

/// A file of a branch, of the live one if none is named.
pub(crate) struct At<'a> {
    pub(crate) branch: Option<Branch>,
    pub(crate) path: &'a str,
}

/// A file that shall say something else.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) path: String,
    pub(crate) text: Written,
    pub(crate) message: Option<String>,
    /// The commit that the author saw the file in.
    pub(crate) seen: CommitId,
    /// The branch it is in; a new one if it is not there yet.
    pub(crate) branch: Branch,
}

/// What a file shall say.
#[derive(Debug)]
pub(crate) enum Written {
    /// Exactly this.
    Exact(String),
    /// These lines, which came through a form: what ends them was lost on the way, and is what ended those of the file before.
    Lines(String),
}

impl Written {
    /// The text for a file that says this now.
    fn onto(self, present: &Shown) -> String {
        match (self, present) {
            (Self::Exact(text), _) => text,
            (Self::Lines(text), Shown::Text(present)) if ends_as_on_windows(present) => {
                text.replace("\r\n", "\n").replace('\n', "\r\n")
            }
            (Self::Lines(text), _) => text.replace("\r\n", "\n"),
        }
    }
}

/// Whether a text has lines, and each ends with a carriage return and a line feed.
fn ends_as_on_windows(text: &str) -> bool {
    let (all, with_return) = (text.matches('\n').count(), text.matches("\r\n").count());
    all > 0 && all == with_return
}

/// Refuses whoever may not, and what is no repository of ours.
pub(crate) async fn may_use_repository(
    app: &Shared,
    site: SiteId,
    caller: &Caller,
    wanted: Permitted,
) -> Result<(), Problem> {
    own(app, site, caller, wanted).await.map(drop)
}

async fn own(app: &Shared, id: SiteId, caller: &Caller, wanted: Permitted) -> Result<Own, Problem> {
    let command = match wanted {
        Permitted::Read => Command::Read,
        Permitted::Push => Command::PushSource,
    };
    permit(app, caller, command, About::Site(id)).await?;
    let site = active(app, id).await?;
    if site.settings.repository.own_site() == Some(id) {
        Ok(Own { id, site })
    } else {
        Err(Problem::RepositoryElsewhere)
    }
}

async fn opened(app: &Shared, site: SiteId) -> Result<Repository, Problem> {
    app.own.open(site).await?.ok_or(Problem::RepositoryElsewhere)
}

async fn tip(repository: &Repository, branch: Branch) -> Result<Tip, Problem> {
    let commit = repository.tip(branch.as_str()).await.map_err(Fault::into_problem)?;
    commit.map(|commit| Tip { branch: branch.clone(), commit }).ok_or(Problem::BranchNotFound(branch))
}

/// The files of a branch, the live one if none is named.
pub(crate) async fn list_files(
    app: &Shared,
    place: &Place,
    branch: Option<Branch>,
    caller: &Caller,
) -> Result<(Tip, Vec<Listed>), Problem> {
    let Own { id, site } = own(app, app.site_id(place).await?, caller, Permitted::Read).await?;
    let repository = opened(app, id).await?;
    let tip = tip(&repository, branch.unwrap_or(site.settings.branch)).await?;
    let files = repository.list(&tip.commit).await.map_err(Fault::into_problem)?;
    Ok((tip, files))
}

/// What a file of a branch says.
pub(crate) async fn read_file(
    app: &Shared,
    place: &Place,
    file: At<'_>,
    caller: &Caller,
) -> Result<(Tip, String), Problem> {
    let Own { id, site } = own(app, app.site_id(place).await?, caller, Permitted::Read).await?;
    let repository = opened(app, id).await?;
    let tip = tip(&repository, file.branch.unwrap_or(site.settings.branch)).await?;
    if !repositories::is_path(file.path) {
        return Err(Problem::FileNotFound);
    }
    match repository.read(&tip.commit, file.path).await.map_err(Fault::into_problem)? {
        Shown::Text(text) => Ok((tip, text)),
        Shown::Other => Err(Problem::NoText(FILE_MAX)),
        Shown::Missing => Err(Problem::FileNotFound),
    }
}

/// Commits a change under the author's name, and tells the log. What says so already is no change.
pub(crate) async fn save_file(app: &Shared, place: &Place, change: Change, caller: &Caller) -> Result<Saved, Problem> {
    let Change { path, text, message, seen, branch } = change;
    if !repositories::is_path(&path) {
        return Err(Problem::InvalidInput("`path` must be that of a file in the repository".to_owned()));
    }
    let message = message.map(|message| message.trim().to_owned()).filter(|message| !message.is_empty());
    let message = message.unwrap_or_else(|| format!("Edit {path}"));
    if message.len() > MESSAGE_MAX || message.contains('\0') {
        return Err(Problem::InvalidInput(format!("`message` must have {MESSAGE_MAX} bytes at most")));
    }
    let Own { id, .. } = own(app, app.site_id(place).await?, caller, Permitted::Push).await?;
    let author = author(app, caller).await?;
    let moved = {
        let repository = opened(app, id).await?;
        let now = repository.tip(branch.as_str()).await.map_err(Fault::into_problem)?;
        if now.as_ref().is_some_and(|now| *now != seen) {
            return Err(Problem::BranchMoved(branch));
        }
        if !repository.has(&seen).await.map_err(Fault::into_problem)? {
            return Err(Problem::InvalidInput("`commit` is none of the repository's".to_owned()));
        }
        let present = repository.read(&seen, &path).await.map_err(Fault::into_problem)?;
        let text = text.onto(&present);
        if text.len() > FILE_MAX {
            return Err(Problem::BodyTooLarge(FILE_MAX));
        }
        if present == Shown::Text(text.clone()) {
            return Ok(Saved { tip: Tip { branch, commit: seen }, is_new: false });
        }
        if !repository.has_place(&seen, &path).await.map_err(Fault::into_problem)? {
            return Err(Problem::InvalidInput("`path` is a folder or a link, or a file is in its way".to_owned()));
        }
        if !repository.has_room().await.map_err(Fault::into_problem)? {
            return Err(Problem::RepositoryFull);
        }
        let draft = Draft { path, text, message, seen, branch: branch.clone(), is_new: now.is_none() };
        repository.save(&draft, &author).await.map_err(Fault::into_problem)?
    };
    let Moved::To(commit) = moved else { return Err(Problem::BranchMoved(branch)) };
    told::tell(app, id, &caller.actor).await?;
    Ok(Saved { tip: Tip { branch, commit }, is_new: true })
}

/// Brings a branch into the live one, as its caller has seen it. The branch is gone then.
pub(crate) async fn publish(app: &Shared, place: &Place, wanted: Tip, caller: &Caller) -> Result<Tip, Problem> {
    let Own { id, site } = own(app, app.site_id(place).await?, caller, Permitted::Push).await?;
    let (branch, live) = (wanted.branch, site.settings.branch);
    if branch == live {
        return Err(Problem::InvalidInput(format!("`{branch}` is the live branch")));
    }
    let author = author(app, caller).await?;
    let merged = {
        let repository = opened(app, id).await?;
        tip(&repository, branch.clone()).await?;
        let merge = Merge { branch: branch.clone(), seen: wanted.commit, live: live.clone() };
        repository.merge(&merge, &author).await.map_err(Fault::into_problem)?
    };
    match merged {
        Merged::To(commit) => {
            told::tell(app, id, &caller.actor).await?;
            Ok(Tip { branch: live, commit })
        }
        Merged::Conflict => Err(Problem::MergeConflict(branch)),
        Merged::Moved => Err(Problem::BranchMoved(branch)),
    }
}

/// Whose name a commit has: a person's as long as they are known, else that of their token.
pub(crate) async fn author(app: &Shared, caller: &Caller) -> Result<Author, Problem> {
    let (name, id) = match &caller.who {
        Who::User(id) => (people::named(app, *id).await?.name.unwrap_or_else(|| id.to_string()), id.to_string()),
        Who::Token(id) => {
            (app.grant(*id).await?.map_or_else(|| id.to_string(), |grant| grant.name.to_string()), id.to_string())
        }
        Who::Operator(name) => (name.clone(), name.clone()),
    };
    Ok(Author { name, email: format!("{id}@users.noreply.pagefold"), now: clock::now() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_keeps_what_ends_the_lines_of_a_file() {
        let onto = |present: &str| Written::Lines("a\r\nb\r\n".to_owned()).onto(&Shown::Text(present.to_owned()));
        assert_eq!(onto("x\r\ny\r\n"), "a\r\nb\r\n");
        for present in ["x\ny\n", "x\r\ny\n", "x", ""] {
            assert_eq!(onto(present), "a\nb\n", "{present:?}");
        }
        assert_eq!(Written::Lines("a\r\n".to_owned()).onto(&Shown::Missing), "a\n");
        assert_eq!(Written::Exact("a\r\n".to_owned()).onto(&Shown::Missing), "a\r\n");
    }
}
