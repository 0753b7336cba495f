//! `source destination [code]`, by Cloudflare's grammar.

use super::{Line, Notes, checked};
use crate::Redirect;
use crate::path::canonical;
use events::event::RulesDialect;
use std::collections::HashMap;

const STATUS: u16 = 302;
const STATUSES: [u16; 6] = [200, 301, 302, 303, 307, 308];
const LINE_MAX: usize = 2_000;

pub(super) fn redirect(line: &Line<'_>) -> Result<Option<Redirect>, String> {
    if line.text.len() > LINE_MAX {
        return Err(format!("it is longer than {LINE_MAX} characters"));
    }
    let words: Vec<&str> = line.text.split_ascii_whitespace().take_while(|word| !word.starts_with('#')).collect();
    let (source, to, status) = match words.as_slice() {
        [source, to] => (*source, *to, STATUS),
        [source, to, status] => (*source, *to, code(status)?),
        words => return Err(format!("it needs 2 or 3 words and has {}", words.len())),
    };
    if source.starts_with("https://") || source.starts_with("http://") {
        return Err("only a path can be a source".to_owned());
    }
    if !to.starts_with('/') && !to.starts_with("https://") {
        return Err("a target begins with `/` or `https://`".to_owned());
    }
    let from = normal(source);
    let leads_to_index = to.ends_with("/index") || to.ends_with("/index.html");
    if to.starts_with('/') && leads_to_index && (from.ends_with("/*") || from.ends_with('/')) {
        return Err("it would lead in a circle".to_owned());
    }
    let (to, line) = (to.to_owned(), line.number);
    let rule =
        Redirect { line, host: None, from, query: Vec::new(), to, status, forced: false, conditions: Vec::new() };
    checked(rule, RulesDialect::Cloudflare).map(Some)
}

fn code(text: &str) -> Result<u16, String> {
    let code = text.parse().ok().filter(|code| STATUSES.contains(code));
    code.ok_or_else(|| format!("`{}` is none of 200, 301, 302, 303, 307, 308", text.escape_debug()))
}

/// A path without query and fragment, its dots followed.
fn normal(source: &str) -> String {
    let path = source.split(['?', '#']).next().unwrap_or_default();
    let mut segments: Vec<&str> = Vec::new();
    let path = path.strip_prefix('/').unwrap_or(path);
    let last = path.split('/').count().saturating_sub(1);
    for (index, segment) in path.split('/').enumerate() {
        match segment {
            "." | ".." => {
                if segment == ".." {
                    segments.pop();
                }
                if index == last {
                    segments.push("");
                }
            }
            other => segments.push(other),
        }
    }
    canonical(&format!("/{}", segments.join("/"))).into_owned()
}

/// Of two rules for one path the first is used.
pub(super) fn without_repeated(rules: &mut Vec<Redirect>, notes: &mut Notes) {
    let mut lines: HashMap<String, u32> = HashMap::new();
    rules.retain(|rule| {
        let first = *lines.entry(rule.from.clone()).or_insert(rule.line);
        if first != rule.line {
            let text = format!("{} {} {}", rule.from, rule.to, rule.status);
            notes.add(&Line { number: rule.line, text: &text }, format!("line {first} is for the same path"));
        }
        first == rule.line
    });
}
