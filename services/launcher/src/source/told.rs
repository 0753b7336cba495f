//! What a commit tells of itself: its title, and who wrote it.

use super::address::Scheme;
use super::git::Git;
use super::{Error, Wish};
use crate::lines::plain;
use events::event::{Author, Source};
use std::path::Path;

/// Longest title and longest name that are told on, in characters.
const TEXT_MAX: usize = 200;
/// The title, the author's name and their address, each on a line: none of them can hold a line end.
const FORMAT: &str = "--format=%s%n%an%n%ae";
/// How the addresses end by which the editor commits, behind the id of a person.
const OURS: &str = "@users.noreply.pagefold";

/// Reads the commit that was checked out into a repository.
pub(super) async fn of(git: &Git<'_>, repository: &Path, wish: &Wish) -> Result<Source, Error> {
    let show = ["show", "--no-patch", "--no-show-signature", "--no-mailmap", FORMAT, &wish.commit];
    let said = git.run_for(repository, &show).await;
    let said = said.map_err(|source| Error::Git { action: "read the commit", source })?;
    let commit = wish.commit.parse().map_err(|_| Error::CommitMalformed(wish.commit.clone()))?;
    let mut lines = said.lines();
    let title = text(lines.next().unwrap_or_default());
    let (name, address) = (text(lines.next().unwrap_or_default()), lines.next().unwrap_or_default());
    // Anybody can write any address, but only our own editor commits to our own repositories without a push.
    let person = match wish.address.scheme {
        Scheme::Own => address.strip_suffix(OURS).and_then(|id| id.parse().ok()),
        Scheme::Https | Scheme::Http | Scheme::Ssh | Scheme::Git | Scheme::File => None,
    };
    let name = (!name.is_empty()).then_some(Author::Name(name));
    Ok(Source { commit, title, author: person.map(Author::Person).or(name) })
}

/// What people may be shown of a stranger's text.
fn text(text: &str) -> String {
    plain(text).chars().filter(|letter| !letter.is_control()).take(TEXT_MAX).collect::<String>().trim().to_owned()
}
