//! The paths a rule is for: segments that are literal or captured, with one splat at most.

use crate::path::canonical;
use events::event::RulesDialect;
use std::borrow::Cow;

/// Names of splats, and what they stand for, in the order in which they were found.
pub(crate) type Captures<'t> = Vec<(Cow<'t, str>, Cow<'t, str>)>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    Literal(String),
    Capture { prefix: String, name: String, suffix: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Splat {
    prefix: String,
    suffix: String,
    /// Whether there may be nothing at all where it stands, not even a slash.
    optional: bool,
}

/// What a path must look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) before: Vec<Segment>,
    pub(crate) splat: Option<Splat>,
    after: Vec<Segment>,
}

/// What a rule's file may do to a path that is another file's own business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grammar {
    Redirects(RulesDialect),
    Headers(RulesDialect),
}

impl Grammar {
    const fn dialect(self) -> RulesDialect {
        match self {
            Self::Redirects(dialect) | Self::Headers(dialect) => dialect,
        }
    }

    /// The one spelling of a path, for this grammar.
    pub(crate) fn spelled(self, path: &str) -> Cow<'_, str> {
        let path = canonical(path);
        match self {
            Self::Headers(RulesDialect::Netlify) => {
                let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
                let end = if path.ends_with('/') && !segments.is_empty() { "/" } else { "" };
                Cow::Owned(format!("/{}{end}", segments.join("/")).to_ascii_lowercase())
            }
            Self::Redirects(_) | Self::Headers(RulesDialect::Cloudflare) => path,
        }
    }
}

impl Pattern {
    /// Reads the path of a rule.
    pub(crate) fn read(path: &str, grammar: Grammar) -> Result<Self, String> {
        let spelled = grammar.spelled(path);
        let path = match grammar.dialect() {
            RulesDialect::Netlify => spelled.strip_suffix('/').unwrap_or(&spelled),
            RulesDialect::Cloudflare => &spelled,
        };
        let (mut before, mut splat, mut after) = (Vec::new(), None, Vec::new());
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        for (index, text) in segments.iter().enumerate() {
            let is_last = index + 1 == segments.len();
            match Self::splat(text, is_last, grammar) {
                Some(_) if splat.is_some() => return Err("it has more than one splat".to_owned()),
                Some(found) => splat = Some(found),
                None => {
                    let into = if splat.is_some() { &mut after } else { &mut before };
                    into.push(Self::segment(text, grammar)?);
                }
            }
        }
        if splat.as_ref().is_some_and(|splat| splat.suffix.contains('*')) {
            return Err("it has more than one splat".to_owned());
        }
        Ok(Self { before, splat, after })
    }

    /// Whether the path of a rule can be read: the same as to read it, and quicker where that is easily seen.
    pub(crate) fn check(path: &str, grammar: Grammar) -> Result<(), String> {
        let one_splat = path.matches('*').nth(1).is_none();
        if one_splat && grammar == Grammar::Redirects(RulesDialect::Netlify) {
            return Ok(());
        }
        Self::read(path, grammar).map(drop)
    }

    fn splat(text: &str, is_last: bool, grammar: Grammar) -> Option<Splat> {
        let (prefix, suffix) = text.split_once('*')?;
        let optional = text == "*" && grammar.dialect() == RulesDialect::Netlify;
        let counts = match grammar {
            Grammar::Redirects(RulesDialect::Netlify) => optional || (is_last && suffix.is_empty()),
            Grammar::Redirects(RulesDialect::Cloudflare) | Grammar::Headers(_) => true,
        };
        counts.then(|| Splat { prefix: prefix.to_owned(), suffix: suffix.to_owned(), optional })
    }

    fn segment(text: &str, grammar: Grammar) -> Result<Segment, String> {
        let name_length =
            |rest: &str| rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        let starts = |rest: &str| rest.starts_with(|first: char| first.is_ascii_alphabetic());
        let found = text.match_indices(':').find(|(at, _)| text.get(at + 1..).is_some_and(starts));
        let Some((at, _)) = found else { return Ok(Segment::Literal(text.to_owned())) };
        let (prefix, rest) = (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
        let (name, suffix) = rest.split_at(name_length(rest));
        let is_whole = prefix.is_empty() && suffix.is_empty();
        match grammar {
            Grammar::Redirects(RulesDialect::Netlify) | Grammar::Headers(RulesDialect::Netlify) if !is_whole => {
                Ok(Segment::Literal(text.to_owned()))
            }
            Grammar::Redirects(_) | Grammar::Headers(_) if suffix.contains(':') => {
                Err("it has more than one placeholder between two slashes".to_owned())
            }
            Grammar::Redirects(_) | Grammar::Headers(_) => {
                Ok(Segment::Capture { prefix: prefix.to_owned(), name: name.to_owned(), suffix: suffix.to_owned() })
            }
        }
    }

    /// Whether it is for more paths than one.
    pub(crate) fn is_open(&self) -> bool {
        self.splat.is_some() || self.before.iter().any(|segment| matches!(segment, Segment::Capture { .. }))
    }

    /// What the rule's names stand for if `path`, in its one spelling, is one of those it is for.
    pub(crate) fn captures<'t>(&'t self, path: &'t str, dialect: RulesDialect) -> Option<Captures<'t>> {
        let whole = path;
        let path = match dialect {
            RulesDialect::Netlify => path.strip_suffix('/').unwrap_or(path),
            RulesDialect::Cloudflare => path,
        };
        let mut captures = Vec::new();
        let rest = take(&self.before, path, &mut captures)?;
        let Some(splat) = &self.splat else { return rest.is_empty().then_some(captures) };
        if self.after.is_empty() {
            // What follows keeps its slash at the end.
            let rest = whole.get(path.len() - rest.len()..)?;
            captures.push((Cow::Borrowed("splat"), Cow::Borrowed(splat.middle(rest)?)));
            return Some(captures);
        }
        let segments: Vec<&str> = rest.split('/').skip(1).collect();
        let start = segments.len().checked_sub(self.after.len())?;
        let tail: usize = segments.get(start..)?.iter().map(|segment| segment.len() + 1).sum();
        let (middle, tail) = rest.split_at_checked(rest.len().checked_sub(tail)?)?;
        captures.push((Cow::Borrowed("splat"), Cow::Borrowed(splat.middle(middle)?)));
        take(&self.after, tail, &mut captures)?.is_empty().then_some(captures)
    }
}

impl Splat {
    /// What it stands for in a text that is empty or begins with a slash.
    fn middle<'t>(&self, text: &'t str) -> Option<&'t str> {
        match text.strip_prefix('/') {
            None => (self.optional && text.is_empty()).then_some(text),
            Some(text) => {
                let inner = text.strip_prefix(self.prefix.as_str())?;
                inner.strip_suffix(self.suffix.as_str())
            }
        }
    }
}

/// What follows `segments` in a path.
fn take<'t>(segments: &'t [Segment], path: &'t str, captures: &mut Captures<'t>) -> Option<&'t str> {
    segments.iter().try_fold(path, |rest, segment| {
        let rest = rest.strip_prefix('/')?;
        let (text, after) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        match segment {
            Segment::Literal(literal) => (literal == text).then_some(after),
            Segment::Capture { prefix, name, suffix } => {
                let value = text.strip_prefix(prefix.as_str())?.strip_suffix(suffix.as_str())?;
                captures.push((Cow::Borrowed(name), Cow::Borrowed(value)));
                (!value.is_empty()).then_some(after)
            }
        }
    })
}
