//! Why the store did not do what was asked, and whether asking again can help.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::SdkError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

type Source = Box<dyn std::error::Error + Send + Sync>;

const REQUEST_TIMEOUT: u16 = 408;
const TOO_MANY_REQUESTS: u16 = 429;
const SERVER_ERROR: u16 = 500;

/// Why an operation on the store failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store, or the way to it, failed or refused.
    #[error("failed to {operation} {resource}")]
    Request {
        /// What was asked, as a verb.
        operation: &'static str,
        /// Of what.
        resource: Resource,
        /// The HTTP status, if the store answered.
        status: Option<u16>,
        /// Whether the same request may succeed later.
        transient: bool,
        /// What the client says.
        #[source]
        source: Source,
    },
    /// An object that must be there is not.
    #[error("{resource} is missing")]
    Missing {
        /// Which.
        resource: Resource,
    },
    /// An object does not hold what it was written with.
    #[error("{resource} is corrupt: {reason}")]
    Corrupt {
        /// Which.
        resource: Resource,
        /// What is wrong with it.
        reason: String,
    },
    /// A deploy's manifest is there already, with other content. Deploys never change.
    #[error("{resource} already holds other content")]
    Conflict {
        /// Which.
        resource: Resource,
    },
    /// Another process is writing a plain tree; its mark says so.
    #[error("another writer is at {resource}")]
    Busy {
        /// The tree's mark.
        resource: Resource,
    },
    /// A local file could not be read or written.
    #[error("failed to use file `{}`", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The store is there and does not know the access key, or not by this secret.
    #[error("the object store at `{endpoint}` refuses the access key `{access_key}` or its secret")]
    Denied {
        /// The configured endpoint.
        endpoint: String,
        /// The id of the key.
        access_key: String,
    },
    /// The store does not answer, or only that it cannot.
    #[error("the object store at `{endpoint}` does not answer")]
    Silent {
        /// The configured endpoint.
        endpoint: String,
        /// What the client says.
        #[source]
        source: Source,
    },
    /// The store would let two writers both believe that they were first.
    #[error("the object store at `{endpoint}` does not honour `If-None-Match: *` and `If-Match` on writes")]
    Unconditional {
        /// The configured endpoint.
        endpoint: String,
    },
}

/// A bucket, or an object in it. Shown as `key` in bucket `name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key; absent when the bucket itself is meant.
    pub key: Option<String>,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "`{key}` in bucket `{}`", self.bucket),
            None => write!(f, "bucket `{}`", self.bucket),
        }
    }
}

impl Error {
    /// Whether the same request may succeed later: time-outs, lost connections and errors of the server's own. What is
    /// missing, denied or corrupt stays so until a person acts.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Request { transient, .. } => *transient,
            Self::Silent { .. } | Self::Busy { .. } => true,
            Self::Missing { .. }
            | Self::Corrupt { .. }
            | Self::Conflict { .. }
            | Self::Denied { .. }
            | Self::Unconditional { .. } => false,
            Self::File { source, .. } => {
                !matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied)
            }
        }
    }

    /// The HTTP status the store refused with, if it answered.
    /// Whether there was nothing where something was asked for.
    pub(crate) fn is_about_nothing(&self) -> bool {
        self.status() == Some(404)
    }

    pub(crate) fn status(&self) -> Option<u16> {
        if let Self::Request { status, .. } = self { *status } else { None }
    }

    pub(crate) fn request<E>(operation: &'static str, resource: Resource, error: SdkError<E, HttpResponse>) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let lost =
            matches!(error, SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_));
        let busy = |status| status >= SERVER_ERROR || matches!(status, REQUEST_TIMEOUT | TOO_MANY_REQUESTS);
        let transient = lost || status.is_some_and(busy);
        Self::Request { operation, resource, status, transient, source: Box::new(error) }
    }

    /// A body that stopped arriving.
    pub(crate) fn body(resource: Resource, source: impl Into<Source>) -> Self {
        Self::Request { operation: "read", resource, status: None, transient: true, source: source.into() }
    }

    pub(crate) fn corrupt(resource: Resource, reason: impl fmt::Display) -> Self {
        Self::Corrupt { resource, reason: reason.to_string() }
    }

    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}
