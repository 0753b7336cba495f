//! Why the edge cannot come up or keep what it knows.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Why the edge cannot come up or keep what it knows.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken or not ours.
    #[error("failed to listen on `{address}`")]
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The last table could not be kept.
    #[error("failed to keep the route table")]
    Keep(#[source] runtime::error::BoxError),
    /// A file below the data directory could not be read or written.
    #[error("failed to {operation} `{}`", path.display())]
    File {
        /// What was tried, as a verb.
        operation: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn file(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { operation, path, source }
    }
}
