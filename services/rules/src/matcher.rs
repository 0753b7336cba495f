//! Rules made ready for requests.

use crate::pages::{FilePattern, files_of};
use crate::path::{encoded, pairs};
use crate::pattern::{Captures, Grammar, Pattern};
use crate::target::Target;
use crate::tree::Tree;
use crate::{Condition, Headers, Redirect, Rules};
use events::event::RulesDialect;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::borrow::Cow;

/// What of a request rules look at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'r> {
    /// Without a port.
    pub host: &'r str,
    /// As it was sent, well-formed.
    pub path: &'r str,
    /// As it was sent.
    pub query: Option<&'r str>,
    /// The header `Cookie`.
    pub cookies: Option<&'r str>,
    /// The header `Accept-Language`.
    pub languages: Option<&'r str>,
}

/// The first rule that is for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// Where it stands in its file.
    pub line: u32,
    /// Whether it goes before a file of the path.
    pub forced: bool,
    /// Whether it is for other paths than one.
    pub is_open: bool,
    /// What it wants.
    pub outcome: Outcome,
}

/// What a rule wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// That the reader asks for something else.
    Redirect {
        /// What.
        location: String,
        /// With which status.
        status: u16,
    },
    /// That something else of the site is shown.
    Rewrite {
        /// What, as a path in a request.
        path: String,
        /// With which status.
        status: u16,
    },
}

/// Rules that find themselves.
#[derive(Debug, Clone)]
pub struct Matcher {
    dialect: RulesDialect,
    redirects: Vec<Ready>,
    by_path: Tree,
    headers: Vec<Head>,
    heads_by_path: Tree,
    /// Of `pages.json`.
    pages: Vec<Page>,
}

#[derive(Debug, Clone)]
struct Ready {
    rule: Redirect,
    pattern: Pattern,
    target: Target,
}

#[derive(Debug, Clone)]
struct Head {
    line: u32,
    host: Option<String>,
    pattern: Pattern,
    /// Values without names in them are ready.
    set: Vec<(HeaderName, Value)>,
    unset: Vec<HeaderName>,
}

#[derive(Debug, Clone)]
struct Page {
    line: u32,
    pattern: FilePattern,
    set: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Debug, Clone)]
enum Value {
    Plain(HeaderValue),
    Named(String),
}

impl Matcher {
    /// Makes the rules ready. What cannot be read is left out; whoever read the file has said so.
    #[must_use]
    pub fn new(rules: &Rules) -> Self {
        let dialect = rules.dialect;
        let mut ready = Self {
            dialect,
            redirects: Vec::with_capacity(rules.redirects.len()),
            by_path: Tree::default(),
            headers: Vec::new(),
            heads_by_path: Tree::default(),
            pages: rules.pages.iter().filter_map(Page::of).collect(),
        };
        for rule in &rules.redirects {
            let read = Pattern::read(&rule.from, Grammar::Redirects(dialect)).and_then(|pattern| {
                let target = Target::read(&rule.to)?;
                Ok(Ready { rule: rule.clone(), pattern, target })
            });
            let Ok(rule) = read else { continue };
            ready.by_path.insert(&rule.pattern, place(ready.redirects.len()));
            ready.redirects.push(rule);
        }
        for rule in &rules.headers {
            let Ok(pattern) = Pattern::read(&rule.from, Grammar::Headers(dialect)) else { continue };
            ready.heads_by_path.insert(&pattern, place(ready.headers.len()));
            ready.headers.push(Head::of(rule, pattern, dialect));
        }
        ready
    }

    /// By whose grammar the rules were read.
    #[must_use]
    pub const fn dialect(&self) -> RulesDialect {
        self.dialect
    }

    /// The first rule that is for the request.
    #[must_use]
    pub fn redirect(&self, asked: &Asked<'_>) -> Option<Matched> {
        if self.redirects.is_empty() {
            return None;
        }
        let path = Grammar::Redirects(self.dialect).spelled(asked.path);
        let candidates = self.by_path.candidates(&path);
        candidates.iter().find_map(|place| self.redirects.get(*place as usize)?.matched(&path, asked, self.dialect))
    }

