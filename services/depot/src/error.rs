//! What can fail: [`Error`] for whoever runs the server, [`Fault`] inside, which becomes the S3 error a client sees.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use s3s::{S3Error, S3ErrorCode};

/// Why the server could not start or had to stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two processes must never write one data directory.
    #[error("data directory `{}` is in use by another process", root.display())]
    InUse { root: PathBuf },
    #[error("failed to open index `{}`", path.display())]
    Index {
        path: PathBuf,
        #[source]
        source: Box<redb::Error>,
    },
    #[error("failed to prepare data directory `{}`", path.display())]
    Directory {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("failed to clear unpublished bodies in `{}`", root.display())]
    Sweep {
        root: PathBuf,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("failed to start the index writer")]
    Writer {
        #[source]
        source: io::Error,
    },
    #[error("failed to listen on `{address}`")]
    Listen {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("access key id `{id}` is configured twice")]
    DuplicateKey { id: String },
    #[error("grant `{buckets}` is neither a bucket name nor a prefix ending in `*`")]
    Grant { buckets: String },
    /// After a failed write the index refuses further ones, so the process must open it again.
    #[error("index can no longer be written")]
    Broken,
}

/// Why one request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("request refused with `{}`", .0.as_str())]
    Refused(S3ErrorCode),
    #[error("failed to use the index")]
    Index(#[source] Box<redb::Error>),
    #[error("failed to use a body file")]
    File(#[source] io::Error),
    #[error("failed to read or write a record")]
    Record(#[source] serde_json::Error),
    #[error("store is stopping")]
    Stopping,
}

impl Fault {
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    pub(crate) fn index(error: impl Into<redb::Error>) -> Self {
        Self::Index(Box::new(error.into()))
    }
}

impl From<S3ErrorCode> for Fault {
    fn from(code: S3ErrorCode) -> Self {
        Self::Refused(code)
    }
}

impl From<redb::StorageError> for Fault {
    fn from(error: redb::StorageError) -> Self {
        Self::index(error)
    }
}

impl From<Fault> for S3Error {
    fn from(fault: Fault) -> Self {
        let code = match fault {
            Fault::Refused(code) => return Self::new(code),
            Fault::Stopping => S3ErrorCode::ServiceUnavailable,
            Fault::Index(_) | Fault::File(_) | Fault::Record(_) => {
                tracing::error!(error = &fault as &dyn std::error::Error, "request failed");
                S3ErrorCode::InternalError
            }
        };
        Self::new(code)
    }
}
