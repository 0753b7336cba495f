//! The ordinary user that Postgres runs as when we are root.

use super::Error;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// A user of this machine other than root.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Account {
    name: String,
    uid: u32,
    gid: u32,
}

impl Account {
    /// Who Postgres runs as; none if it is simply us.
    pub(super) fn to_run_as(name: &str) -> Result<Option<Self>, Error> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let path = "/etc/passwd";
        let passwd = std::fs::read_to_string(path).map_err(Error::file("read", path))?;
        let found = passwd.lines().find_map(|line| Self::parse(line).filter(|account| account.name == name));
        found.filter(|account| account.uid != 0).map(Some).ok_or_else(|| Error::NoUser(name.to_owned()))
    }

    /// Reads one line of `passwd(5)`.
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split(':');
        let (name, _password) = (fields.next()?.to_owned(), fields.next()?);
        Some(Self { name, uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
    }

    /// Lets `command` run as this user, with no group but its own.
    pub(super) fn run(&self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    pub(super) fn own(&self, path: &Path) -> Result<(), Error> {
        chown(path, Some(self.uid), Some(self.gid)).map_err(Error::file("give away", path))
    }

    /// Checks that this user may pass through `directory` and everything above it.
    pub(super) fn can_enter(&self, directory: &Path) -> Result<(), Error> {
        for ancestor in directory.ancestors() {
            let metadata = ancestor.metadata().map_err(Error::file("look at", ancestor))?;
            let needed = if metadata.uid() == self.uid {
                0o100
            } else if metadata.gid() == self.gid {
                0o010
            } else {
                0o001
            };
            if metadata.permissions().mode() & needed == 0 {
                return Err(Error::Unreachable { user: self.name.clone(), directory: ancestor.to_owned() });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_passwd_names_a_user_and_its_group() {
        let account = Account::parse("postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash");
        assert_eq!(account, Some(Account { name: "postgres".to_owned(), uid: 101, gid: 104 }));
        assert_eq!(Account::parse("postgres:x"), None);
    }

    #[test]
    fn a_directory_that_is_closed_to_others_is_named() {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        std::fs::set_permissions(outer.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let stranger = Account { name: "stranger".to_owned(), uid: 4_000_000, gid: 4_000_000 };
        let refused = stranger.can_enter(&inner).unwrap_err();
        assert!(matches!(refused, Error::Unreachable { directory, .. } if directory == outer.path()));
    }
}