    /// Sets and takes away what the rules of the path want.
    pub fn amend(&self, host: &str, path: &str, headers: &mut HeaderMap) {
        if let Some(page) = self.page(path) {
            page.set.iter().for_each(|(name, value)| drop(headers.insert(name, value.clone())));
        }
        if self.headers.is_empty() {
            return;
        }
        let path = Grammar::Headers(self.dialect).spelled(path);
        let mut own: Vec<&HeaderName> = Vec::new();
        for (head, captures) in self.heads(host, &path) {
            for name in &head.unset {
                headers.remove(name);
                own.retain(|known| *known != name);
            }
            for (name, value) in &head.set {
                let Some(value) = value.filled(&captures) else { continue };
                let joins = self.dialect == RulesDialect::Cloudflare && own.contains(&name);
                let joined = headers.get(name).filter(|_| joins).and_then(|present| joined(present, &value));
                headers.insert(name.clone(), joined.unwrap_or(value));
                own.push(name);
            }
        }
    }

    /// The line of `pages.json` that it goes by before, if there is one.
    #[must_use]
    pub fn paged_by(&self, path: &str) -> Option<u32> {
        self.page(path).map(|page| page.line)
    }

    fn page(&self, path: &str) -> Option<&Page> {
        if self.pages.is_empty() {
            return None;
        }
        let files = files_of(path);
        self.pages.iter().find(|page| page.pattern.is_for(&files))
    }

    /// The lines of the rules that [`Self::amend`] goes by.
    #[must_use]
    pub fn amended_by(&self, host: &str, path: &str) -> Vec<u32> {
        let path = Grammar::Headers(self.dialect).spelled(path);
        self.heads(host, &path).map(|(head, _)| head.line).collect()
    }

    /// The rules of headers that are for a path, with what its names stand for.
    fn heads<'h>(&'h self, host: &str, path: &'h str) -> impl Iterator<Item = (&'h Head, Captures<'h>)> {
        let candidates = self.heads_by_path.candidates(path).into_iter();
        candidates.filter_map(move |place| {
            let head = self.headers.get(place as usize).filter(|head| is_of(head.host.as_deref(), host))?;
            Some((head, head.pattern.captures(path, self.dialect)?))
        })
    }
}

fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

fn is_of(wanted: Option<&str>, host: &str) -> bool {
    wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(host))
}

fn joined(present: &HeaderValue, more: &HeaderValue) -> Option<HeaderValue> {
    HeaderValue::from_bytes(&[present.as_bytes(), b", ", more.as_bytes()].concat()).ok()
}

impl Ready {
    fn matched(&self, path: &str, asked: &Asked<'_>, dialect: RulesDialect) -> Option<Matched> {
        let Redirect { line, host, query, status, forced, conditions, .. } = &self.rule;
        if !is_of(host.as_deref(), asked.host) || !conditions.iter().all(|condition| condition.holds(asked)) {
            return None;
        }
        let mut captures = self.pattern.captures(path, dialect)?;
        let given: Option<Vec<_>> = (!query.is_empty()).then(|| pairs(asked.query.unwrap_or_default()).collect());
        for (name, wanted) in query {
            let (_, value) = given.as_ref()?.iter().rev().find(|(given, _)| given == name)?;
            match wanted.strip_prefix(':') {
                Some(known) if value.is_empty() || known.is_empty() => return None,
                Some(known) => captures.push((Cow::Borrowed(known), Cow::Owned(encoded(value)))),
                None if value == wanted => {}
                None => return None,
            }
        }
        let outcome = if (300..400).contains(status) {
            let left = if query.is_empty() { asked.query.map(Cow::Borrowed) } else { left(asked.query, query) };
            Outcome::Redirect { location: self.target.location(&captures, left.as_deref())?, status: *status }
        } else {
            Outcome::Rewrite { path: self.target.path(&captures)?, status: *status }
        };
        let forced = *forced || dialect == RulesDialect::Cloudflare;
        Some(Matched { line: *line, forced, is_open: self.pattern.is_open(), outcome })
    }
}

