//! The authority that issues the certificates of domains.

use anyhow::{Context as _, Result};
use clap::Args;
use std::path::PathBuf;

/// An authority that speaks ACME (RFC 8555).
#[derive(Debug, Clone, Args)]
pub(crate) struct Acme {
    /// Directory of the authority that issues the certificates of domains, such as https://acme-v02.api.letsencrypt.org/directory: whoever names it agrees to its terms. Without it there are none
    #[arg(long, env = "PAGEFOLD_ACME_DIRECTORY", value_name = "URL", value_parser = directory)]
    acme_directory: Option<String>,
    /// Certificate (PEM) by which the authority proves itself; those that the machine trusts if absent
    #[arg(long, env = "PAGEFOLD_ACME_CA", value_name = "FILE")]
    acme_ca: Option<PathBuf>,
}

impl Acme {
    /// `key` is the key of edges: what an authority gives is sealed with it.
    pub(crate) fn config(&self, key: Option<doors::Key>) -> Result<Option<registrar::Acme>> {
        let Some(directory) = &self.acme_directory else { return Ok(None) };
        let key = key.context("certificates are sealed with the key of edges: --edge-key is missing")?;
        Ok(Some(registrar::Acme { directory: directory.clone(), ca: self.acme_ca.clone(), key }))
    }
}

fn directory(text: &str) -> Result<String, String> {
    let is_https = text.parse::<http::Uri>().is_ok_and(|uri| uri.scheme_str() == Some("https") && uri.host().is_some());
    if is_https { Ok(text.to_owned()) } else { Err("a directory is an address that begins with https://".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_asked_over_tls_alone() {
        assert!(directory("https://acme.example/directory").is_ok());
        for text in ["http://acme.example/directory", "acme.example", "https://", ""] {
            assert!(directory(text).is_err(), "{text}");
        }
    }
}
