//! What `pagefold login` remembers: a platform's address and a token, in a file that only its owner reads.

use anyhow::{Context, Result};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

#[derive(Serialize, Deserialize)]
struct File {
    url: String,
    token: String,
}

/// `$XDG_CONFIG_HOME/pagefold/login.json`, or below `~/.config` (XDG Base Directory Specification).
fn path() -> Result<PathBuf> {
    let base = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|base| base.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config"));
    Ok(base
        .or_else(home)
        .context("neither XDG_CONFIG_HOME nor HOME says where to keep it")?
        .join("pagefold/login.json"))
}

pub(crate) fn keep(url: &str, token: &SecretString) -> Result<()> {
    let path = path()?;
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let file = File { url: url.to_owned(), token: token.expose_secret().to_owned() };
    let new = path.with_extension("new");
    let mut out = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    out.write_all(&serde_json::to_vec_pretty(&file)?)?;
    out.sync_all()?;
    std::fs::rename(&new, &path).with_context(|| format!("cannot write `{}`", path.display()))
}

/// The platform and the token, if there was a login.
pub(crate) fn read() -> Option<(String, SecretString)> {
    let File { url, token } = serde_json::from_slice(&std::fs::read(path().ok()?).ok()?).ok()?;
    Some((url, token.into()))
}

pub(crate) fn forget() -> Result<()> {
    match std::fs::remove_file(path()?) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}
