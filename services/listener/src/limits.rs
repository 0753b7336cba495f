//! What clients may hold, and for how long.

use crate::files;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// How long a client may take for the head of a request, also for the first one.
const HEAD: Duration = Duration::from_secs(10);
/// How long a connection is kept without a request. Longer than the usual minute of a proxy in front, so that it is the
/// proxy that lets go and no request is sent into a closing connection.
const IDLE: Duration = Duration::from_secs(75);
/// How long a body or an answer may stand still.
const STALL: Duration = Duration::from_secs(30);
/// How long a client may keep a body waiting before its pace counts.
const BODY_GRACE: Duration = Duration::from_secs(10);
/// The least pace of a body or an answer, in bytes per second.
const PACE: u64 = 1024;
/// How long open requests may take once the server is told to stop.
const DRAIN: Duration = Duration::from_secs(10);
/// One address has at most this part of the connections, so that no single client takes them all.
const ADDRESS_PART: usize = 4;

/// The services of one process share its open files. What none of them has is for outgoing work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// The API, the webhooks and the dashboard: a fifth, 1,024 at most.
    Web,
    /// The published sites: two fifths, 4,096 at most.
    Edge,
    /// The object store: an eighth, 1,024 at most.
    Depot,
    /// What operators ask: a few.
    Admin,
}

impl Share {
    /// Connections at the same time, of a process that may have `files` open.
    #[must_use]
    pub fn connections(self, files: u64) -> usize {
        let (part, most) = match self {
            Self::Web => (files / 5, 1024),
            Self::Edge => (files * 2 / 5, 4096),
            Self::Depot => (files / 8, 1024),
            Self::Admin => (files / 64, 16),
        };
        usize::try_from(part.clamp(4, most)).unwrap_or(4)
    }
}

/// What one client may be taken to have: an IPv4 address, or an IPv6 network of 64 bits.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

/// What clients may hold, and for how long.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at the same time. One more takes the place of the one that is idle longest.
    pub connections: usize,
    /// Of these from one address (IPv6: one /64 network). Loopback and trusted proxies are not counted.
    pub per_address: usize,
    /// Networks of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How long the head of a request may take.
    pub head: Duration,
    /// How long a connection is kept without a request.
    pub idle: Duration,
    /// How long a body or an answer may stand still.
    pub stall: Duration,
    /// How long a client may keep a body waiting in all before its pace counts.
    pub body_grace: Duration,
    /// The least pace of a body or an answer, in bytes per second.
    pub pace: u64,
    /// How long open requests may take once the server is told to stop.
    pub drain: Duration,
    /// Whether HTTP/2 is spoken, beside HTTP/1.1.
    pub http2: bool,
}

impl Limits {
    /// The limits of one service, by its share of the files that this process may open now.
    #[must_use]
    pub fn of(share: Share) -> Self {
        Self::with_connections(share.connections(files::limit()))
    }

    /// The usual limits, with this many connections.
    #[must_use]
    pub fn with_connections(connections: usize) -> Self {
        Self {
            connections,
            per_address: (connections / ADDRESS_PART).max(1),
            trusted_proxies: Vec::new(),
            head: HEAD,
            idle: IDLE,
            stall: STALL,
            body_grace: BODY_GRACE,
            pace: PACE,
            drain: DRAIN,
            http2: true,
        }
    }

    /// The limits of each of two listeners that are one service.
    #[must_use]
    pub fn halved(self) -> Self {
        let half = |number: usize| (number / 2).max(1);
        Self { connections: half(self.connections), per_address: half(self.per_address), ..self }
    }

    /// Whether `address` is a proxy's that is believed.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|proxies| proxies.contains(&address))
    }

    /// What the connections of `address` are counted under; none where one address may stand for many clients.
    pub(crate) fn counted(&self, address: IpAddr) -> Option<IpAddr> {
        (!address.is_loopback() && !self.trusts(address)).then(|| network(address))
    }

    /// How often a connection is looked after.
    pub(crate) fn tick(&self) -> Duration {
        self.head.min(self.idle).min(self.stall) / 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_of_one_process_leave_files_for_outgoing_work() {
        for files in [1024, 4096, 524_288] {
            let shares = [Share::Web, Share::Edge, Share::Depot, Share::Admin];
            let taken: usize = shares.iter().map(|share| share.connections(files)).sum();
            assert!(taken as u64 * 4 <= files * 3, "{taken} of {files}");
        }
        assert_eq!(Share::Edge.connections(524_288), 4096);
    }

    #[test]
    fn addresses_that_stand_for_many_clients_are_not_counted() {
        let mut limits = Limits::with_connections(8);
        limits.trusted_proxies = vec!["10.1.0.0/16".parse().unwrap()];
        for (address, counted) in [
            ("127.0.0.1", None),
            ("::1", None),
            ("10.1.2.3", None),
            ("10.2.2.3", Some("10.2.2.3")),
            ("2001:db8:1:2:3:4:5:6", Some("2001:db8:1:2::")),
        ] {
            let expected: Option<IpAddr> = counted.map(|counted| counted.parse().unwrap());
            assert_eq!(limits.counted(address.parse().unwrap()), expected, "{address}");
        }
    }
}
