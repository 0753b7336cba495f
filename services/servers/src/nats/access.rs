//! How users reach a server, told by the folder of its secrets: before it runs, too, and by whoever did not start it.

use super::users::USERS;
use super::{Error, certificate};
use crate::{loopback, private};
use runtime::connection;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::Path;
use uuid::Uuid;

/// How `user` connects to a server at `url` whose secrets are kept in `secrets`.
///
/// # Errors
/// [`Error`] if the user is unknown or the secrets cannot be read.
pub fn access(secrets: &Path, user: &str, url: String) -> Result<connection::Config, Error> {
    let password = password(secrets, user)?;
    Ok(connection::Config { url, user: user.to_owned(), password, certificate: Some(certificate(secrets)) })
}

/// The URL of a private server on `port`.
#[must_use]
pub fn url(port: u16) -> String {
    format!("tls://{}", loopback::address(port))
}

fn password(secrets: &Path, user: &str) -> Result<SecretString, Error> {
    let known = passwords(secrets).map_err(Error::because)?;
    let secret = known.get(user).ok_or_else(|| Error::because(format!("there is no user `{user}`")))?;
    Ok(SecretString::from(secret.expose_secret()))
}

/// The users' passwords, made on first use and kept in a file only its owner reads.
pub(super) fn passwords(secrets: &Path) -> io::Result<BTreeMap<String, SecretString>> {
    let path = secrets.join("passwords.json");
    let mut known: BTreeMap<String, String> = match std::fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text)?,
        Err(error) if error.kind() == ErrorKind::NotFound => BTreeMap::new(),
        Err(error) => return Err(error),
    };
    if USERS.iter().any(|user| !known.contains_key(user.name)) {
        for user in USERS {
            known.entry(user.name.to_owned()).or_insert_with(|| Uuid::new_v4().simple().to_string());
        }
        private::write(&path, &serde_json::to_string_pretty(&known)?)?;
    }
    Ok(known.into_iter().map(|(user, secret)| (user, SecretString::from(secret))).collect())
}
