//! Connects to where somebody outside chose, for whoever has to: to repositories, and to receivers of notices. Resolves a name
//! once, checks each address, and connects to exactly that.

mod http;

pub use self::http::{Answer, Connector, Http, Silence};
pub use egress::Egress;

mod egress;

use events::address::{Allowed, NotAllowed, inner};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a name may take to resolve, and an address to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// What may be connected to.
#[derive(Debug, Clone, Default)]
pub struct Dialer {
    /// Which addresses.
    pub allowed: Allowed,
    /// Where the platform's own servers answer. Never connected to, and on this machine no address with the port of one is,
    /// since a server may listen on many.
    pub own: Vec<Own>,
}

/// Where one of the platform's own servers answers.
#[derive(Debug, Clone)]
pub enum Own {
    /// As `host:port`. The name is resolved anew each time: a server that has moved is still the platform's own.
    At(String),
    /// One on this machine that takes another port when it has to: where it is now, while it is anywhere.
    Moving(watch::Receiver<Option<SocketAddr>>),
}

/// Why there is no connection. Its text goes on from the address: "`…` cannot be reached: …".
#[derive(Debug, thiserror::Error)]
pub enum Unreached {
    /// Nobody knows the name.
    #[error("the name `{host}` is not known")]
    Name {
        /// Which one.
        host: String,
    },
    /// It is an address that must not be connected to.
    #[error("its address {0}")]
    NotAllowed(NotAllowed),
    /// One of the platform's own servers answers there.
    #[error("its address is one of the platform's own")]
    Own,
    /// Nobody listens.
    #[error("`{host}` refused the connection on port {port}")]
    Refused {
        /// Where.
        host: String,
        /// On which port.
        port: u16,
    },
    /// It did not come about in another way.
    #[error("no connection to `{host}` on port {port}: {kind}")]
    Failed {
        /// Where.
        host: String,
        /// On which port.
        port: u16,
        /// What went wrong.
        kind: io::ErrorKind,
    },
}

impl Unreached {
    /// Whether we did not want to connect.
    #[must_use]
    pub const fn is_forbidden(&self) -> bool {
        matches!(self, Self::NotAllowed(_) | Self::Own)
    }
}

impl Dialer {
    /// A connection to the first address of `host` that may be connected to and accepts.
    ///
    /// # Errors
    /// [`Unreached`] says why there is none.
    pub async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, Unreached> {
        let permitted = self.permitted(host, port).await?;
        let failed = |kind| Unreached::Failed { host: host.to_owned(), port, kind };
        let mut last = failed(io::ErrorKind::AddrNotAvailable);
        for address in permitted {
            last = match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    Unreached::Refused { host: host.to_owned(), port }
                }
                Ok(Err(error)) => failed(error.kind()),
                Err(_) => failed(io::ErrorKind::TimedOut),
            };
        }
        Err(last)
    }

    /// Whether `host` may be connected to, as far as that can be told without doing it.
    ///
    /// # Errors
    /// [`Unreached`] if there is no address of it that may be.
    pub async fn check(&self, host: &str, port: u16) -> Result<(), Unreached> {
        self.permitted(host, port).await.map(drop)
    }

    /// The addresses of `host` that may be connected to; why not, if there are none.
    async fn permitted(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Unreached> {
        let found = timeout(CONNECT_TIMEOUT, lookup_host((host, port))).await;
        let Ok(Ok(found)) = found else { return Err(Unreached::Name { host: host.to_owned() }) };
        let own = self.own_addresses().await;
        let (mut permitted, mut why) = (Vec::new(), Unreached::Name { host: host.to_owned() });
        for address in found {
            match self.allowed.check_ip(address.ip()) {
                Err(refused) => why = Unreached::NotAllowed(refused),
                Ok(()) if is_own(address, &own) => why = Unreached::Own,
                Ok(()) => permitted.push(address),
            }
        }
        if permitted.is_empty() { Err(why) } else { Ok(permitted) }
    }

    async fn own_addresses(&self) -> Vec<SocketAddr> {
        let mut addresses = Vec::new();
        for own in &self.own {
            match own {
                Own::At(name) => {
                    if let Ok(Ok(found)) = timeout(CONNECT_TIMEOUT, lookup_host(name)).await {
                        addresses.extend(found);
                    }
                }
                Own::Moving(now) => addresses.extend(*now.borrow()),
            }
        }
        addresses
    }
}

fn is_own(address: SocketAddr, own: &[SocketAddr]) -> bool {
    let plain = plain(address.ip());
    own.iter().any(|own| own.port() == address.port() && (self::plain(own.ip()) == plain || is_here(plain)))
}

/// The address without what it is wrapped in.
fn plain(address: IpAddr) -> IpAddr {
    inner(address).map_or(address, IpAddr::V4)
}

/// Whether an address is this machine's: only those can be bound to.
fn is_here(address: IpAddr) -> bool {
    address.is_loopback() || UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialer(private: bool, own: &[&str]) -> Dialer {
        let own = own.iter().map(|&own| Own::At(own.to_owned())).collect();
        Dialer { allowed: Allowed { private, folders: Vec::new() }, own }
    }

    async fn why(dialer: &Dialer, host: &str, port: u16) -> String {
        dialer
            .permitted(host, port)
            .await
            .map(|addresses| format!("{addresses:?}"))
            .unwrap_or_else(|why| why.to_string())
    }

    #[tokio::test]
    async fn spellings_that_only_a_resolver_understands_are_checked_as_what_they_are() {
        let closed = dialer(false, &[]);
        for host in ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "::1", "::ffff:127.0.0.1"] {
            assert!(why(&closed, host, 80).await.contains("private"), "{host}");
        }
        for host in ["169.254.43518", "0xa9fea9fe", "2852039166", "::ffff:a9fe:a9fe", "0", "0.0.0.0", "::"] {
            assert!(why(&dialer(true, &[]), host, 80).await.contains("link-local"), "{host}");
        }
        assert_eq!(why(&closed, "nowhere.invalid", 80).await, "the name `nowhere.invalid` is not known");
    }

    #[tokio::test]
    async fn a_server_that_moves_is_known_wherever_it_is() {
        let place = watch::Sender::new(None);
        let mut moving = dialer(true, &[]);
        moving.own.push(Own::Moving(place.subscribe()));
        for port in [4222, 4223] {
            assert!(!why(&moving, "127.0.0.1", port).await.contains("platform's own"), "{port}");
            place.send_replace(Some(([127, 0, 0, 1], port).into()));
            assert!(why(&moving, "127.0.0.1", port).await.contains("platform's own"), "{port}");
        }
    }

    #[tokio::test]
    async fn the_platforms_own_ports_are_closed_on_every_address_of_this_machine() {
        let dialer = dialer(true, &["127.0.0.1:8080", "0.0.0.0:8081", "192.0.2.7:4222"]);
        for (host, port) in [
            ("127.0.0.1", 8080),
            ("127.9.9.9", 8080),
            ("localhost", 8080),
            ("::1", 8081),
            ("::ffff:127.0.0.1", 8081),
            ("192.0.2.7", 4222),
            ("127.0.0.1", 4222),
        ] {
            assert!(why(&dialer, host, port).await.contains("platform's own"), "{host} {port}");
        }
        assert_eq!(why(&dialer, "127.0.0.1", 8082).await, "[127.0.0.1:8082]");
        assert_eq!(why(&dialer, "192.0.2.8", 4222).await, "[192.0.2.8:4222]");
    }
}
