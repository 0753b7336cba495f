//! Paths, and below each of them the headers of its answers.

use super::{Line, Notes, numbered};
use crate::pattern::{Grammar, Pattern};
use crate::{Headers, RULES_MAX};
use events::event::RulesDialect;
use http::{HeaderName, HeaderValue};

/// What says how an answer is sent, or who sends it, is not a site's to say.
const OURS: [&str; 17] = [
    "accept-ranges",
    "age",
    "allow",
    "alt-svc",
    "basic-auth",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "date",
    "etag",
    "location",
    "server",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "vary",
];

pub(super) fn read(text: &str, dialect: RulesDialect, notes: &mut Notes) -> Vec<Headers> {
    let mut rules: Vec<Headers> = Vec::new();
    // What follows a path that is not used is not used either.
    let mut below = Below::Nothing;
    for line in numbered(text) {
        if line.text.starts_with('/') || line.text.starts_with("https://") || line.text.starts_with("http://") {
            below = match path(&line, dialect) {
                Ok(_) if rules.len() >= RULES_MAX => {
                    notes.add(&line, format!("there are more than {RULES_MAX} rules"));
                    Below::Refused
                }
                Ok(rule) => {
                    rules.push(rule);
                    Below::Path
                }
                Err(message) => {
                    notes.add(&line, message);
                    Below::Refused
                }
            };
            continue;
        }
        let result = match (below, rules.last_mut()) {
            (Below::Path, Some(rule)) => header(&line, dialect, rule),
            (Below::Refused, _) => Ok(()),
            (Below::Nothing | Below::Path, _) => Err("it stands below no path".to_owned()),
        };
        if let Err(message) = result {
            notes.add(&line, message);
        }
    }
    rules.retain(|rule| !rule.set.is_empty() || !rule.unset.is_empty());
    rules
}

#[derive(Clone, Copy)]
enum Below {
    Nothing,
    Path,
    Refused,
}

fn path(line: &Line<'_>, dialect: RulesDialect) -> Result<Headers, String> {
    let absolute = line.text.strip_prefix("https://").or_else(|| line.text.strip_prefix("http://"));
    let (host, from) = match absolute {
        Some(_) if dialect == RulesDialect::Netlify => return Err("only a path can have headers".to_owned()),
        Some(rest) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            if host.is_empty() || host.contains([':', '*']) {
                return Err("a host must be plain and without a port".to_owned());
            }
            (Some(host.to_ascii_lowercase()), if path.is_empty() { "/" } else { path })
        }
        None => (None, line.text),
    };
    if from.contains(char::is_whitespace) {
        return Err("a path has no spaces".to_owned());
    }
    Pattern::read(from, Grammar::Headers(dialect))?;
    Ok(Headers { line: line.number, host, from: from.to_owned(), set: Vec::new(), unset: Vec::new() })
}

fn header(line: &Line<'_>, dialect: RulesDialect, rule: &mut Headers) -> Result<(), String> {
    if let Some(name) = line.text.strip_prefix("! ").filter(|_| dialect == RulesDialect::Cloudflare) {
        rule.unset.push(name_of(name.trim())?);
        return Ok(());
    }
    let (name, value) = line.text.split_once(':').ok_or("it is neither a path nor `Name: value`")?;
    let (name, value) = (name_of(name.trim())?, value_of(value.trim())?);
    match rule.set.iter_mut().find(|(known, _)| *known == name) {
        Some((_, known)) => *known = format!("{known}, {value}"),
        None => rule.set.push((name, value)),
    }
    Ok(())
}

/// What may stand in a header.
pub(crate) fn value_of(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("it has no value".to_owned());
    }
    HeaderValue::from_str(text).map_err(|_| "its value cannot stand in a header".to_owned())?;
    Ok(text.to_owned())
}

/// The name of a header that is a site's to say, in lower case.
pub(crate) fn name_of(text: &str) -> Result<String, String> {
    let name = HeaderName::try_from(text).map_err(|_| format!("`{}` is no name of a header", text.escape_debug()))?;
    if name == "basic-auth" {
        return Err("passwords in files are not supported: the path is open to everybody".to_owned());
    }
    if OURS.contains(&name.as_str()) || name.as_str().starts_with("x-pagefold-") {
        return Err(format!("`{name}` is not for sites to say"));
    }
    Ok(name.as_str().to_owned())
}
