//! How the source of a site becomes pages, beyond its engine.

use crate::ids::{Invalid, text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Longest folder in bytes.
pub const FOLDER_MAX: usize = 200;
/// Longest command in bytes.
pub const COMMAND_MAX: usize = 1000;

/// What of a checkout is built, by what, and where its pages are then; as the engine has it where nothing is said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// The folder of the repository that is the site; the repository itself if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_directory: Option<Folder>,
    /// What is run by `sh` in that folder, in the place of what the engine would run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandLine>,
    /// Where the pages are then, seen from that folder; `_site` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_directory: Option<Folder>,
    /// What a build may take.
    #[serde(skip_serializing_if = "Size::is_default")]
    pub size: Size,
    /// What it may reach.
    #[serde(skip_serializing_if = "Network::is_default")]
    pub network: Network,
}

/// How much a build may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// What most sites need.
    #[default]
    Standard,
    /// More main memory.
    Large,
}

/// What a build may reach beside itself. Whatever it is, this is none of the machine's own addresses, of private networks, of a
/// cloud's metadata and of the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// Nothing.
    None,
    /// Where packages come from, as the operator lists it.
    #[default]
    Registries,
    /// Any host.
    Full,
}

/// A folder by its path from another, with `/` between its parts, which are none of `.`, `..` and `.git`. At most
/// [`FOLDER_MAX`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("minLength" = 1, "maxLength" = 200))]
pub struct Folder(String);

/// A command of a shell, on one or several lines. At most [`COMMAND_MAX`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("minLength" = 1, "maxLength" = 1000))]
pub struct CommandLine(String);

text!(Folder, CommandLine);

impl Recipe {
    /// Whether everything is as the engine has it.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What is not as the engine has it, in a few words each.
    pub(super) fn told(&self) -> impl Iterator<Item = String> {
        let Self { base_directory, command, output_directory, size, network } = self;
        let base = base_directory.as_ref().map(|folder| format!("the site is in `{folder}`"));
        let command = command.as_ref().map(|command| format!("built by `{command}`"));
        let output = output_directory.as_ref().map(|folder| format!("its pages are made in `{folder}`"));
        let size = (!size.is_default()).then(|| format!("builds are {size}"));
        let network = match network {
            Network::None => Some("builds reach no network".to_owned()),
            Network::Registries => None,
            Network::Full => Some("builds reach any host".to_owned()),
        };
        [base, command, output, size, network].into_iter().flatten()
    }
}

impl Size {
    /// Every choice.
    pub const ALL: [Self; 2] = [Self::Standard, Self::Large];

    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Network {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::None, Self::Registries, Self::Full];

    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Why a host is refused to builds that reach no more than this.
    #[must_use]
    pub const fn why_not(self) -> &'static str {
        match self {
            Self::None => "the site's builds reach no network",
            Self::Registries => "it is none of the registries that builds reach, unless the site's network is `full`",
            Self::Full => "it is not to be reached",
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Standard => "standard",
            Self::Large => "large",
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Registries => "registries",
            Self::Full => "full",
        })
    }
}

impl FromStr for Size {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let found = Self::ALL.into_iter().find(|choice| choice.to_string() == text);
        found.ok_or_else(|| Invalid(format!("`{}` is none of standard, large", text.escape_debug())))
    }
}

impl FromStr for Network {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let found = Self::ALL.into_iter().find(|choice| choice.to_string() == text);
        found.ok_or_else(|| Invalid(format!("`{}` is none of none, registries, full", text.escape_debug())))
    }
}

impl Folder {
    /// The folder as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `path` is in it.
    #[must_use]
    pub fn holds(&self, path: &str) -> bool {
        path.strip_prefix(self.0.as_str()).is_some_and(|rest| rest.starts_with('/'))
    }
}

impl CommandLine {
    /// The command as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Folder {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let text = text.strip_prefix("./").unwrap_or(&text);
        let text = text.strip_suffix('/').unwrap_or(text).to_owned();
        let is_wrong = |part: &str| matches!(part, "" | "." | "..") || part.eq_ignore_ascii_case(".git");
        let why = if text.len() > FOLDER_MAX {
            "it is longer than 200 bytes"
        } else if text.starts_with('/') {
            "it must be seen from the repository, not from `/`"
        } else if text.split('/').any(is_wrong) {
            "no part of it may be empty, `.`, `..` or `.git`"
        } else if text.chars().any(|character| character.is_control() || character == '\\') {
            "it has a control character or a backslash"
        } else {
            return Ok(Self(text));
        };
        Err(Invalid(format!("`{}` is no folder: {why}", text.chars().take(60).collect::<String>().escape_debug())))
    }
}

impl TryFrom<String> for CommandLine {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let text = text.replace("\r\n", "\n").trim().to_owned();
        if text.is_empty() {
            return Err(Invalid("a command must not be empty".to_owned()));
        }
        if text.len() > COMMAND_MAX {
            return Err(Invalid(format!("a command is longer than {COMMAND_MAX} bytes")));
        }
        if text.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\t')) {
            return Err(Invalid("a command has a control character".to_owned()));
        }
        Ok(Self(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_inside_and_nothing_else() {
        for (given, kept) in
            [("docs", "docs"), ("./docs/", "docs"), ("a/b c/d", "a/b c/d"), (".vitepress", ".vitepress")]
        {
            assert_eq!(given.parse::<Folder>().unwrap().as_str(), kept);
        }
        for given in
            ["", "/", ".", "./", "..", "a/../b", "a//b", "/etc", ".git", "a/.GIT/b", "a\\b", "a\nb", &"x".repeat(201)]
        {
            assert!(given.parse::<Folder>().is_err(), "{given}");
        }
    }

    #[test]
    fn a_folder_holds_what_is_below_it() {
        let docs: Folder = "docs".parse().unwrap();
        assert_eq!(["docs/a", "docs", "docs2/a", "a/docs/b"].map(|path| docs.holds(path)), [true, false, false, false]);
    }

    #[test]
    fn a_command_has_text_and_an_end() {
        assert_eq!(" make\r\nmake it ".parse::<CommandLine>().unwrap().as_str(), "make\nmake it");
        for given in ["", " \n", "a\0b", "a\u{1b}[31m", &"x".repeat(1001)] {
            assert!(given.parse::<CommandLine>().is_err(), "{given}");
        }
    }
}
