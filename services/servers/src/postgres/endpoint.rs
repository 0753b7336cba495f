//! Where a server answers, known before it does.

use super::passwords::Passwords;
use super::programs::Programs;
use super::socket::NUMBER;
use super::{Config, DATABASE, Error, Role, cluster};
use secrecy::{ExposeSecret as _, SecretString};
use std::path::{Path, PathBuf};

/// Where a server answers, or will.
#[derive(Debug, Clone)]
pub struct Endpoint {
    passwords: Passwords,
    socket: PathBuf,
}

impl Endpoint {
    /// Sees to what clients must know before the server runs, and to whether it can run at all.
    ///
    /// # Errors
    /// [`Error`] says what is missing and what to do about it.
    pub fn prepare(config: &Config) -> Result<Self, Error> {
        let programs = Programs::find(&config.user_if_root)?;
        let data_dir = cluster::data_dir(&config.data_dir, programs.account.as_ref())?;
        Self::below(&data_dir, &programs)
    }

    /// That of a server whose data directory is there.
    pub(super) fn below(data_dir: &Path, programs: &Programs) -> Result<Self, Error> {
        let passwords = Passwords::in_directory(&data_dir.join("passwords"))?;
        let socket = super::socket::folder(data_dir, programs.account.as_ref())?;
        Ok(Self { passwords, socket })
    }

    /// Where `role` connects to the read model's database.
    #[must_use]
    pub fn url(&self, role: Role) -> SecretString {
        self.url_of(role, DATABASE)
    }

    /// Where `role` connects to `database`: the host of the URL is the folder of the socket.
    pub(super) fn url_of(&self, role: Role, database: &str) -> SecretString {
        let (name, password) = (role.name(), self.password(role).expose_secret());
        let folder: String = self.socket.as_os_str().as_encoded_bytes().iter().map(|byte| encoded(*byte)).collect();
        format!("postgres://{name}:{password}@{folder}:{NUMBER}/{database}").into()
    }

    pub(super) const fn password(&self, role: Role) -> &SecretString {
        self.passwords.of(role)
    }

    /// The folder of the socket.
    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }
}

fn encoded(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
}
