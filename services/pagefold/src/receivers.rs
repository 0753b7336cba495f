//! Where receivers of notices may be.

use clap::Args;
use dialer::{Dialer, Own};
use events::address::Allowed;

/// Where receivers of notices may be.
#[derive(Debug, Clone, Args)]
pub(crate) struct Receivers {
    /// Whether receivers of notices may be on loopback and private networks
    #[arg(long, env = "PAGEFOLD_PRIVATE_RECEIVERS", value_name = "BOOL", default_value_t = false, action = clap::ArgAction::Set)]
    private_receivers: bool,
}

impl Receivers {
    pub(crate) const fn allowed(&self) -> Allowed {
        Allowed { private: self.private_receivers, folders: Vec::new() }
    }

    /// What may be connected to, but for the platform's own servers.
    pub(crate) const fn dialer(&self, own: Vec<Own>) -> Dialer {
        Dialer { allowed: self.allowed(), own }
    }
}
