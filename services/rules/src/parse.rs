//! From the files to their rules, line by line: a line that cannot be used is told, and the others are.

mod cloudflare;
mod headers;
mod netlify;

pub(crate) use headers::{name_of as header_name, value_of as header_value};

use crate::pattern::{Grammar, Pattern};
use crate::target::Target;
use crate::{DIAGNOSTICS_MAX, Diagnostic, HEADERS, REDIRECTS, RULES_MAX, Redirect, Rules};
use events::Digest;
use events::event::RulesDialect;

/// Longest text of a diagnosis, in characters.
const TEXT_MAX: usize = 200;

/// Reads the files of a site that are there; none if neither is.
#[must_use]
pub fn read(dialect: RulesDialect, redirects: Option<&[u8]>, headers: Option<&[u8]>) -> Option<Rules> {
    if redirects.is_none() && headers.is_none() {
        return None;
    }
    let parts = [dialect.to_string().into_bytes(), part(redirects), part(headers)];
    let source = Digest::of(parts.map(|part| Digest::of(&part).to_string()).concat().as_bytes());
    let mut notes = Notes { file: REDIRECTS, diagnostics: Vec::new() };
    let text = String::from_utf8_lossy(redirects.unwrap_or_default());
    let mut found = Vec::new();
    for line in numbered(&text) {
        let read = match dialect {
            RulesDialect::Netlify => netlify::redirect(&line, &mut notes),
            RulesDialect::Cloudflare => cloudflare::redirect(&line),
        };
        match read {
            Ok(rule) if found.len() < RULES_MAX => found.extend(rule),
            Ok(Some(_)) => notes.add(&line, format!("there are more than {RULES_MAX} rules")),
            Ok(None) => {}
            Err(message) => notes.add(&line, message),
        }
    }
    if dialect == RulesDialect::Cloudflare {
        cloudflare::without_repeated(&mut found, &mut notes);
    }
    notes.file = HEADERS;
    let headers = headers::read(&String::from_utf8_lossy(headers.unwrap_or_default()), dialect, &mut notes);
    Some(Rules { dialect, source, redirects: found, headers, pages: Vec::new(), diagnostics: notes.diagnostics })
}

/// A file that is there and empty is another than one that is not there.
fn part(file: Option<&[u8]>) -> Vec<u8> {
    file.map_or_else(Vec::new, |file| [b"+", file].concat())
}

struct Line<'t> {
    number: u32,
    text: &'t str,
}

/// The lines that say something.
fn numbered(text: &str) -> impl Iterator<Item = Line<'_>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = (1..).zip(text.split('\n')).map(|(number, text)| Line { number, text: text.trim() });
    lines.filter(|line| !line.text.is_empty() && !line.text.starts_with('#'))
}

struct Notes {
    file: &'static str,
    diagnostics: Vec<Diagnostic>,
}

impl Notes {
    fn add(&mut self, line: &Line<'_>, message: String) {
        if self.diagnostics.len() < DIAGNOSTICS_MAX {
            let text = line.text.chars().take(TEXT_MAX).collect();
            let diagnostic = Diagnostic { file: self.file.to_owned(), line: line.number, text, message };
            self.diagnostics.push(diagnostic);
        }
    }
}

/// What holds for redirects of both dialects, once they are read. Most have nothing that could be wrong, which is seen at once.
fn checked(rule: Redirect, dialect: RulesDialect) -> Result<Redirect, String> {
    let (from, to) = (rule.from.as_str(), rule.to.as_str());
    if from.contains(['*', ':']) {
        Pattern::check(from, Grammar::Redirects(dialect))?;
    }
    let is_plain =
        to.starts_with('/') && !to.contains(['\\', '%']) && !to.contains("/.") && !to.contains(char::is_control);
    if !is_plain && Target::read(to)?.is_elsewhere() && !(300..400).contains(&rule.status) {
        return Err("showing what another host has is not supported yet".to_owned());
    }
    Ok(rule)
}

#[cfg(test)]
mod tests;
