//! What builds may reach: pure but for the connection itself.

use dialer::{Dialer, Own};
use events::Network;
use events::address::Allowed;

/// Where packages come from: of npm, Yarn, Ruby, Python, Go and Hugo, and the source archives that they name at GitHub and GitLab.
pub const REGISTRIES: [&str; 16] = [
    "registry.npmjs.org",
    "registry.yarnpkg.com",
    "nodejs.org",
    "rubygems.org",
    "index.rubygems.org",
    "pypi.org",
    "files.pythonhosted.org",
    "proxy.golang.org",
    "sum.golang.org",
    "static.crates.io",
    "index.crates.io",
    "github.com",
    "codeload.github.com",
    "objects.githubusercontent.com",
    "release-assets.githubusercontent.com",
    "gitlab.com",
];
/// The ports of HTTP and HTTPS.
const PORTS: [u16; 2] = [80, 443];

/// What builds of this launcher may reach.
#[derive(Debug)]
pub struct Policy {
    /// Hosts of registries.
    registries: Vec<String>,
    /// Places that the operator has named, wherever they are, as `host:port`.
    places: Vec<String>,
    /// Connects to addresses that strangers may know.
    pub(super) public: Dialer,
    /// Connects to what the operator has named, but never to the platform itself.
    pub(super) named: Dialer,
}

/// How a place is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Only where its address is public.
    Public,
    /// Wherever it is.
    Named,
}

impl Policy {
    /// Builds reach `registries`, and `places` (each `host:port`) wherever those are; never a server of `own`.
    #[must_use]
    pub fn new(registries: Vec<String>, places: Vec<String>, own: Vec<Own>) -> Self {
        let dialer = |private| Dialer { allowed: Allowed { private, folders: Vec::new() }, own: own.clone() };
        Self { registries, places, public: dialer(false), named: dialer(true) }
    }

    /// How a build may reach a place; none if it may not.
    pub(super) fn way(&self, network: Network, host: &str, port: u16) -> Option<Way> {
        let is = |other: &String| other.eq_ignore_ascii_case(host);
        let is_named = self.places.iter().any(|place| place.eq_ignore_ascii_case(&format!("{host}:{port}")));
        match network {
            Network::None => None,
            Network::Registries | Network::Full if is_named => Some(Way::Named),
            Network::Registries => (PORTS.contains(&port) && self.registries.iter().any(is)).then_some(Way::Public),
            Network::Full => Some(Way::Public),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_reached_by_what_the_site_may_and_the_operator_has_named() {
        let registries = vec!["registry.npmjs.org".to_owned()];
        let policy = Policy::new(registries, vec!["packages.internal:8081".to_owned()], Vec::new());
        for (host, port, registries, full) in [
            ("registry.npmjs.org", 443, Some(Way::Public), Some(Way::Public)),
            ("Registry.NPMJS.org", 80, Some(Way::Public), Some(Way::Public)),
            ("registry.npmjs.org", 25, None, Some(Way::Public)),
            ("evil-registry.npmjs.org", 443, None, Some(Way::Public)),
            ("registry.npmjs.org.evil.test", 443, None, Some(Way::Public)),
            ("packages.internal", 8081, Some(Way::Named), Some(Way::Named)),
            ("packages.internal", 443, None, Some(Way::Public)),
        ] {
            assert_eq!(policy.way(Network::Registries, host, port), registries, "{host} {port}");
            assert_eq!(policy.way(Network::Full, host, port), full, "{host} {port}");
            assert_eq!(policy.way(Network::None, host, port), None);
        }
    }
}
