//! The files of a branch, as they can be listed and read.

use super::Repository;
use super::git::{self, Fault};
use events::CommitId;

/// Longest text that can be edited, in bytes.
pub(crate) const FILE_MAX: usize = 256 << 10;
/// Longest path, in bytes.
const PATH_MAX: usize = 500;

/// The mode of a folder.
const FOLDER: &str = "040000";

/// A file of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) path: String,
    pub(crate) bytes: u64,
}

/// A file and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shown {
    Text(String),
    /// It is no text, or too long for one.
    Other,
    Missing,
}

/// Whether a path can be that of a file in a repository, and mean nothing else to git.
pub(crate) fn is_path(path: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.eq_ignore_ascii_case(".git");
    path.len() <= PATH_MAX
        && !path.starts_with('"')
        && !path.chars().any(|character| character.is_control() || character == '\\')
        && path.split('/').all(is_part)
}

impl Repository {
    /// The files of a commit, by path. Links and submodules are none.
    pub(crate) async fn list(&self, commit: &CommitId) -> Result<Vec<Listed>, Fault> {
        let listed =
            git::run(self.command(&["ls-tree", "-r", "-z", "-l", "--full-tree", commit.as_str()]), &[]).await?;
        Ok(listed.split(|byte| *byte == 0).filter_map(entry).map(|(_, listed)| listed).collect())
    }

    /// What a file says in a commit.
    pub(crate) async fn read(&self, commit: &CommitId, path: &str) -> Result<Shown, Fault> {
        let Some((_, listed)) = self.find(commit, path).await? else { return Ok(Shown::Missing) };
        if listed.bytes > FILE_MAX as u64 {
            return Ok(Shown::Other);
        }
        let text = git::run(self.command(&["cat-file", "blob", &format!("{commit}:{path}")]), &[]).await?;
        let text = String::from_utf8(text).ok().filter(|text| !text.contains('\0'));
        Ok(text.map_or(Shown::Other, Shown::Text))
    }

    /// The mode that a file has or, if it is new, shall have.
    pub(super) async fn mode(&self, commit: &CommitId, path: &str) -> Result<&'static str, Fault> {
        let found = self.find(commit, path).await?;
        Ok(if found.is_some_and(|(mode, _)| mode == "100755") { "100755" } else { "100644" })
    }

    /// Whether a file may be at a path: where no folder, no link and no module is, and below folders alone.
    pub(crate) async fn has_place(&self, commit: &CommitId, path: &str) -> Result<bool, Fault> {
        for (end, _) in path.match_indices('/') {
            match self.kind(commit, &path[..end]).await? {
                Some(kind) if kind == FOLDER => {}
                found => return Ok(found.is_none()),
            }
        }
        Ok(self.kind(commit, path).await?.is_none() || self.find(commit, path).await?.is_some())
    }

    /// The mode of whatever is at a path.
    async fn kind(&self, commit: &CommitId, path: &str) -> Result<Option<String>, Fault> {
        let found = git::run(self.command(&["ls-tree", "-z", "--full-tree", commit.as_str(), "--", path]), &[]).await?;
        Ok(String::from_utf8_lossy(&found).split_once(' ').map(|(mode, _)| mode.to_owned()))
    }

    async fn find(&self, commit: &CommitId, path: &str) -> Result<Option<(String, Listed)>, Fault> {
        let command = self.command(&["ls-tree", "-z", "-l", "--full-tree", commit.as_str(), "--", path]);
        let found = git::run(command, &[]).await?;
        Ok(found.split(|byte| *byte == 0).filter_map(entry).find(|(_, listed)| listed.path == path))
    }
}

/// `<mode> blob <id> <size>\t<path>`, if it is a file.
fn entry(line: &[u8]) -> Option<(String, Listed)> {
    let (head, path) = std::str::from_utf8(line).ok()?.split_once('\t')?;
    let mut words = head.split_ascii_whitespace();
    let (mode, kind, _, bytes) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let is_file = kind == "blob" && matches!(mode, "100644" | "100755");
    is_file.then_some((mode.to_owned(), Listed { path: path.to_owned(), bytes: bytes.parse().ok()? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_of_a_file_inside() {
        for good in ["index.html", "content/posts/ünï code.md", ".gitignore", "a.git/b"] {
            assert!(is_path(good), "{good}");
        }
        for bad in
            ["", "/etc/passwd", "../x", "a//b", "a/./b", ".git/config", "a/.GIT/x", "\"a\"", "a\nb", "a\\b", "a/"]
        {
            assert!(!is_path(bad), "{bad}");
        }
        assert!(!is_path(&"x".repeat(501)));
    }

    #[test]
    fn links_and_submodules_are_no_files() {
        let listed = |line: &str| entry(line.as_bytes()).map(|(mode, listed)| (mode, listed.path, listed.bytes));
        let id = "a".repeat(40);
        let file = listed(&format!("100644 blob {id}      12\ta b.md"));
        assert_eq!(file, Some(("100644".to_owned(), "a b.md".to_owned(), 12)));
        assert_eq!(listed(&format!("120000 blob {id}       3\tlink")), None);
        assert_eq!(listed(&format!("160000 commit {id}       -\tmodule")), None);
    }
}
