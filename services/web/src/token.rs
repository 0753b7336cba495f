//! The tokens of the configuration, and how one is presented.

use crate::config::Token;
use http::{HeaderMap, header};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use subtle::ConstantTimeEq;

/// Longest token accepted for comparison, in bytes.
const TOKEN_MAX: usize = 1024;
/// As many bytes as 128 random bits take in Base64; in hex they take more.
const RANDOM_LENGTH: usize = 22;
/// Fewer different bytes are hardly in anything so long that was drawn by chance.
const RANDOM_DIFFERENT: usize = 8;

/// A token that this server knows.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) name: String,
    secret: SecretString,
    digest: [u8; 32],
}

/// Whether `name` fits in an actor.
pub(crate) fn is_token_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

impl Known {
    pub(crate) fn new(token: &Token) -> Self {
        Self {
            name: token.name.clone(),
            secret: token.secret.clone(),
            digest: Sha256::digest(token.secret.expose_secret()).into(),
        }
    }

    /// Whether it looks like one that somebody who asks again and again may hit upon. What is long and not random cannot be
    /// told from what is.
    pub(crate) fn is_guessable(&self) -> bool {
        let different: HashSet<&u8> = self.key().iter().collect();
        self.key().len() < RANDOM_LENGTH || different.len() < RANDOM_DIFFERENT
    }

    /// The key of whatever proves to come from the token's holder.
    pub(crate) fn key(&self) -> &[u8] {
        self.secret.expose_secret().as_bytes()
    }
}

/// Compares digests, all of them, so that the time taken tells nothing about any secret.
pub(crate) fn holder<'a>(tokens: &'a [Known], presented: &str) -> Option<&'a Known> {
    let digest: [u8; 32] = Sha256::digest(presented.get(..presented.len().min(TOKEN_MAX))?).into();
    let mut found = None;
    for known in tokens {
        if bool::from(known.digest.ct_eq(&digest)) {
            found = Some(known);
        }
    }
    found
}

/// The token in the header, if it is of our kind.
pub(crate) fn presented(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_or_repeats_itself_can_be_guessed_and_what_is_random_cannot() {
        let known = |secret: &str| Known::new(&Token { name: "ada".into(), secret: secret.into() });
        for random in ["q2Zl0cV7mXyR4tNb9sKfHw", "7a1c93e05bd24f6688e1f0b2c7d94a35"] {
            assert!(!known(random).is_guessable(), "{random}");
        }
        for weak in ["secret", "a-token-for-tests", "q2Zl0cV7mXyR4tNb9sKfH", &"0".repeat(64), &"abc".repeat(20)] {
            assert!(known(weak).is_guessable(), "{weak}");
        }
    }

    #[test]
    fn a_token_names_its_holder_and_nothing_else_does() {
        let token = |name: &str, secret: &str| Known::new(&Token { name: name.into(), secret: secret.into() });
        let tokens = [token("ada", "first-secret"), token("ben", "second-secret")];
        let who = |value: &str| {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
            presented(&headers).and_then(|presented| holder(&tokens, presented)).map(|known| known.name.clone())
        };
        assert_eq!(who("Bearer second-secret").as_deref(), Some("ben"));
        assert_eq!(who("bearer first-secret").as_deref(), Some("ada"));
        for wrong in ["Bearer first-secre", "Bearer ", "Basic first-secret", "first-secret"] {
            assert_eq!(who(wrong), None, "{wrong}");
        }
    }
}
