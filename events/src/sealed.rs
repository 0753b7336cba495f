//! Personal data in the log: it can be read only with the key of the person it is about, and by nobody once that is destroyed.

use crate::ids::{Invalid, text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A text sealed with a person's own key: XChaCha20-Poly1305, nonce before ciphertext, in lower-case hexadecimal. The key is
/// not in the log, so that what cannot be changed there can still be forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^([0-9a-f]{2}){40,}$"))]
pub struct Sealed(String);

/// Bytes of a nonce and a tag: an empty text is as long as these.
const LEAST: usize = 24 + 16;

text!(Sealed);

impl TryFrom<String> for Sealed {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let bytes = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if bytes && text.len().is_multiple_of(2) && text.len() >= 2 * LEAST {
            Ok(Self(text))
        } else {
            Err(Invalid("this is not a sealed text".to_owned()))
        }
    }
}

impl Sealed {
    /// What was made of nonce and ciphertext.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex::encode(bytes))
    }

    /// Nonce and ciphertext.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        hex::decode(&self.0).unwrap_or_default()
    }
}
