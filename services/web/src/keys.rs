//! Secrets that are made, not kept: each follows from the installation's key and what it is for, and from nothing that is
//! written down elsewhere.

use crate::signature::Signature;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

/// The installation's key.
#[derive(Debug, Clone)]
pub(crate) struct Key(SecretString);

impl Key {
    pub(crate) const fn new(secret: SecretString) -> Self {
        Self(secret)
    }

    /// What `purpose` needs, which is different for every purpose and every part of it.
    pub(crate) fn derive(&self, purpose: &str, part: &[u8]) -> [u8; 32] {
        let mut signature = Signature::with(self.0.expose_secret().as_bytes());
        for piece in [b"pagefold ", purpose.as_bytes(), b"\n", part] {
            signature.update(piece);
        }
        signature.bytes()
    }

    /// What the keys in the vault are wrapped with.
    pub(crate) fn vault(&self) -> [u8; 32] {
        self.derive("vault v1", b"")
    }

    /// What wraps the keys of what builds are given. Launchers have it, and nothing else of the installation's key.
    pub(crate) fn of_builds(&self) -> [u8; 32] {
        self.derive("vault of builds v1", b"")
    }

    /// What opens closed sites. Edges have it, and nothing else of the installation's key.
    pub(crate) fn of_doors(&self) -> [u8; 32] {
        self.derive("doors v1", b"")
    }

    /// The secret that webhooks of a site are signed with, made of this salt.
    pub(crate) fn webhook_secret(&self, salt: Uuid) -> String {
        hex::encode(self.derive("webhook secret v1", salt.as_bytes()))
    }
}

/// What an installation's key makes the vault's keys be wrapped with: for who else has to read what is sealed.
#[must_use]
pub fn vault_key(installation: &SecretString) -> [u8; 32] {
    Key::new(installation.clone()).vault()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_purpose_part_and_installation_has_its_own() {
        let key = |secret: &str| Key::new(secret.into());
        let one = key("a").derive("x", b"1");
        assert_eq!(key("a").derive("x", b"1"), one);
        for other in [key("b").derive("x", b"1"), key("a").derive("y", b"1"), key("a").derive("x", b"2")] {
            assert_ne!(other, one);
        }
    }
}
