//! Which pushes are built: by their branch, and by what they changed.

use crate::ids::{Invalid, text};
use fast_glob::glob_match;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Globs of one kind that a site may have at most.
pub const GLOBS_MAX: usize = 20;
/// Longest glob in bytes.
pub const GLOB_MAX: usize = 200;

/// A pattern of names with `/` between their parts: `*` and `?` stand for characters of one part, `**` for any parts, `[a-z]` for
/// one character, `{a,b}` for either. At most [`GLOB_MAX`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("minLength" = 1, "maxLength" = 200))]
pub struct Glob(String);

text!(Glob);

impl Glob {
    /// Whether `name` is meant by it.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        glob_match(self.0.as_bytes(), name.as_bytes())
    }
}

impl TryFrom<String> for Glob {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let why = if text.is_empty() {
            "it is empty"
        } else if text.len() > GLOB_MAX {
            "it is longer than 200 bytes"
        } else if text.chars().any(char::is_control) {
            "it has a control character"
        } else if text.starts_with('/') || text.starts_with('!') {
            "it must begin with a name, without `/` or `!` before it"
        } else if !is_balanced(&text) {
            "a bracket or a brace has no counterpart"
        } else {
            return Ok(Self(text));
        };
        Err(Invalid(format!("`{}` is no glob: {why}", text.chars().take(60).collect::<String>().escape_debug())))
    }
}

fn is_balanced(text: &str) -> bool {
    let count = |bracket: char| text.matches(bracket).count();
    count('[') == count(']') && count('{') == count('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_means_names_part_by_part() {
        for (glob, name, expected) in [
            ("docs/**", "docs/a/b.md", true),
            ("docs/**", "docs", false),
            ("docs/*", "docs/a/b.md", false),
            ("*.md", "README.md", true),
            ("**/*.md", "a/b/README.md", true),
            ("dependabot/**", "dependabot/npm/left-pad", true),
            ("{draft,wip}/*", "wip/x", true),
            ("v[0-9]", "v7", true),
            ("main", "maint", false),
        ] {
            assert_eq!(glob.parse::<Glob>().unwrap().matches(name), expected, "{glob} of {name}");
        }
    }

    #[test]
    fn what_can_mean_nothing_is_refused() {
        for glob in ["", "/docs/**", "!docs", "a[b", "a{b", "a\nb", &"x".repeat(201)] {
            assert!(glob.parse::<Glob>().is_err(), "{glob}");
        }
    }
}
