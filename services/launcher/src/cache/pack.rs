//! Folders become archives, and archives folders. Programs do it that are made for whole trees: what a build leaves may be deeper
//! than a recursion of ours could follow.

use crate::{group, rlimits};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Output, Stdio};
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

/// What the kernel ends a program with that has written more than it may (`SIGXFSZ`).
const TOO_LONG: i32 = 25;
/// It stands back behind everything else.
const NICE: [&str; 3] = ["nice", "-n", "10"];

/// Why a cache is not kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("it has more than the {0} bytes that a site may keep (`--cache-site-bytes`)")]
    TooLarge(u64),
    #[error("it could not be packed")]
    Io(#[from] io::Error),
}

/// What tells a folder from the same with other files in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Print([u8; 32]);

/// Writes the folder into the archive, which may become `most` bytes long.
pub(super) async fn pack(folder: &Path, archive: &File, most: u64) -> Result<(), Refused> {
    let mut command = Command::new("prlimit");
    command.args(rlimits::soft(&[("fsize", most), ("core", 0)])).arg("--").args(NICE);
    command.args(["tar", "--create", "--sparse", "--file=-", "--directory"]).arg(folder).arg(".");
    command.stdin(Stdio::null()).stdout(archive.try_clone()?).stderr(Stdio::piped());
    let ended = group::output(&mut command).await?;
    if ended.status.success() {
        return Ok(());
    }
    // A shell between us and the program would say so by a code.
    let is_too_long = ended.status.signal() == Some(TOO_LONG) || ended.status.code() == Some(128 + TOO_LONG);
    Err(if is_too_long { Refused::TooLarge(most) } else { failed(&ended).into() })
}

/// Reads the archive into the folder. Owners and what a file may do beside being read and run are not taken from it.
pub(super) async fn unpack(archive: File, folder: &Path) -> io::Result<()> {
    let mut command = Command::new("tar");
    command.args(["--extract", "--file=-", "--no-same-owner", "--no-same-permissions", "--directory"]).arg(folder);
    command.stdin(archive).stdout(Stdio::null()).stderr(Stdio::piped());
    let ended = group::output(&mut command).await?;
    if ended.status.success() { Ok(()) } else { Err(failed(&ended)) }
}

/// The print of a folder; none if there is nothing in it, or it cannot be looked at.
pub(crate) async fn print_of(folder: &Path) -> Option<Print> {
    let mut command = Command::new("find");
    command.arg(folder).args(["!", "-type", "d", "-printf", r"%P %s %T@ %l\0"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut finding = command.spawn().ok()?;
    let mut listed = finding.stdout.take()?;
    let (mut digest, mut piece, mut is_empty) = (Sha256::new(), vec![0; 64 << 10], true);
    loop {
        let read = listed.read(&mut piece).await.ok()?;
        if read == 0 {
            break;
        }
        is_empty = false;
        digest.update(&piece[..read]);
    }
    let ended = finding.wait().await.ok()?;
    (ended.success() && !is_empty).then(|| Print(digest.finalize().into()))
}

fn failed(ended: &Output) -> io::Error {
    let said = String::from_utf8_lossy(&ended.stderr);
    io::Error::other(format!("tar: {}", said.lines().next().unwrap_or("it did not end by itself")))
}
