//! What git says when it fails, and what can be told from it at once.

/// How git tells of a program that wrote past the limit of a file: the signal is SIGXFSZ.
const TOO_LONG: &str = "died of signal 25";

/// What git said when it failed, without credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Complaint(String);

impl Complaint {
    pub(super) fn of(said: impl Into<String>) -> Self {
        Self(said.into())
    }

    /// What was said here; what a server says is passed on by git behind this word.
    pub(super) fn own_words(&self) -> String {
        let own: Vec<&str> = self.0.lines().filter(|line| !line.starts_with("remote:")).collect();
        own.join("\n")
    }

    /// The reason alone, on one line.
    pub(super) fn in_short(&self) -> Self {
        let said = self.own_words();
        let reason = said.lines().rev().find_map(|line| line.strip_prefix("fatal: ").or(line.strip_prefix("error: ")));
        Self(reason.or(said.lines().last()).unwrap_or("git did not say why").to_owned())
    }

    /// Whether the kernel would not let a file grow any more; helpers say so in words.
    pub(super) fn is_about_length(&self) -> bool {
        let said = self.own_words();
        said.contains(TOO_LONG) || said.contains("File too large")
    }

    /// Whether git wanted more memory than it has.
    pub(super) fn is_about_memory(&self) -> bool {
        self.own_words().to_ascii_lowercase().contains("out of memory")
    }

    /// Whether the repository answered that it has no such branch or commit.
    pub(super) fn is_about_a_missing_ref(&self) -> bool {
        ["couldn't find remote ref", "not our ref", "unadvertised object", "no such remote ref"]
            .iter()
            .any(|words| self.0.contains(words))
    }
}
