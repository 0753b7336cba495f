//! What a private server proves itself by: a certificate of its own, made at its first start.
//!
//! Its clients trust this certificate and nothing else, so that whoever takes the server's port while it restarts learns no
//! password and cannot pose as the log.

use crate::loopback::address;
use crate::private;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::io;
use std::path::{Path, PathBuf};

/// Where the server's certificate is, below the folder of its secrets.
#[must_use]
pub fn certificate(secrets: &Path) -> PathBuf {
    secrets.join("certificate.pem")
}

/// Where its key is.
pub(super) fn key(secrets: &Path) -> PathBuf {
    secrets.join("key.pem")
}

/// Makes both unless they are there.
pub(super) fn prepare(secrets: &Path) -> io::Result<()> {
    let (certificate, key) = (certificate(secrets), key(secrets));
    if certificate.exists() && key.exists() {
        return Ok(());
    }
    let made = generate_simple_self_signed(vec![address(0).ip().to_string(), "localhost".to_owned()]);
    let CertifiedKey { cert, signing_key } = made.map_err(io::Error::other)?;
    // The certificate comes last: with it, the pair is whole.
    private::write(&key, &signing_key.serialize_pem())?;
    private::write(&certificate, &cert.pem())
}
