//! Who asks, as far as an address tells.

use crate::limits::Limits;
use http::HeaderMap;
use std::net::IpAddr;

const FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// The address of the client, among a request's extensions: the peer's, or what a trusted proxy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client(pub IpAddr);

impl Client {
    /// Each proxy adds whom it was asked by at the right, so the first from there that is none of ours is the client.
    /// What stands further left, anybody may have written.
    pub(crate) fn of(peer: IpAddr, headers: &HeaderMap, limits: &Limits) -> Self {
        let mut client = peer.to_canonical();
        let values = headers.get_all(FORWARDED_FOR).iter().rev();
        let mut named = values.flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
        while limits.trusts(client) {
            let Some(Ok(address)) = named.next().map(|name| name.trim().parse::<IpAddr>()) else { break };
            client = address.to_canonical();
        }
        Self(client)
    }
}

/// Whether the client speaks TLS, among a request's extensions. Where this listener does not, only a trusted proxy can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encrypted(pub bool);

impl Encrypted {
    /// The last word is that of the proxy that asks.
    pub(crate) fn of(peer: IpAddr, headers: &HeaderMap, limits: &Limits) -> Self {
        let told = headers.get_all(FORWARDED_PROTO).iter().next_back().and_then(|value| value.to_str().ok());
        let scheme = told.and_then(|value| value.rsplit(',').next()).unwrap_or_default().trim();
        Self(limits.trusts(peer.to_canonical()) && scheme.eq_ignore_ascii_case("https"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_proxy_says_that_a_client_speaks_tls() {
        let mut limits = Limits::with_connections(8);
        limits.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
        for (peer, told, encrypted) in [
            ("192.0.2.1", "https", false),
            ("10.0.0.1", "https", true),
            ("10.0.0.1", "http, HTTPS", true),
            ("10.0.0.1", "https, http", false),
            ("10.0.0.1", "", false),
        ] {
            let name = http::HeaderName::from_static(FORWARDED_PROTO);
            let headers = HeaderMap::from_iter([(name, told.parse().unwrap())]);
            let found = Encrypted::of(peer.parse().unwrap(), &headers, &limits);
            assert_eq!(found.0, encrypted, "{peer} {told}");
        }
    }

    #[test]
    fn only_a_trusted_proxy_says_who_asks() {
        let mut limits = Limits::with_connections(8);
        limits.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
        for (peer, forwarded, client) in [
            ("192.0.2.1", &["198.51.100.7"][..], "192.0.2.1"),
            ("10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("::ffff:10.0.0.1", &["203.0.113.9, 198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9", "198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["198.51.100.7, nonsense"], "10.0.0.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
        ] {
            let headers =
                forwarded.iter().map(|value| (http::HeaderName::from_static(FORWARDED_FOR), value.parse().unwrap()));
            let mut map = HeaderMap::new();
            headers.for_each(|(name, value)| {
                map.append(name, value);
            });
            let found = Client::of(peer.parse().unwrap(), &map, &limits);
            assert_eq!(found.0, client.parse::<IpAddr>().unwrap(), "{peer} {forwarded:?}");
        }
    }
}
