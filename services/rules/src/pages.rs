//! The file `pages.json` of a repository, or `federalist.json` where there is none: what of a build is published, with which headers,
//! and what the build has. Whatever in it cannot be used is told, and the rest is used.

mod paths;
mod pattern;

pub use paths::Paths;
pub(crate) use pattern::{FilePattern, files_of};

use crate::parse::{header_name, header_value};
use crate::{DIAGNOSTICS_MAX, Diagnostic, Headers, Rules};
use events::Digest;
use events::event::RulesDialect;
use serde_json::{Map, Value};

/// The files, the first of which that is there is read, in the folder that is the site.
pub const FILES: [&str; 2] = [PAGES, "federalist.json"];
/// What it is called in a deploy, whichever it was.
pub const PAGES: &str = "pages.json";
/// Longest file that is read, in bytes.
pub const PAGES_MAX: u64 = 1 << 20;
/// Paths with headers, paths that are left out and paths that are not, at most, of each.
pub const PATHS_MAX: usize = 1000;
/// Longest text of a diagnosis, in characters.
const TEXT_MAX: usize = 200;

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pages {
    /// In the order of the file: the first that is for a file counts, and no other.
    pub headers: Vec<Headers>,
    /// What of a build's output is published.
    pub paths: Paths,
    /// Whether a build has all of the branch's history.
    pub full_clone: bool,
    /// Whether it has what earlier ones have kept, and keeps something itself.
    pub cache: bool,
    /// What is not used, and why.
    pub diagnostics: Vec<Diagnostic>,
}

impl Default for Pages {
    fn default() -> Self {
        Self { headers: Vec::new(), paths: Paths::default(), full_clone: false, cache: true, diagnostics: Vec::new() }
    }
}

/// Reads the file.
#[must_use]
pub fn read(file: &[u8]) -> Pages {
    let text = String::from_utf8_lossy(file);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut reader = Reader { text, pages: Pages::default() };
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(said)) => said.iter().for_each(|(key, value)| reader.key(key, value)),
        Ok(_) => reader.note("", "it is not an object".to_owned()),
        Err(error) => {
            let line = u32::try_from(error.line()).unwrap_or(u32::MAX).max(1);
            let shown = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default().trim().to_owned();
            reader.note_at(line, &shown, format!("it is not JSON: {error}"));
        }
    }
    reader.pages
}

/// The rules of a deploy with what its `pages.json` says of headers, if it has one.
#[must_use]
pub fn joined(rules: Option<Rules>, dialect: RulesDialect, file: Option<&[u8]>) -> Option<Rules> {
    let Some(file) = file else { return rules };
    let Pages { headers, mut diagnostics, .. } = read(file);
    if rules.is_none() && headers.is_empty() && diagnostics.is_empty() {
        return None;
    }
    let none = || Rules {
        dialect,
        source: Digest::of(dialect.to_string().as_bytes()),
        redirects: Vec::new(),
        headers: Vec::new(),
        pages: Vec::new(),
        diagnostics: Vec::new(),
    };
    let Rules { dialect, source, redirects, headers: by_path, diagnostics: told, .. } = rules.unwrap_or_else(none);
    let source = Digest::of(format!("{source} {}", Digest::of(file)).as_bytes());
    diagnostics.extend(told);
    diagnostics.truncate(DIAGNOSTICS_MAX);
    Some(Rules { dialect, source, redirects, headers: by_path, pages: headers, diagnostics })
}

struct Reader<'t> {
    text: &'t str,
    pages: Pages,
}

impl Reader<'_> {
    fn key(&mut self, key: &str, value: &Value) {
        match (key, value) {
            ("headers", Value::Array(rules)) => rules.iter().for_each(|rule| self.rule(rule)),
            ("excludePaths", Value::Array(paths)) => paths.iter().for_each(|path| self.path(key, path)),
            ("includePaths", Value::Array(paths)) => paths.iter().for_each(|path| self.path(key, path)),
            ("headers" | "excludePaths" | "includePaths", _) => self.note(key, "it is not a list".to_owned()),
            ("fullClone", Value::Bool(wanted)) => self.pages.full_clone = *wanted,
            ("cache", Value::Bool(wanted)) => self.pages.cache = *wanted,
            ("fullClone" | "cache", _) => self.note(key, "it is neither `true` nor `false`".to_owned()),
            (_, _) => self.note(key, "nothing is called so here".to_owned()),
        }
    }

    fn rule(&mut self, rule: &Value) {
        let Value::Object(rule) = rule else {
            return self.note("headers", format!("{} is not a path with its headers", shown(rule)));
        };
        rule.iter().for_each(|(path, headers)| self.headers_of(path, headers));
    }

    fn headers_of(&mut self, path: &str, headers: &Value) {
        let Value::Object(headers) = headers else {
            return self.note(path, "its headers are not an object".to_owned());
        };
        if self.pages.headers.len() == PATHS_MAX {
            return self.note(path, format!("there are more than {PATHS_MAX} paths with headers"));
        }
        if let Err(message) = FilePattern::read(path) {
            return self.note(path, message);
        }
        let set = self.set(path, headers);
        if !set.is_empty() {
            let (line, from) = (self.line_of(path), path.to_owned());
            self.pages.headers.push(Headers { line, host: None, from, set, unset: Vec::new() });
        }
    }

    fn set(&mut self, path: &str, headers: &Map<String, Value>) -> Vec<(String, String)> {
        let mut set = Vec::new();
        for (name, value) in headers {
            let read = header_name(name.trim()).and_then(|name| {
                let text = value.as_str().ok_or_else(|| format!("the value of `{name}` is not a text"))?;
                header_value(text.trim()).map(|value| (name, value))
            });
            match read {
                Ok(pair) => set.push(pair),
                Err(message) => self.note(path, message),
            }
        }
        set
    }

    fn path(&mut self, key: &str, path: &Value) {
        let Value::String(path) = path else {
            return self.note(key, format!("{} is not a path", shown(path)));
        };
        let added = if key == "includePaths" { self.pages.paths.include(path) } else { self.pages.paths.exclude(path) };
        if let Err(message) = added {
            self.note(path, message);
        }
    }

    /// Where a text first stands in the file, from 1.
    fn line_of(&self, text: &str) -> u32 {
        let quoted = Value::from(text).to_string();
        let before = self.text.find(&quoted).and_then(|at| self.text.get(..at)).unwrap_or_default();
        u32::try_from(before.matches('\n').count() + 1).unwrap_or(u32::MAX)
    }

    fn note(&mut self, about: &str, message: String) {
        self.note_at(self.line_of(about), about, message);
    }

    fn note_at(&mut self, line: u32, about: &str, message: String) {
        if self.pages.diagnostics.len() < DIAGNOSTICS_MAX {
            let text = about.chars().take(TEXT_MAX).collect();
            self.pages.diagnostics.push(Diagnostic { file: PAGES.to_owned(), line, text, message });
        }
    }
}

fn shown(value: &Value) -> String {
    format!("`{}`", value.to_string().chars().take(40).collect::<String>())
}

#[cfg(test)]
mod tests;
