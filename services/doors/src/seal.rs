//! What edges have for themselves: the keys of certificates in the log, and the account at the authority that issues them.

use crate::key::Key;
use chacha20poly1305::aead::{Aead, Generate, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use events::Sealed;
use p256::SecretKey;
use p256::pkcs8::EncodePrivateKey as _;
use zeroize::Zeroizing;

const NONCE: usize = 24;

impl Key {
    /// The key of the certificate of `name`, as it may be recorded for ever.
    #[must_use]
    pub fn seal(&self, name: &str, text: &str) -> Sealed {
        let nonce = XNonce::generate();
        // It fails for texts of 256 GB alone.
        let sealed = self.cipher().encrypt(&nonce, Payload { msg: text.as_bytes(), aad: name.as_bytes() });
        Sealed::of(&[nonce.as_slice(), &sealed.unwrap_or_default()].concat())
    }

    /// The key that was sealed for `name` with this one; none if it was sealed for another, or with another.
    #[must_use]
    pub fn open(&self, name: &str, sealed: &Sealed) -> Option<Zeroizing<String>> {
        let sealed = sealed.bytes();
        let (nonce, text) = sealed.split_at_checked(NONCE)?;
        let nonce = XNonce::try_from(nonce).ok()?;
        let text = self.cipher().decrypt(&nonce, Payload { msg: text, aad: name.as_bytes() }).ok()?;
        String::from_utf8(text).ok().map(Zeroizing::new)
    }

    /// The key of the installation's account at an authority (PKCS#8). It is always the same, so nobody has to keep it.
    #[must_use]
    pub fn account(&self) -> Zeroizing<Vec<u8>> {
        // One number in four billion is no such key; then the next one is it.
        let made = (0_u8..).find_map(|count| {
            let key = SecretKey::from_slice(&*self.derive("account v1", &[&count.to_string()])).ok()?;
            key.to_pkcs8_der().ok()
        });
        Zeroizing::new(made.map_or_else(Vec::new, |der| der.as_bytes().to_vec()))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.derive("certificates v1", &[])).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_for_a_name_is_read_for_that_name_with_the_same_key_alone() {
        let (key, other) = (Key::new([1; 32]), Key::new([2; 32]));
        let sealed = key.seal("www.example", "a key");
        assert_eq!(key.open("www.example", &sealed).as_deref().map(String::as_str), Some("a key"));
        assert_eq!(key.open("www.other", &sealed), None);
        assert_eq!(other.open("www.example", &sealed), None);
    }

    #[test]
    fn an_installation_has_one_account() {
        assert_eq!(Key::new([1; 32]).account(), Key::new([1; 32]).account());
        assert_ne!(Key::new([1; 32]).account(), Key::new([2; 32]).account());
        assert!(!Key::new([1; 32]).account().is_empty());
    }
}