/// The query without what the rule has looked at.
fn left<'r>(asked: Option<&'r str>, taken: &[(String, String)]) -> Option<Cow<'r, str>> {
    let is_left = |pair: &&str| pairs(pair).all(|(name, _)| !taken.iter().any(|(known, _)| *known == name));
    let left: Vec<&str> = asked?.split('&').filter(is_left).collect();
    Some(Cow::Owned(left.join("&")))
}

impl Condition {
    fn holds(&self, asked: &Asked<'_>) -> bool {
        let cookies =
            || asked.cookies.unwrap_or_default().split(';').filter_map(|cookie| cookie.trim().split_once('='));
        let cookie = |wanted: &str| cookies().find(|(name, _)| *name == wanted).map(|(_, value)| value);
        match self {
            Self::Cookie(names) => names.iter().any(|name| cookie(name).is_some()),
            Self::Country(countries) => cookie("nf_country")
                .is_some_and(|country| countries.iter().any(|wanted| wanted.eq_ignore_ascii_case(country))),
            Self::Language(languages) => {
                let first = asked.languages.and_then(|list| list.split([',', ';']).next()).map(str::trim);
                let Some(liked) = cookie("nf_lang").or(first) else { return false };
                languages.iter().any(|wanted| speaks(liked, wanted))
            }
        }
    }
}

/// `fr` is spoken by whoever likes `fr-CA`.
fn speaks(liked: &str, wanted: &str) -> bool {
    let start = liked.get(..wanted.len()).is_some_and(|start| start.eq_ignore_ascii_case(wanted));
    start && liked.get(wanted.len()..).is_none_or(|rest| rest.is_empty() || rest.starts_with('-'))
}

impl Head {
    fn of(rule: &Headers, pattern: Pattern, dialect: RulesDialect) -> Self {
        let mut set: Vec<(HeaderName, Value)> = Vec::new();
        for (name, value) in &rule.set {
            let Ok(name) = HeaderName::try_from(name.as_str()) else { continue };
            let named = dialect == RulesDialect::Cloudflare && pattern.is_open() && value.contains(':');
            let plain = if named { None } else { HeaderValue::from_str(value).ok() };
            let value = plain.map_or_else(|| Value::Named(value.clone()), Value::Plain);
            set.push((name, value));
        }
        let unset = rule.unset.iter().filter_map(|name| HeaderName::try_from(name.as_str()).ok());
        Self { line: rule.line, host: rule.host.clone(), pattern, set, unset: unset.collect() }
    }
}

impl Page {
    fn of(rule: &Headers) -> Option<Self> {
        let pair = |(name, value): &(String, String)| {
            Some((HeaderName::try_from(name.as_str()).ok()?, HeaderValue::from_str(value).ok()?))
        };
        let pattern = FilePattern::read(&rule.from).ok()?;
        Some(Self { line: rule.line, pattern, set: rule.set.iter().filter_map(pair).collect() })
    }
}

impl Value {
    fn filled(&self, captures: &Captures<'_>) -> Option<HeaderValue> {
        match self {
            Self::Plain(value) => Some(value.clone()),
            Self::Named(text) => {
                // The longest name goes first, so that none is taken for the beginning of another.
                let mut names: Vec<_> = captures.iter().collect();
                names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
                let replace = |text: String, (name, value): &(Cow<'_, str>, Cow<'_, str>)| {
                    text.replace(&format!(":{name}"), value)
                };
                HeaderValue::from_str(&names.into_iter().fold(text.clone(), replace)).ok()
            }
        }
    }
}

#[cfg(test)]
mod tests;
