//! Why builds cannot be run.

use crate::disk;
use runtime::error::chain;
use std::io;

/// Why a container could not be run. A build that fails by itself is an [`Exit`], never an error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "no build sandbox works here: start Docker and run `just build-image`, or install `bubblewrap` and allow unprivileged user namespaces (docker: {}; bubblewrap: {})",
        chain(docker),
        chain(bubblewrap)
    )]
    NoSandbox { docker: Box<Error>, bubblewrap: Box<Error> },
    #[error("`{0}` is not a build sandbox: choose `auto`, `docker` or `bubblewrap`")]
    UnknownKind(String),
    #[error("no Docker engine answers at `{host}`")]
    Silent { host: String },
    #[error("failed to {action} by the Docker API")]
    Docker { action: &'static str, source: bollard::errors::Error },
    #[error("the build image `{image}` is missing: run `just build-image`")]
    ImageMissing { image: String },
    #[error("bubblewrap does not work here: {complaint}")]
    Bubblewrap { complaint: String },
    #[error("failed to {action}")]
    Io { action: &'static str, source: io::Error },
    #[error("the sandbox ended without running the build")]
    NotRun,
    #[error("processes of the build were still alive long after they were killed")]
    Survivors,
}

impl Error {
    /// Whether there was no room on the disk, ours or the engine's.
    pub fn is_about_disk(&self) -> bool {
        match self {
            Self::Io { source, .. } => disk::is_full(source),
            Self::Docker { source, .. } => chain(source).contains("no space left on device"),
            Self::NoSandbox { .. }
            | Self::UnknownKind(_)
            | Self::Silent { .. }
            | Self::ImageMissing { .. }
            | Self::Bubblewrap { .. }
            | Self::NotRun
            | Self::Survivors => false,
        }
    }

    /// Whether the engine could not be reached, so that the same may work when it is back.
    pub fn is_away(&self) -> bool {
        match self {
            Self::NoSandbox { .. } | Self::Silent { .. } | Self::ImageMissing { .. } => true,
            Self::Docker { source, .. } => is_broken_off(source),
            Self::UnknownKind(_) | Self::Bubblewrap { .. } | Self::Io { .. } | Self::NotRun | Self::Survivors => false,
        }
    }
}

/// Whether there was no answer, or only the beginning of one.
fn is_broken_off(error: &bollard::errors::Error) -> bool {
    use bollard::errors::Error as Api;
    matches!(
        error,
        Api::RequestTimeoutError
            | Api::IOError { .. }
            | Api::HyperResponseError { .. }
            | Api::HyperLegacyError { .. }
            | Api::SocketNotFoundError(_)
    )
}
