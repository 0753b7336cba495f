//! Entity tags of what is changed in place, and the conditions that name them (RFC 9110, 8.8.3 and 13.1).

use crate::problem::Problem;
use crate::seen::Seen;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

/// The entity tag of a version: how many facts have shaped it.
pub(super) fn tag(version: u64) -> [(HeaderName, String); 1] {
    [(header::ETAG, format!("\"{version}\""))]
}

/// What a condition names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// Whatever is there.
    Any,
    These(Vec<Tag>),
}

/// An entity tag.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) opaque: String,
    /// Whether it says no more than that two are as good as each other.
    pub(super) is_weak: bool,
}

/// The versions a caller saw. A weak tag is never enough to change something, and one of another form is not this one's,
/// whatever it once was.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Seen, Problem> {
    let Some(named) = named(headers, &header::IF_MATCH)? else { return Ok(Seen::Any) };
    let Named::These(tags) = named else { return Ok(Seen::Any) };
    let version =
        |tag: Tag| tag.opaque.parse().ok().filter(|version: &u64| !tag.is_weak && version.to_string() == tag.opaque);
    Ok(Seen::Of(tags.into_iter().filter_map(version).collect()))
}

/// What a header names; none if it is not there. An empty list is one, and nothing is in it; what is no list of entity tags is
/// refused.
pub(super) fn named(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Named>, Problem> {
    let wrong = || Problem::BadHeader(if *name == header::IF_MATCH { "If-Match" } else { "If-None-Match" });
    if !headers.contains_key(name) {
        return Ok(None);
    }
    let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let list = values.collect::<Vec<_>>().join(",");
    if list.trim() == "*" {
        return Ok(Some(Named::Any));
    }
    let (mut rest, mut tags) = (list.as_str(), Vec::new());
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            break;
        }
        let (tag, after) = first(rest).ok_or_else(wrong)?;
        tags.push(tag);
        rest = after.trim_start_matches([' ', '\t']);
        if !rest.is_empty() && !rest.starts_with(',') {
            return Err(wrong());
        }
    }
    Ok(Some(Named::These(tags)))
}

/// The tag that a list begins with, and what follows it.
fn first(list: &str) -> Option<(Tag, &str)> {
    let (is_weak, list) = list.strip_prefix("W/").map_or((false, list), |list| (true, list));
    let (opaque, rest) = list.strip_prefix('"')?.split_once('"')?;
    let is_plain = opaque.chars().all(|one| one > ' ' && one != '\u{7f}');
    is_plain.then(|| (Tag { opaque: opaque.to_owned(), is_weak }, rest))
}

/// Answers that nothing has changed to whoever has what they ask for already.
pub(super) async fn conditional(request: Request, next: Next) -> Result<Response, Problem> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let known = if reads { named(request.headers(), &header::IF_NONE_MATCH)? } else { None };
    let response = next.run(request).await;
    let Some(tag) = response.headers().get(header::ETAG).filter(|_| response.status() == StatusCode::OK) else {
        return Ok(response);
    };
    let is_known = match known {
        None => false,
        Some(Named::Any) => true,
        Some(Named::These(tags)) => {
            let own = tag.to_str().unwrap_or_default().trim_start_matches("W/").trim_matches('"');
            tags.iter().any(|tag| tag.opaque == own)
        }
    };
    Ok(if is_known { unchanged(&response) } else { response })
}

/// The same answer without what it says.
fn unchanged(response: &Response) -> Response {
    let mut answer = StatusCode::NOT_MODIFIED.into_response();
    let kept = response
        .headers()
        .iter()
        .filter(|(name, _)| **name != header::CONTENT_TYPE && **name != header::CONTENT_LENGTH);
    let kept: Vec<(HeaderName, HeaderValue)> = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
    answer.headers_mut().extend(kept);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(values: &[&str]) -> Option<Seen> {
        let value = |value: &&str| (header::IF_MATCH, HeaderValue::from_str(value).unwrap());
        if_match(&values.iter().map(value).collect()).ok()
    }

    #[test]
    fn a_condition_is_a_list_of_tags_of_which_only_strong_ones_count() {
        assert_eq!(seen(&[]), Some(Seen::Any));
        assert_eq!(seen(&["*"]), Some(Seen::Any));
        for list in [
            &["\"1\", \"2\""][..],
            &["\"1\",\"2\""],
            &["\"1\"", "\"2\""],
            &[", \"1\" ,, \"2\","],
            &["W/\"7\", \"1\", \"2\""],
        ] {
            assert_eq!(seen(list), Some(Seen::Of(vec![1, 2])), "{list:?}");
        }
        for none in ["", ",", "W/\"1\"", "\"x\"", "\"01\"", "\"+1\"", "\"\"", "\"a,b\""] {
            assert_eq!(seen(&[none]), Some(Seen::Of(vec![])), "{none}");
        }
        for garbage in ["1", "\"1", "\"1\" \"2\"", "*, \"1\"", "w/\"1\"", "\"a b\""] {
            assert_eq!(seen(&[garbage]), None, "{garbage:?}");
        }
    }

    #[test]
    fn what_was_not_seen_is_not_changed() {
        assert_eq!(Seen::Any.version(3), 3);
        assert_eq!(Seen::Of(vec![2, 3]).version(3), 3);
        for other in [vec![], vec![2], vec![4, 2]] {
            assert_ne!(Seen::Of(other).version(3), 3);
        }
    }
}
