//! What an operator's own servers of a log are told, and what each service is: made by us, so that nobody copies by hand what
//! the services may do.

use super::access::passwords;
use super::users::USERS;
use super::{Error, configuration};
use crate::private;
use secrecy::ExposeSecret as _;
use std::path::Path;

/// The file that the configuration of each server of a log includes.
pub const INCLUDED: &str = "pagefold.conf";
const HEADING: &str =
    "# Written by `pagefold permissions nats`, and written anew by it: what is changed here is lost.\n";

/// Writes the file [`INCLUDED`] below `folder`, and `<user>.env` with the password of each of [`USERS`], as a
/// service reads it from its environment. Passwords that are there stay.
///
/// # Errors
/// [`Error`] if that cannot be written.
pub fn hand_out(folder: &Path) -> Result<(), Error> {
    write(folder).map_err(Error::cannot("write below", folder))
}

fn write(folder: &Path) -> std::io::Result<()> {
    private::folder(folder)?;
    let passwords = passwords(folder)?;
    for user in USERS {
        if let Some(password) = passwords.get(user.name) {
            let line = format!("PAGEFOLD_NATS_PASSWORD={}\n", password.expose_secret());
            private::write(&folder.join(format!("{}.env", user.name)), &line)?;
        }
    }
    private::write(&folder.join(INCLUDED), &format!("{HEADING}{}", configuration::shared(&passwords)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn what_is_handed_out_is_closed_and_stays_when_it_is_written_again() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("log");
        let all = || {
            hand_out(&folder).unwrap();
            let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
            let mut files: Vec<_> = files.map(|file| (std::fs::read_to_string(&file).unwrap(), file)).collect();
            files.sort();
            files
        };
        let (first, again) = (all(), all());
        assert_eq!(first, again);
        assert_eq!(first.len(), USERS.len() + 2);
        for path in first.iter().map(|(_, path)| path).chain([&folder]) {
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
        }
    }

    #[test]
    fn a_service_is_told_its_own_password_alone() {
        let folder = tempfile::tempdir().unwrap();
        hand_out(folder.path()).unwrap();
        let passwords = passwords(folder.path()).unwrap();
        for user in USERS {
            let told = std::fs::read_to_string(folder.path().join(format!("{}.env", user.name))).unwrap();
            for (name, password) in &passwords {
                assert_eq!(told.contains(password.expose_secret()), name == user.name, "{} {name}", user.name);
            }
        }
    }
}
