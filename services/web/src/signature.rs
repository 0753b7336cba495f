//! Proof that something comes from whoever holds a secret.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// HMAC-SHA-256 over parts as if they were one.
pub(crate) struct Signature(Option<Hmac<Sha256>>);

impl Signature {
    pub(crate) fn with(key: &[u8]) -> Self {
        // HMAC takes keys of any length, so there is always one; an empty MAC would match nothing.
        Self(Hmac::<Sha256>::new_from_slice(key).ok())
    }

    pub(crate) fn update(&mut self, part: &[u8]) {
        self.0.iter_mut().for_each(|mac| mac.update(part));
    }

    pub(crate) fn bytes(self) -> [u8; 32] {
        self.0.map_or([0; 32], |mac| mac.finalize().into_bytes().into())
    }
}
