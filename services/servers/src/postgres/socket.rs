//! Where the server listens: a Unix socket in a folder that only its own user can write to.
//!
//! No other user of this machine can put a socket there while the server restarts, so whoever answers is the server.

use super::Error;
use super::account::Account;
use super::cluster::closed_folder;
use std::path::{Path, PathBuf};

/// The number in the socket's name; nothing listens on a port of that number.
pub(super) const NUMBER: u16 = 5432;
/// The kernel takes no longer address of a socket, in bytes.
const ADDRESS_MAX: usize = 107;

/// Makes the folder of the socket below `data_dir`, closed to everybody but the server's user and root.
pub(super) fn folder(data_dir: &Path, account: Option<&Account>) -> Result<PathBuf, Error> {
    let folder = data_dir.join("socket");
    let address = folder.join(format!(".s.PGSQL.{NUMBER}"));
    if address.as_os_str().len() > ADDRESS_MAX {
        return Err(Error::TooLong { address, max: ADDRESS_MAX });
    }
    closed_folder(&folder)?;
    if let Some(account) = account {
        account.own(&folder)?;
    }
    Ok(folder)
}
