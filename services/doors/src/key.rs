//! The key of all doors, and what it signs.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroizing;

/// What web and edges have of the installation's key to open closed sites, and for nothing else.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

/// A text that is no such key.
#[derive(Debug, thiserror::Error)]
#[error("the key of edges has 64 hexadecimal digits: `pagefold permissions edge-key` prints it")]
pub struct NotAKey;

impl Key {
    /// The key that has these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads the key as it is told in an environment.
    ///
    /// # Errors
    /// [`NotAKey`], which does not repeat it.
    pub fn read(text: &SecretString) -> Result<Self, NotAKey> {
        let mut key = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.expose_secret().trim(), &mut *key).map_err(|_| NotAKey)?;
        Ok(Self(key))
    }

    /// What proves `parts` for a purpose, in hexadecimal.
    pub(crate) fn sign(&self, purpose: &str, parts: &[&str]) -> String {
        self.mac(purpose, parts).map_or_else(String::new, |mac| hex::encode(mac.finalize().into_bytes()))
    }

    /// Whether `proof` is that; takes the same time wherever a guess goes wrong.
    pub(crate) fn proves(&self, purpose: &str, parts: &[&str], proof: &str) -> bool {
        let proof = hex::decode(proof).unwrap_or_default();
        self.mac(purpose, parts).is_some_and(|mac| mac.verify_slice(&proof).is_ok())
    }

    /// What goes into the hashes of passwords, so that they cannot be guessed by whoever has them alone.
    pub(crate) fn pepper(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.derive("password v1", &[]).to_vec())
    }

    /// Another key, that follows from this one for a purpose.
    pub(crate) fn derive(&self, purpose: &str, parts: &[&str]) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.mac(purpose, parts).map_or([0; 32], |mac| mac.finalize().into_bytes().into()))
    }

    fn mac(&self, purpose: &str, parts: &[&str]) -> Option<Hmac<Sha256>> {
        // HMAC takes keys of any length, so there always is one.
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.0).ok()?;
        for part in std::iter::once(&purpose).chain(parts) {
            // Each says how long it is, so that no two lists of parts are the same bytes.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        Some(mac)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_for_one_key_one_purpose_and_these_parts() {
        let key = Key::new([1; 32]);
        let proof = key.sign("x", &["a", "b"]);
        assert!(key.proves("x", &["a", "b"], &proof));
        assert!(!Key::new([2; 32]).proves("x", &["a", "b"], &proof));
        for (purpose, parts) in
            [("y", vec!["a", "b"]), ("x", vec!["ab"]), ("x", vec!["a", "b", ""]), ("x", vec!["", "ab"])]
        {
            assert!(!key.proves(purpose, &parts, &proof), "{purpose} {parts:?}");
        }
        for wrong in ["", "00", &proof[2..], &format!("{proof}00"), "zz"] {
            assert!(!key.proves("x", &["a", "b"], wrong), "{wrong}");
        }
    }

    #[test]
    fn a_key_is_read_and_never_printed() {
        assert_eq!(format!("{:?}", Key::read(&"ab".repeat(32).into()).unwrap()), "Key");
        for wrong in ["", "ab", &"xy".repeat(32), &"ab".repeat(33)] {
            assert!(Key::read(&(*wrong).into()).is_err());
        }
    }
}
