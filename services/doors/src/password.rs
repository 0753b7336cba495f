//! Passwords, of which nothing but a slow hash is kept (RFC 9106: Argon2id, with the parameters that OWASP advises). Both ways take
//! tens of milliseconds of a processor and 19 MiB, so not where others wait.

use crate::key::Key;
use argon2::password_hash::{PasswordHash as Phc, PasswordHasher as _, PasswordVerifier as _, Salt, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use events::PasswordHash;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

/// What is kept of a password: another text each time.
#[must_use]
pub fn hash(key: &Key, password: &SecretString) -> Option<PasswordHash> {
    let pepper = key.pepper();
    let salt = [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat();
    let salt = SaltString::encode_b64(salt.get(..Salt::RECOMMENDED_LENGTH)?).ok()?;
    let hash = hasher(&pepper)?.hash_password(password.expose_secret().as_bytes(), &salt).ok()?;
    hash.to_string().parse().ok()
}

/// Whether a password is the one that this is kept of; takes the same time wherever a guess goes wrong.
#[must_use]
pub fn proves(key: &Key, password: &SecretString, hash: &PasswordHash) -> bool {
    let pepper = key.pepper();
    let (Some(hasher), Ok(known)) = (hasher(&pepper), Phc::new(hash.as_str())) else { return false };
    hasher.verify_password(password.expose_secret().as_bytes(), &known).is_ok()
}

fn hasher(pepper: &[u8]) -> Option<Argon2<'_>> {
    Argon2::new_with_secret(pepper, Algorithm::Argon2id, Version::V0x13, Params::default()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_and_the_key_together_prove_it() {
        let (key, password) = (Key::new([1; 32]), SecretString::from("correct horse"));
        let (one, other) = (hash(&key, &password).unwrap(), hash(&key, &password).unwrap());
        assert_ne!(one, other, "salted");
        assert!(proves(&key, &password, &one) && proves(&key, &password, &other));
        assert!(!proves(&key, &"correct house".into(), &one));
        assert!(!proves(&Key::new([2; 32]), &password, &one));
        assert!(!one.as_str().contains("horse"));
    }
}
