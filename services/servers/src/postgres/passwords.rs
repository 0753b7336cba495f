//! The roles' passwords: made on first use, each kept in a file that only its owner reads.

use super::cluster::closed_folder;
use super::{Error, Role};
use crate::private;
use secrecy::SecretString;
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::Path;

/// Bytes of randomness in a password.
const PASSWORD_BYTES: usize = 24;

/// A password for each role.
#[derive(Debug, Clone)]
pub(super) struct Passwords {
    owner: SecretString,
    reader: SecretString,
    administrator: SecretString,
}

impl Passwords {
    /// Reads the passwords in `directory`; makes those that are missing.
    pub(super) fn in_directory(directory: &Path) -> Result<Self, Error> {
        closed_folder(directory)?;
        let of = |role: Role| password(&directory.join(role.name()));
        Ok(Self { owner: of(Role::Owner)?, reader: of(Role::Reader)?, administrator: of(Role::Administrator)? })
    }

    pub(super) const fn of(&self, role: Role) -> &SecretString {
        match role {
            Role::Owner => &self.owner,
            Role::Reader => &self.reader,
            Role::Administrator => &self.administrator,
        }
    }
}

fn password(path: &Path) -> Result<SecretString, Error> {
    match fs::read_to_string(path) {
        Ok(text) if text.len() == 2 * PASSWORD_BYTES => return Ok(text.into()),
        // Cut short by a crash of the machine: nothing can depend on it yet that the next start does not set anew.
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(Error::file("read", path)(error)),
    }
    let mut bytes = [0; PASSWORD_BYTES];
    let source = "/dev/urandom";
    File::open(source).and_then(|mut file| file.read_exact(&mut bytes)).map_err(Error::file("read", source))?;
    let text = hex::encode(bytes);
    private::write(path, &text).map_err(Error::file("write", path))?;
    Ok(text.into())
}
