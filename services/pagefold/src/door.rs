//! What clients of a public listener may hold, as an operator says.

use clap::Args;
use ipnet::IpNet;
use listener::{Limits, Share};

/// The limits of the public listeners.
#[derive(Debug, Clone, Args)]
pub(crate) struct Door {
    /// Connections at the same time [default: by the files this process may open]
    #[arg(long, env = "PAGEFOLD_CONNECTIONS")]
    connections: Option<usize>,
    /// Of these from one address, or one /64 network of IPv6 [default: a quarter]
    #[arg(long, env = "PAGEFOLD_CONNECTIONS_PER_ADDRESS")]
    connections_per_address: Option<usize>,
    /// Networks of proxies in front, such as `10.0.0.0/8`: their `X-Forwarded-For` is believed, and they may have any number of
    /// the connections
    #[arg(long, env = "PAGEFOLD_TRUSTED_PROXIES", value_delimiter = ',')]
    trusted_proxies: Vec<IpNet>,
}

impl Door {
    /// The limits of a service: its share, or what the operator says.
    pub(crate) fn limits(&self, share: Share) -> Limits {
        let usual = self.connections.map_or_else(|| Limits::of(share), |most| Limits::with_connections(most.max(1)));
        Limits {
            per_address: self.connections_per_address.unwrap_or(usual.per_address),
            trusted_proxies: self.trusted_proxies.clone(),
            ..usual
        }
    }
}
