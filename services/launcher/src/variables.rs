//! What a site gives its builds: values that are nobody else's to read.
//!
//! Only a build's attempt has them, from the moment it begins. They go into the sandbox by a file that its own users cannot read
//! or by the engine's API, never by a command line, and are masked in all that the build prints.

use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

/// What launchers have of the installation's key: by it they read what builds are given.
#[derive(Clone)]
pub struct BuildKey(Zeroizing<[u8; 32]>);

/// A text that is no such key.
#[derive(Debug, thiserror::Error)]
#[error("the key of builds has 64 hexadecimal digits: `pagefold permissions build-key` prints it")]
pub struct NotAKey;

impl BuildKey {
    /// Reads the key as it is told in an environment.
    ///
    /// # Errors
    /// [`NotAKey`], which does not repeat it.
    pub fn read(text: &SecretString) -> Result<Self, NotAKey> {
        let mut key = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.expose_secret().trim(), &mut *key).map_err(|_| NotAKey)?;
        Ok(Self(key))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for BuildKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BuildKey")
    }
}

/// Values by their names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, Zeroizing<String>>);

impl Variables {
    /// Each name with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &str)> {
        self.0.iter().map(|(name, value)| (name, value.as_str()))
    }

    /// The names alone.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), Zeroizing::new(value.into()))).collect())
    }
}

/// Never the values.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_a_value_nor_the_key_is_in_what_is_printed_for_debugging() {
        let key = BuildKey::read(&"ab".repeat(32).into()).unwrap();
        let variables: Variables = [("API_KEY", "s3cr3t")].into_iter().collect();
        assert_eq!(format!("{variables:?} {key:?}"), "{\"API_KEY\"} BuildKey");
        for wrong in ["", "ab", &"zz".repeat(32)] {
            assert!(BuildKey::read(&wrong.into()).is_err());
        }
    }
}
