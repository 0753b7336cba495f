//! Who knows the records of domains.

use clap::Args;
use std::net::{IpAddr, SocketAddr};

/// The port of a resolver that is named without one.
const PORT: u16 = 53;

/// A resolver.
#[derive(Debug, Clone, Args)]
pub(crate) struct Resolver {
    /// Address of the resolver that is asked for the records of domains; those of the machine if absent
    #[arg(long, env = "PAGEFOLD_RESOLVER", value_name = "ADDRESS", value_parser = address)]
    pub(crate) resolver: Option<SocketAddr>,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let alone = || text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, PORT));
    text.parse().or_else(|_| alone()).map_err(|_| "an address is IP:PORT, or IP for port 53".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolver_is_named_with_its_port_or_without() {
        assert_eq!(address("127.0.0.1:5353"), Ok(SocketAddr::from(([127, 0, 0, 1], 5353))));
        assert_eq!(address("192.0.2.1"), Ok(SocketAddr::from(([192, 0, 2, 1], 53))));
        assert_eq!(address("[::1]:53").unwrap().port(), 53);
        assert!(address("resolver.example").is_err());
    }
}
