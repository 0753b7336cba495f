//! Addresses that only this machine reaches.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Port `port` of the loopback interface.
pub(crate) const fn address(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// The first of these ports that can be listened on; any if there are none.
pub(crate) fn first_free(ports: &[u16]) -> io::Result<SocketAddr> {
    let mut tried = TcpListener::bind(address(ports.first().copied().unwrap_or_default()));
    for port in ports.iter().skip(1) {
        tried = tried.or_else(|_| TcpListener::bind(address(*port)));
    }
    tried?.local_addr()
}

/// Ports that nothing listens on at this moment.
///
/// # Errors
/// If there are not so many.
pub fn free_ports(count: usize) -> io::Result<Vec<u16>> {
    let taken: Vec<TcpListener> = (0..count).map(|_| TcpListener::bind(address(0))).collect::<Result<_, _>>()?;
    taken.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}
