//! Where the edges answer, for the records of names that can have no CNAME.

use clap::Args;
use std::net::{IpAddr, SocketAddr};

/// Public addresses of the edges.
#[derive(Debug, Clone, Args)]
pub(crate) struct Edges {
    /// Public addresses of the edges, which a domain without a CNAME has to have; those of the sites’ own hosts if absent
    #[arg(long, env = "PAGEFOLD_EDGE_ADDRESSES", value_name = "ADDRESS", value_delimiter = ',')]
    pub(crate) edge_addresses: Vec<IpAddr>,
}

impl Edges {
    /// The same for one edge that listens at `address`, whose address is its own unless it listens at all of its machine.
    pub(crate) fn or_at(&self, address: SocketAddr) -> Vec<IpAddr> {
        if self.edge_addresses.is_empty() && !address.ip().is_unspecified() {
            return vec![address.ip()];
        }
        self.edge_addresses.clone()
    }
}
