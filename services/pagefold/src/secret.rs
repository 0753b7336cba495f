//! Secrets of an operator's configuration: from the environment or a file, and never from the command line.

use anyhow::{Context, Result, bail};
use secrecy::SecretString;
use std::path::Path;

/// What is in the file, or else in the variable.
pub(crate) fn read(variable: &str, file: Option<&Path>) -> Result<SecretString> {
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        return Ok(text.trim().into());
    }
    match std::env::var(variable) {
        Ok(text) => Ok(text.trim().into()),
        Err(_) => bail!("the secret is missing: set {variable}, or {variable}_FILE to a file that has it"),
    }
}
