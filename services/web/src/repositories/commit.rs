//! Commits that are made here: the first of a template, and what somebody edits. Each is one stream to `git fast-import`, which
//! needs no work tree, and becomes a branch's tip only if that is where the author saw it.

use super::Repository;
use super::git::{self, Fault};
use super::template::Template;
use events::{Branch, CommitId};
use time::OffsetDateTime;
use uuid::Uuid;

/// Where a commit is until it is a branch's.
const EDITS: &str = "refs/edits";
/// What names no commit.
const NONE: &str = "0000000000000000000000000000000000000000";

/// Who commits, and when.
#[derive(Debug, Clone)]
pub(crate) struct Author {
    pub(crate) name: String,
    /// No mailbox: mail is nobody's business but theirs.
    pub(crate) email: String,
    pub(crate) now: OffsetDateTime,
}

/// A change of one file.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) message: String,
    /// What the author saw, and what the change is made to.
    pub(crate) seen: CommitId,
    /// The branch it shall be on: one that is where it was seen, or none yet.
    pub(crate) branch: Branch,
    pub(crate) is_new: bool,
}

/// How a branch's change came out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    To(CommitId),
    /// Somebody else has moved it.
    Not,
}

impl Author {
    fn line(&self, role: &str) -> String {
        let plain =
            |text: &str| text.chars().filter(|c| !c.is_control() && !matches!(c, '<' | '>')).collect::<String>();
        format!("{role} {} <{}> {} +0000\n", plain(&self.name).trim(), plain(&self.email), self.now.unix_timestamp())
    }

    pub(super) fn lines(&self) -> String {
        self.line("author") + &self.line("committer")
    }
}

fn data(text: &[u8]) -> Vec<u8> {
    [format!("data {}\n", text.len()).as_bytes(), text, b"\n"].concat()
}

fn file(mode: &str, path: &str, text: &[u8]) -> Vec<u8> {
    [format!("M {mode} inline {path}\n").as_bytes(), &data(text)].concat()
}

impl Repository {
    /// Makes it what it is at first.
    pub(super) async fn begin(&self, template: Template, author: &Author) -> Result<(), Fault> {
        git::run(self.command(&["init", "--quiet", "--bare", "--template=", "--initial-branch=main"]), &[]).await?;
        let mut stream = format!("commit refs/heads/main\n{}", author.lines()).into_bytes();
        stream.extend(data(b"Begin from a template\n"));
        for (path, text) in template.files() {
            stream.extend(file("100644", path, text.as_bytes()));
        }
        git::run(self.command(&["fast-import", "--quiet", "--done"]), &[stream, b"done\n".to_vec()].concat()).await?;
        self.note_all().await
    }

    /// Commits a change of one file.
    pub(crate) async fn save(&self, draft: &Draft, author: &Author) -> Result<Moved, Fault> {
        let edit = format!("{EDITS}/{}", Uuid::new_v4().simple());
        let mode = self.mode(&draft.seen, &draft.path).await?;
        let mut stream = format!("commit {edit}\n{}", author.lines()).into_bytes();
        stream.extend(data(draft.message.as_bytes()));
        stream.extend(format!("from {}\n", draft.seen).into_bytes());
        stream.extend(file(mode, &draft.path, draft.text.as_bytes()));
        stream.extend(b"done\n");
        git::run(self.command(&["fast-import", "--quiet", "--done"]), &stream).await?;
        let made = git::run(self.command(&["rev-parse", "--verify", "--quiet", &edit]), &[]).await?;
        let made = String::from_utf8_lossy(&made).trim().to_owned();
        let before = if draft.is_new { NONE } else { draft.seen.as_str() };
        let moves = format!("update refs/heads/{} {made} {before}\ndelete {edit}\n", draft.branch);
        if self.move_refs(&moves).await? {
            return made.parse().map(Moved::To).map_err(|_| Fault::Ended { said: "no commit was made".to_owned() });
        }
        self.move_refs(&format!("delete {edit}\n")).await?;
        Ok(Moved::Not)
    }

    /// Moves refs together; answers whether each was where it should be.
    pub(super) async fn move_refs(&self, moves: &str) -> Result<bool, Fault> {
        let transaction = format!("start\n{moves}prepare\ncommit\n");
        match git::run(self.command(&["update-ref", "--stdin"]), transaction.as_bytes()).await {
            Ok(_) => Ok(true),
            Err(Fault::Ended { said }) => {
                tracing::debug!(said, "a branch was moved by somebody else");
                Ok(false)
            }
            Err(fault) => Err(fault),
        }
    }
}
