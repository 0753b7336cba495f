//! Why a source was not fetched, in words for whoever reads the build.

use super::address::Address;
use super::complaint::Complaint;
use crate::disk;
use dialer::Unreached;
use std::io;

/// Why there is no checkout. No message holds a user name or password.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{address}` is not an address that is fetched from: {why}")]
    AddressRefused { address: String, why: &'static str },
    #[error("`{0}` is not a commit: 40 or 64 hexadecimal digits are needed")]
    CommitMalformed(String),
    #[error("`{0}` is not a branch name")]
    BranchMalformed(String),
    #[error("there is no branch `{branch}` in `{address}`")]
    BranchNotFound { branch: String, address: String },
    #[error("commit `{commit}` is not in `{address}`")]
    CommitNotFound { commit: String, address: String },
    #[error("there is no repository at `{address}` that can be read from here")]
    RepositoryNotFound { address: String },
    #[error("`{address}` refuses us: it is private, or asks for a password or a key that we do not have")]
    AccessRefused { address: String },
    #[error("`{address}` refuses the site's deploy key")]
    KeyRefused { address: String },
    #[error("`{address}` refuses the site's token")]
    TokenRefused { address: String },
    #[error("the host of `{address}` shows another key than it did before, so it may be somebody else")]
    HostKeyChanged { address: String },
    #[error("`{address}` is not connected to: {why}")]
    Forbidden { address: String, why: Unreached },
    #[error("`{address}` cannot be reached: {why}")]
    Unreachable { address: String, why: Unreached },
    #[error("failed to fetch from `{address}`")]
    RepositoryUnavailable { address: String, source: Complaint },
    #[error(
        "`{address}` takes more than the {limit} bytes of disk that the mirror of a repository may take (`--mirror-bytes`)"
    )]
    RepositoryTooLarge { address: String, limit: u64 },
    #[error("the checkout takes more than the {limit} bytes of disk that a build may use (`--build-disk-bytes`)")]
    CommitTooLarge { limit: u64 },
    #[error("the checkout has more than the {limit} files that a build may have (`--build-disk-files`)")]
    CommitTooManyFiles { limit: u64 },
    #[error("git needs more than the {limit} bytes of memory that a build may use (`--build-memory-bytes`)")]
    TooMuchMemory { limit: u64 },
    #[error("the machine's disk has less than {reserve} bytes left (`--build-disk-reserve-bytes`)")]
    DiskShort { reserve: u64 },
    #[error("the machine's disk is full")]
    DiskFull { source: Complaint },
    #[error("the commit cannot be checked out on any machine of ours")]
    CommitUnfit { source: Complaint },
    #[error("failed to {action}")]
    Git { action: &'static str, source: Complaint },
    #[error("failed to {action}")]
    Io { action: &'static str, source: io::Error },
}

impl Error {
    /// Whether another try may succeed with the same source.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::RepositoryUnavailable { .. }) || self.is_ours()
    }

    /// What usually helps.
    pub fn hint(&self) -> Option<&'static str> {
        if matches!(self, Self::AccessRefused { .. } | Self::RepositoryNotFound { .. }) {
            Some(
                "If the repository is private, make a deploy key (for an address of SSH) or set an access token (for HTTPS) on the page of the site's settings.",
            )
        } else if matches!(self, Self::KeyRefused { .. }) {
            Some(
                "Add the site's public key to the repository as a deploy key that may read. It is on the page of the site's settings.",
            )
        } else if matches!(self, Self::TokenRefused { .. }) {
            Some(
                "The token may have ended, or may not read this repository. Set another on the page of the site's settings.",
            )
        } else if matches!(self, Self::HostKeyChanged { .. }) {
            Some(
                "If the host has changed its key, whoever operates this installation removes its line from `known_hosts` in the launcher's folder of mirrors.",
            )
        } else {
            None
        }
    }

    /// Whether this machine is at fault, and not the source or the way to it.
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Git { .. } | Self::Io { .. }) || self.is_about_disk()
    }

    /// Whether the same works when the disk of this machine has room again.
    pub fn is_about_disk(&self) -> bool {
        matches!(self, Self::DiskShort { .. } | Self::DiskFull { .. })
            || matches!(self, Self::Io { source, .. } if disk::is_full(source))
    }

    /// Whether git was stopped because there is no room for the source.
    pub(super) fn is_about_room(&self) -> bool {
        matches!(
            self,
            Self::RepositoryTooLarge { .. }
                | Self::CommitTooLarge { .. }
                | Self::CommitTooManyFiles { .. }
                | Self::TooMuchMemory { .. }
                | Self::DiskShort { .. }
                | Self::DiskFull { .. }
        )
    }

    pub(super) fn unreached(address: &Address, why: Unreached) -> Self {
        let address = address.to_string();
        if why.is_forbidden() { Self::Forbidden { address, why } } else { Self::Unreachable { address, why } }
    }
}
