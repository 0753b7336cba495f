//! What the builds of a site are given in their environment: named values that are nobody else's to read.

use crate::ids::{Invalid, text};
use crate::{AliasName, Refusal, Sealed};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Longest name in bytes.
pub const NAME_MAX: usize = 128;
/// Shortest value in bytes: a shorter one could not be told from the rest of a log, where values are masked.
pub const VALUE_MIN: usize = 4;
/// Longest value in bytes: a certificate with its key fits.
pub const VALUE_MAX: usize = 16 << 10;
/// Variables of one site at most: with these bounds all of them fit in the environment of a process.
pub const VARIABLES_MAX: usize = 100;

/// Names that mean something in every build already. They are compared without case, as some programs do.
const RESERVED: [&str; 13] = [
    "BASEURL",
    "BRANCH",
    "CI",
    "COMMIT",
    "HOME",
    "LANG",
    "OWNER",
    "PATH",
    "PWD",
    "REPOSITORY",
    "SITE",
    "SITE_PREFIX",
    "SITE_VARIABLES",
];
/// What names of ours begin with.
const OWN_PREFIX: &str = "PAGEFOLD_";

/// The name of a variable: letters, digits and underscores, no digit first, at most [`NAME_MAX`] of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[A-Za-z_][A-Za-z0-9_]{0,127}$"))]
pub struct VariableName(String);

text!(VariableName);

/// What a build is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Context {
    /// What the public sees.
    Live,
    /// What is shown before it goes live.
    Demo,
    /// Any other branch.
    Preview,
}

/// A value and which builds are given it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Sealed with the key of the site's builds.
    pub value: Sealed,
    /// Builds for these.
    pub contexts: BTreeSet<Context>,
}

/// All variables of a site.
pub type Variables = BTreeMap<VariableName, Variable>;

impl VariableName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is_reserved(&self) -> bool {
        let name = self.0.to_ascii_uppercase();
        RESERVED.contains(&name.as_str()) || name.starts_with(OWN_PREFIX)
    }
}

impl TryFrom<String> for VariableName {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if is_plain && (1..=NAME_MAX).contains(&text.len()) && !text.starts_with(|first: char| first.is_ascii_digit()) {
            Ok(Self(text))
        } else {
            let why = "use letters, digits and underscores, no digit first, at most 128 of them";
            Err(Invalid(format!("`{}` cannot name a variable: {why}", text.escape_debug())))
        }
    }
}

impl Context {
    /// Every context.
    pub const ALL: [Self; 3] = [Self::Live, Self::Demo, Self::Preview];

    /// What builds for `alias` are made for.
    #[must_use]
    pub const fn of(alias: &AliasName) -> Self {
        match alias {
            AliasName::Live => Self::Live,
            AliasName::Demo => Self::Demo,
            AliasName::Preview(_) => Self::Preview,
        }
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Live => "live",
            Self::Demo => "demo",
            Self::Preview => "preview",
        })
    }
}

/// Whether `name` may be set where there are `variables`.
pub(crate) fn admit(variables: &Variables, name: &VariableName) -> Result<(), Refusal> {
    if name.is_reserved() {
        Err(Refusal::VariableReserved(name.clone()))
    } else if variables.len() >= VARIABLES_MAX && !variables.contains_key(name) {
        Err(Refusal::TooManyVariables)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_a_shell_can_say() {
        for good in ["A", "_", "api_key", "API_KEY_2", &"x".repeat(128)] {
            assert!(good.parse::<VariableName>().is_ok(), "{good}");
        }
        for bad in ["", "2A", "A-B", "A B", "A=B", "É", "A\0", &"x".repeat(129)] {
            assert!(bad.parse::<VariableName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_a_build_has_already_is_not_to_be_set() {
        let none = Variables::new();
        for reserved in ["PATH", "path", "Branch", "PAGEFOLD_X", "pagefold_", "CI"] {
            let name: VariableName = reserved.parse().unwrap();
            assert_eq!(admit(&none, &name), Err(Refusal::VariableReserved(name)));
        }
        for free in ["PATHS", "MY_BRANCH", "PAGEFOLD", "NODE_ENV"] {
            assert_eq!(admit(&none, &free.parse().unwrap()), Ok(()));
        }
    }

    #[test]
    fn a_site_has_a_bounded_number_of_them_and_any_may_be_set_again() {
        let variable = Variable { value: Sealed::of(&[0; 40]), contexts: Context::ALL.into() };
        let name = |number: usize| format!("V{number}").parse::<VariableName>().unwrap();
        let full: Variables = (0..VARIABLES_MAX).map(|number| (name(number), variable.clone())).collect();
        assert_eq!(admit(&full, &name(VARIABLES_MAX)), Err(Refusal::TooManyVariables));
        assert_eq!(admit(&full, &name(7)), Ok(()));
    }

    #[test]
    fn every_alias_has_its_context() {
        let of = |alias: &str| Context::of(&alias.parse().unwrap()).to_string();
        assert_eq!([of("live"), of("demo"), of("preview/x")], ["live", "demo", "preview"]);
    }
}
