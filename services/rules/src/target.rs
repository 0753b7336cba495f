//! Where a rule leads, with the names in it replaced by what they stand for.
//!
//! What a reader asks for never decides to which host it leads, and never leads upwards: a name in the host of a target is refused,
//! a value keeps its slashes only where it is a splat, and an answer that would hold `..` is none.

use crate::path::{canonical, in_query, is_dots};
use crate::pattern::Captures;
use std::borrow::Cow;

/// A target as it is read once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Scheme and host; none for a path of the same host.
    origin: Option<String>,
    path: Vec<Piece>,
    query: Option<Vec<Piece>>,
    fragment: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Name(String),
}

impl Target {
    pub(crate) fn read(to: &str) -> Result<Self, String> {
        let (rest, fragment) = to.split_once('#').map_or((to, None), |(rest, fragment)| (rest, Some(fragment)));
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let (origin, path) = match rest.find("://") {
            Some(scheme) => {
                let host = scheme + 3;
                let end = rest.get(host..).and_then(|rest| rest.find('/')).map_or(rest.len(), |end| host + end);
                let (origin, path) = rest.split_at(end);
                let authority = origin.get(host..).unwrap_or_default();
                if authority.is_empty() || authority.contains(['@', '\\', '*']) || !is_plain(authority) {
                    return Err("the host of a target must be plain: a reader must not choose it".to_owned());
                }
                (Some(origin.to_owned()), path)
            }
            None => (None, rest),
        };
        if path.contains('\\') || path.chars().any(char::is_control) {
            return Err("a target has no backslashes".to_owned());
        }
        if path.split('/').any(is_dots) {
            return Err("a target has no `.` or `..`".to_owned());
        }
        let path = pieces(&single_slashes(path)).into_iter().map(|piece| match piece {
            Piece::Text(text) => Piece::Text(canonical(&text).into_owned()),
            Piece::Name(name) => Piece::Name(name),
        });
        let fragment = fragment.map(ToOwned::to_owned);
        Ok(Self { origin, path: path.collect(), query: query.map(pieces), fragment })
    }

    /// Whether it is on another host.
    pub(crate) const fn is_elsewhere(&self) -> bool {
        self.origin.is_some()
    }

    /// The path alone.
    pub(crate) fn path(&self, captures: &Captures<'_>) -> Option<String> {
        let path = filled(&self.path, captures, |value| Cow::Borrowed(value));
        let path = if self.origin.is_none() || path.contains("//") { single_slashes(&path) } else { path };
        (!path.split('/').any(is_dots)).then_some(path)
    }

    /// The whole address, with `query` where the target has none of its own.
    pub(crate) fn location(&self, captures: &Captures<'_>, query: Option<&str>) -> Option<String> {
        let mut location = self.origin.clone().unwrap_or_default();
        location.push_str(&self.path(captures)?);
        let own = self.query.as_ref().map(|query| filled(query, captures, |value| Cow::Owned(in_query(value))));
        if let Some(query) = own.as_deref().or(query).filter(|query| !query.is_empty()) {
            location.push('?');
            location.push_str(query);
        }
        if let Some(fragment) = &self.fragment {
            location.push('#');
            location.push_str(fragment);
        }
        Some(location)
    }
}

fn is_plain(text: &str) -> bool {
    pieces(text).iter().all(|piece| matches!(piece, Piece::Text(_)))
}

/// Names are letters, digits and underscores after a colon, as long as they go.
fn pieces(text: &str) -> Vec<Piece> {
    let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
    while let Some((before, after)) = rest.split_once(':') {
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let length = after.bytes().take_while(is_name).count();
        let (name, behind) = after.split_at(length);
        plain.push_str(before);
        if name.starts_with(|first: char| first.is_ascii_alphabetic()) {
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Name(name.to_owned()));
        } else {
            plain.push(':');
            plain.push_str(name);
        }
        rest = behind;
    }
    plain.push_str(rest);
    if !plain.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    pieces
}

/// A name that stands for nothing stays as it is written.
fn filled(pieces: &[Piece], captures: &Captures<'_>, encode: fn(&str) -> Cow<'_, str>) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(plain) => text.push_str(plain),
            Piece::Name(name) => match captures.iter().find(|(known, _)| known == name) {
                Some((_, value)) => text.push_str(&encode(value)),
                None => {
                    text.push(':');
                    text.push_str(name);
                }
            },
        }
    }
    text
}

pub(crate) fn single_slashes(path: &str) -> String {
    let mut single = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !single.ends_with('/') {
            single.push(character);
        }
    }
    single
}
