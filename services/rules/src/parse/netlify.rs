//! `from [key=value …] [to] [status[!]] [key=value …] [# comment]`, by Netlify's grammar.

use super::{Line, Notes, checked};
use crate::{Condition, Redirect};
use events::event::RulesDialect;

const STATUS: u16 = 301;

pub(super) fn redirect(line: &Line<'_>, notes: &mut Notes) -> Result<Option<Redirect>, String> {
    let words: Vec<&str> = line.text.split_ascii_whitespace().take_while(|word| !word.starts_with('#')).collect();
    let Some((from, rest)) = words.split_first() else { return Ok(None) };
    let is_target = |word: &&str| ["/", "http://", "https://"].iter().any(|start| word.starts_with(start));
    let (before, to, after) = match rest.iter().position(is_target) {
        Some(at) => (rest.get(..at).unwrap_or_default(), rest.get(at).copied(), rest.get(at + 1..).unwrap_or_default()),
        None => {
            let at = rest.iter().position(|word| !word.contains('=')).unwrap_or(rest.len());
            (rest.get(..at).unwrap_or_default(), None, rest.get(at..).unwrap_or_default())
        }
    };
    let query: Option<Vec<_>> = before.iter().map(|word| word.split_once('=')).collect();
    let query = query.ok_or("what stands before its target is not `name=value`")?;
    let query = query.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let (status, forced, after) = status(after)?;
    let (host, from) = source(from)?;
    let to = match to {
        Some(to) => to.to_owned(),
        None => match from.strip_suffix("/*").filter(|_| (200..300).contains(&status)) {
            Some(folder) => format!("{folder}/:splat"),
            None => return Err("it has no target".to_owned()),
        },
    };
    let conditions = conditions(line, after, notes)?;
    let rule = Redirect { line: line.number, host, from, query, to, status, forced, conditions };
    checked(rule, RulesDialect::Netlify).map(Some)
}

/// The status, whether the rule is forced, and what follows.
fn status<'l, 't>(words: &'l [&'t str]) -> Result<(u16, bool, &'l [&'t str]), String> {
    let Some((first, rest)) = words.split_first().filter(|(first, _)| !first.contains('=')) else {
        return Ok((STATUS, false, words));
    };
    let (digits, forced) = first.strip_suffix('!').map_or((*first, false), |digits| (digits, true));
    let status =
        digits.parse().ok().filter(|status| matches!(status, 200..=299 | 301 | 302 | 303 | 307 | 308 | 400..=599));
    let status = status.ok_or_else(|| format!("`{}` is no status that it could have", first.escape_debug()))?;
    Ok((status, forced, rest))
}

/// Host and path. The scheme is not looked at: whoever stands before the edge decides it.
fn source(from: &str) -> Result<(Option<String>, String), String> {
    let absolute = from.strip_prefix("http://").or_else(|| from.strip_prefix("https://"));
    let (host, path) = match absolute {
        Some(rest) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let name = host.split_once(':').map_or(host, |(name, _)| name);
            (Some(name.to_ascii_lowercase()), path)
        }
        None => (None, from),
    };
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    if path.contains(['?', '#']) {
        return Err("a query is matched by `name=value` after the path".to_owned());
    }
    if path.starts_with("/.netlify") { Err("`/.netlify` is not for sites".to_owned()) } else { Ok((host, path)) }
}

fn conditions(line: &Line<'_>, words: &[&str], notes: &mut Notes) -> Result<Vec<Condition>, String> {
    let mut conditions = Vec::new();
    for word in words {
        let (name, value) = word.split_once('=').ok_or_else(|| format!("`{}` is no condition", word.escape_debug()))?;
        let values = || value.split(',').filter(|value| !value.is_empty()).map(ToOwned::to_owned).collect();
        match name {
            "Country" | "country" => conditions.push(Condition::Country(values())),
            "Language" | "language" => conditions.push(Condition::Language(values())),
            "Cookie" | "cookie" => conditions.push(Condition::Cookie(values())),
            "Role" | "role" => {
                return Err("who signs in to a site is not known here: the rule is never used".to_owned());
            }
            "Sign" | "sign" | "signed" => return Err("showing what another host has is not supported yet".to_owned()),
            other => notes.add(
                line,
                format!("the condition `{}` is not known, the rule is used without it", other.escape_debug()),
            ),
        }
    }
    Ok(conditions)
}
