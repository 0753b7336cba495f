//! `Idempotency-Key`: a request that creates something may be sent again when its answer was lost, and creates nothing twice.
//!
//! What is created has an id that is made of the caller, the key and what was asked for, so the log itself knows whether it is
//! there already, on every replica and for ever. What else a request does is remembered beside the log, in [`once`](crate::once).

use crate::problem::Problem;
use events::Actor;
use http::HeaderMap;
use std::fmt::Display;
use uuid::Uuid;

const HEADER: &str = "idempotency-key";
/// Longest key in bytes.
const LENGTH_MAX: usize = 255;

/// What a caller calls one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key(String);

impl Key {
    /// The key of a request, if it has one: 1 to 255 visible characters of ASCII.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let mut values = headers.get_all(HEADER).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let is_key =
            |text: &&str| (1..=LENGTH_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        let key = value.to_str().ok().filter(is_key).filter(|_| values.next().is_none());
        key.map(|key| Some(Self(key.to_owned()))).ok_or(Problem::BadHeader("Idempotency-Key"))
    }

    /// The id of what `actor` creates by this request; `request` tells all that is asked for.
    pub(crate) fn id(&self, actor: &Actor, request: impl Display) -> Uuid {
        // Neither an actor nor a key has a space.
        let scope = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("urn:pagefold:request:{actor} {}", self.0).as_bytes());
        Uuid::new_v5(&scope, request.to_string().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn id(name: &str, key: &str, request: &str) -> Uuid {
        Key(key.to_owned()).id(&Actor(format!("token:{name}")), request)
    }

    #[test]
    fn an_id_is_the_same_for_the_same_caller_key_and_request_alone() {
        let first = id("ada", "k", "build/1");
        assert_eq!(id("ada", "k", "build/1"), first);
        for (name, key, request) in [("bob", "k", "build/1"), ("ada", "l", "build/1"), ("ada", "k", "build/2")] {
            assert_ne!(id(name, key, request), first);
        }
    }

    #[test]
    fn a_key_is_a_short_visible_word_that_is_there_once() {
        let of = |values: &[&str]| {
            let value = |value: &&str| (http::HeaderName::from_static(HEADER), HeaderValue::from_str(value).unwrap());
            Key::of(&values.iter().map(value).collect())
        };
        assert_eq!(of(&[]).unwrap(), None);
        assert_eq!(of(&["8e03978e-40d5"]).unwrap(), Some(Key("8e03978e-40d5".to_owned())));
        for wrong in [&[""][..], &["two words"], &["a", "b"], &[&"x".repeat(256)]] {
            assert!(matches!(of(wrong), Err(Problem::BadHeader("Idempotency-Key"))), "{wrong:?}");
        }
    }
}
