//! Where the servers behind routes may be.

use clap::Args;
use dialer::{Dialer, Own};
use events::address::Allowed;

/// Where the servers behind routes may be.
#[derive(Debug, Clone, Args)]
pub(crate) struct Backends {
    /// Whether servers behind routes may be on loopback and private networks [default: true for `up`, else false]
    #[arg(long, env = "PAGEFOLD_PRIVATE_BACKENDS", value_name = "BOOL")]
    private_backends: Option<bool>,
}

impl Backends {
    /// What may be named, where nothing was said about it as `private` tells.
    pub(crate) fn allowed(&self, private: bool) -> Allowed {
        Allowed { private: self.private_backends.unwrap_or(private), folders: Vec::new() }
    }

    /// What may be connected to, but for the platform's own servers.
    pub(crate) fn dialer(&self, private: bool, own: Vec<Own>) -> Dialer {
        Dialer { allowed: self.allowed(private), own }
    }
}
