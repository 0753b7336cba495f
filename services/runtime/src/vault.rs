//! What the log may not have in clear: what people are called, and the secrets of sites and organizations. Each owner has a key
//! of their own, beside the log, and the log has what is sealed with it. Whoever destroys the key has erased every copy of the
//! text there is, in replays, backups of the log, and read models.
//!
//! The keys themselves are wrapped with the installation's, so that the server that holds them cannot use them. XChaCha20-
//! Poly1305 (draft-irtf-cfrg-xchacha-03) for both, each text with a random nonce of its own.

use crate::connection::Connection;
use crate::error::Error;
use crate::owner::Owner;
use crate::records::Records;
use chacha20poly1305::aead::{Aead, Generate, Key, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use events::Sealed;
use zeroize::Zeroizing;

const NONCE: usize = 24;

/// The keys of all owners.
pub struct Vault {
    records: Records,
    wrapping: XChaCha20Poly1305,
}

/// The key of one owner.
pub struct OwnerKey {
    owner: Owner,
    cipher: XChaCha20Poly1305,
}

impl Vault {
    /// The keys that are wrapped with `wrapping`, which must always be the same. Nothing is asked yet.
    #[must_use]
    pub fn new(connection: &Connection, wrapping: &[u8; 32]) -> Self {
        Self { records: Records::keys(connection), wrapping: XChaCha20Poly1305::new(wrapping.into()) }
    }

    /// The key of an owner who is new: the one they have already, if they are not.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the log does not answer, [`Error::WrongKey`] if another key wrapped theirs.
    pub async fn introduce(&self, owner: Owner) -> Result<OwnerKey, Error> {
        let key = Zeroizing::new(Vec::from(Key::<XChaCha20Poly1305>::generate().as_slice()));
        let wrapped = seal(&self.wrapping, &key, owner);
        if self.records.create(&owner.to_string(), wrapped).await? {
            return self.unwrapped(&key, owner);
        }
        self.key(owner).await?.ok_or_else(|| Error::unavailable("keep a key")("it was destroyed meanwhile"))
    }

    /// The key of an owner; none if it was destroyed, or never was.
    ///
    /// # Errors
    /// As for [`Vault::introduce`].
    pub async fn key(&self, owner: Owner) -> Result<Option<OwnerKey>, Error> {
        let Some(record) = self.records.read(&owner.to_string()).await? else { return Ok(None) };
        let key = open(&self.wrapping, &record.value, owner).ok_or(Error::WrongKey { owner })?;
        self.unwrapped(&key, owner).map(Some)
    }

    fn unwrapped(&self, key: &[u8], owner: Owner) -> Result<OwnerKey, Error> {
        let cipher = XChaCha20Poly1305::new_from_slice(key).map_err(|_| Error::WrongKey { owner })?;
        Ok(OwnerKey { owner, cipher })
    }

    /// Destroys the key of an owner, for good.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the log does not confirm it: ask again.
    pub async fn destroy(&self, owner: Owner) -> Result<(), Error> {
        self.records.end(&owner.to_string()).await
    }
}

impl OwnerKey {
    /// The text as it may be recorded for ever.
    #[must_use]
    pub fn seal(&self, text: &str) -> Sealed {
        Sealed::of(&seal(&self.cipher, text.as_bytes(), self.owner))
    }

    /// The text that was sealed with this key; none if it was sealed with another.
    #[must_use]
    pub fn open(&self, sealed: &Sealed) -> Option<String> {
        let text = open(&self.cipher, &sealed.bytes(), self.owner)?;
        String::from_utf8(text.to_vec()).ok()
    }
}

/// Nonce and ciphertext. What was sealed for one owner cannot be passed off as another's.
fn seal(cipher: &XChaCha20Poly1305, text: &[u8], owner: Owner) -> Vec<u8> {
    let nonce = XNonce::generate();
    // It fails for texts of 256 GB alone.
    let sealed = cipher.encrypt(&nonce, Payload { msg: text, aad: owner.id().as_bytes() }).unwrap_or_default();
    [nonce.as_slice(), &sealed].concat()
}

fn open(cipher: &XChaCha20Poly1305, sealed: &[u8], owner: Owner) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, text) = sealed.split_at_checked(NONCE)?;
    let nonce = XNonce::try_from(nonce).ok()?;
    cipher.decrypt(&nonce, Payload { msg: text, aad: owner.id().as_bytes() }).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::UserId;
    use uuid::Uuid;

    fn key(person: u128, byte: u8) -> OwnerKey {
        OwnerKey {
            owner: Owner::Person(UserId(Uuid::from_u128(person))),
            cipher: XChaCha20Poly1305::new(&[byte; 32].into()),
        }
    }

    #[test]
    fn what_is_sealed_is_read_with_the_same_key_for_the_same_owner_alone() {
        let (ada, other_key, ben) = (key(1, 7), key(1, 8), key(2, 7));
        let sealed = ada.seal("Ada Lovelace");
        assert_eq!(ada.open(&sealed).as_deref(), Some("Ada Lovelace"));
        assert_eq!((other_key.open(&sealed), ben.open(&sealed)), (None, None));
        assert_ne!(ada.seal("Ada Lovelace"), sealed, "the same text looks different each time");
    }

    #[test]
    fn an_empty_text_is_as_long_as_a_sealed_text_must_be() {
        let sealed = key(1, 7).seal("");
        assert_eq!(sealed.to_string().parse::<Sealed>().unwrap(), sealed);
    }
}
