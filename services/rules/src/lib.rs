//! The rules that a site brings along in its files `_redirects`, `_headers` and `pages.json`: read once, asked for every request. Pure.
//!
//! *Hears* its callers. *Says* nothing. *Touches* nothing. *Safe to repeat because* equal files make equal rules.
//!
//! [`Rules`] is what stands in the files, line by line, with a diagnosis of each line that is not used; it travels with the deploy.
//! [`Matcher`] is made of it where requests are answered, and finds the first rule of a path without looking at the others.

mod matcher;
pub mod pages;
mod parse;
mod path;
mod pattern;
mod target;
mod tree;

use events::Digest;
use events::event::RulesDialect;
use serde::{Deserialize, Serialize};
use std::fmt;

pub use matcher::{Asked, Matched, Matcher, Outcome};
pub use parse::read;
pub use path::SEGMENT;

/// The file of redirects and rewrites, below a site's root.
pub const REDIRECTS: &str = "_redirects";
/// The file of headers, below a site's root.
pub const HEADERS: &str = "_headers";
/// Longest file of rules that is read, in bytes.
pub const FILE_MAX: u64 = 16 << 20;
/// Rules of one file at most.
pub const RULES_MAX: usize = 100_000;
/// Diagnoses that are kept; of a file that is not what it seems to be the first ones tell enough.
pub const DIAGNOSTICS_MAX: usize = 100;

/// What a site's files of rules say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// By whose grammar they were read.
    pub dialect: RulesDialect,
    /// Of the files as they were, and the dialect: equal files, equal digest.
    pub source: Digest,
    /// In the order of the file.
    pub redirects: Vec<Redirect>,
    /// In the order of the file.
    pub headers: Vec<Headers>,
    /// Those of `pages.json`, in the order of the file: of those that are for a file the first counts. What [`Self::headers`] say goes
    /// over it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<Headers>,
    /// What is not used as it stands, and why.
    pub diagnostics: Vec<Diagnostic>,
}

/// A redirect, or a rewrite if its status is none of redirects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    /// Where it stands.
    pub line: u32,
    /// The host it is for; any if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The path it is for, as it stands there.
    pub from: String,
    /// What the query must have: a literal, or `:name` for anything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<(String, String)>,
    /// Where it leads.
    pub to: String,
    /// With which status.
    pub status: u16,
    /// Whether it goes before a file of that path.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forced: bool,
    /// What else must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

/// What must hold of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// It comes from one of these countries.
    Country(Vec<String>),
    /// Its reader likes one of these languages best.
    Language(Vec<String>),
    /// It has one of these cookies.
    Cookie(Vec<String>),
}

/// Headers of a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headers {
    /// Where the path stands.
    pub line: u32,
    /// The host it is for; any if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The path it is for, as it stands there.
    pub from: String,
    /// Names in lower case, with values; of one name several times.
    pub set: Vec<(String, String)>,
    /// Names in lower case of headers that are taken away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<String>,
}

/// A line that is not used as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// `_redirects`, `_headers` or `pages.json`.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// What stands there, cut where it is long.
    pub text: String,
    /// What is wrong with it.
    pub message: String,
}

/// As it is written.
impl fmt::Display for Redirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, from, query, to, status, forced, conditions, .. } = self;
        write!(f, "{}{from}", host.as_deref().unwrap_or_default())?;
        query.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))?;
        write!(f, " {to} {status}{}", if *forced { "!" } else { "" })?;
        conditions.iter().try_for_each(|condition| write!(f, " {condition}"))
    }
}

/// As it is written.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, values) = match self {
            Self::Country(values) => ("Country", values),
            Self::Language(values) => ("Language", values),
            Self::Cookie(values) => ("Cookie", values),
        };
        write!(f, "{name}={}", values.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_told_as_it_is_written() {
        let text = "https://a.example/store id=:id /product/:id 302! Language=fr,de Cookie=c\n/old /new 301\n";
        let read = read(RulesDialect::Netlify, Some(text.as_bytes()), None).unwrap();
        let told: Vec<String> = read.redirects.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["a.example/store id=:id /product/:id 302! Language=fr,de Cookie=c", "/old /new 301"]);
    }
}
