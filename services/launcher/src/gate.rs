//! The only way of a build to the network: a proxy of HTTP (RFC 9110, with CONNECT) on a socket of the build's folder.
//!
//! A sandbox has a network of its own with nothing in it but loopback. Inside, `relay.pl` takes what programs send to the proxy
//! that their environment names, and passes it to the socket. Here each name is held against what the site may reach,
//! resolved once, and connected to where the address is one that strangers may know: never this machine, a private network,
//! the cloud's metadata or a server of the platform.

mod policy;
mod request;

pub use policy::{Policy, REGISTRIES};

use crate::words::counted;
use dialer::{Dialer, Unreached};
use events::Network;
use policy::Way;
use request::{Asked, Head, read_head};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinHandle, JoinSet};

/// What runs inside: it takes connections on loopback, and becomes the build's own command.
pub(crate) const RELAY: &str = include_str!("gate/relay.pl");
/// Starts it, or does without the network where there is no Perl.
pub(crate) const ENTRANCE: &str = r#"
    relay=$1 port=$2 socket=$3
    shift 3
    command -v perl >/dev/null && exec perl -e "$relay" -- "$port" "$socket" "$@"
    echo '[sandbox] there is no Perl here, so the build reaches no network'
    exec "$@""#;
/// Where the folder of the socket is inside.
pub(crate) const FOLDER: &str = "/run/pagefold";
/// Where programs inside find the proxy.
pub(crate) const PORT: u16 = 3128;
/// The socket's name in its folder.
pub(crate) const SOCKET: &str = "gate";
/// Connections of one build at once: more wait.
const CONNECTIONS_MAX: usize = 64;
/// Hosts that are told of, reached and refused: a build that asks for more is told of no further ones.
const HOSTS_MAX: usize = 100;

/// An open gate, closed when dropped.
pub struct Gate {
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

/// What went through, by host and port.
#[derive(Default)]
struct Seen {
    reached: BTreeMap<String, Passed>,
    refused: BTreeMap<String, ()>,
}

#[derive(Default)]
struct Passed {
    connections: u64,
    bytes: u64,
}

/// What the connections of one build share.
struct Keeper {
    policy: Arc<Policy>,
    network: Network,
    seen: Arc<Mutex<Seen>>,
    say: mpsc::UnboundedSender<String>,
}

impl Gate {
    /// Opens a gate in `folder` for a build that may reach what `network` says. What is refused is said at once.
    ///
    /// # Errors
    /// If the socket cannot be made.
    pub fn open(
        folder: &Path,
        policy: Arc<Policy>,
        network: Network,
    ) -> io::Result<(Self, mpsc::UnboundedReceiver<String>)> {
        let listener = listen(folder)?;
        let (say, said) = mpsc::unbounded_channel();
        let seen = Arc::<Mutex<Seen>>::default();
        let keeper = Keeper { policy, network, seen: Arc::clone(&seen), say };
        let task = tokio::spawn(keep(listener, Arc::new(keeper)));
        Ok((Self { seen, task }, said))
    }

    /// Which hosts were reached, in one line; none if no one was.
    #[must_use]
    pub fn told(&self) -> Option<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let hosts = seen.reached.iter().map(|(host, Passed { connections, bytes })| {
            format!("{host} ({}, {})", counted(*connections, "connection"), counted(*bytes, "byte"))
        });
        let hosts = hosts.collect::<Vec<_>>().join(", ");
        (!hosts.is_empty()).then(|| format!("network: {hosts}"))
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// It is for whoever the workspace is given to. A socket's address is short, and a folder's path may be long: it is named by the folder's descriptor.
fn listen(folder: &Path) -> io::Result<UnixListener> {
    use std::os::fd::AsRawFd as _;
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    let opened = fs::File::open(folder)?;
    let short = PathBuf::from(format!("/proc/self/fd/{}", opened.as_raw_fd())).join(SOCKET);
    let listener = UnixListener::bind(short)?;
    fs::set_permissions(folder.join(SOCKET), fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn keep(listener: UnixListener, keeper: Arc<Keeper>) {
    let (mut connections, places) = (JoinSet::new(), Arc::new(Semaphore::new(CONNECTIONS_MAX)));
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let Ok((client, _)) = listener.accept().await else { return };
        let keeper = Arc::clone(&keeper);
        connections.spawn(async move {
            // A client that leaves in the middle has its own reasons.
            let _ = keeper.pass(client).await;
            drop(place);
        });
        while connections.try_join_next().is_some() {}
    }
}

impl Keeper {
    async fn pass(&self, mut client: UnixStream) -> io::Result<()> {
        let Some(Head { asked, rest }) = read_head(&mut client).await? else {
            return refuse(&mut client, "400 Bad Request", "This is a proxy of HTTP.").await;
        };
        let (host, port) = asked.place();
        let place = format!("{host}:{port}");
        let Some(way) = self.policy.way(self.network, host, port) else {
            self.refused(&place, self.network.why_not());
            return refuse(&mut client, "403 Forbidden", "This site's builds may not reach that host.").await;
        };
        let mut server = match self.dialer(way).connect(host, port).await {
            Ok(server) => server,
            Err(unreached) if unreached.is_forbidden() => {
                self.refused(&place, &unreached.to_string());
                return refuse(&mut client, "403 Forbidden", "That address is not for builds.").await;
            }
            Err(unreached) => return refuse(&mut client, "502 Bad Gateway", &why(&unreached)).await,
        };
        self.reached(&place, 1, 0);
        let passed = exchange(&mut client, &mut server, asked, &rest).await;
        self.reached(&place, 0, passed.as_ref().map_or(0, |bytes| *bytes));
        passed.map(drop)
    }

    fn dialer(&self, way: Way) -> &Dialer {
        match way {
            Way::Public => &self.policy.public,
            Way::Named => &self.policy.named,
        }
    }

    fn reached(&self, place: &str, connections: u64, bytes: u64) {
        let reached = &mut self.seen.lock().unwrap_or_else(PoisonError::into_inner).reached;
        if reached.len() < HOSTS_MAX || reached.contains_key(place) {
            let passed = reached.entry(place.to_owned()).or_default();
            passed.connections += connections;
            passed.bytes += bytes;
        }
    }

    /// Each host is told of once.
    fn refused(&self, place: &str, why: &str) {
        let refused = &mut self.seen.lock().unwrap_or_else(PoisonError::into_inner).refused;
        if refused.len() < HOSTS_MAX && refused.insert(place.to_owned(), ()).is_none() {
            let shown: String = place.chars().filter(|character| !character.is_control()).collect();
            let _ = self.say.send(format!("network: {shown} was refused: {why}"));
        }
    }
}

fn why(unreached: &Unreached) -> String {
    format!("It cannot be reached: {unreached}.")
}

/// Passes both ways until either ends; answers the bytes that came back.
async fn exchange(client: &mut UnixStream, server: &mut TcpStream, asked: Asked, rest: &[u8]) -> io::Result<u64> {
    match asked {
        Asked::Tunnel { .. } => client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?,
        Asked::Forward { head, .. } => server.write_all(&head).await?,
    }
    server.write_all(rest).await?;
    copy_bidirectional(client, server).await.map(|(_, back)| back)
}

async fn refuse(client: &mut UnixStream, status: &str, why: &str) -> io::Result<()> {
    let length = why.len() + 1;
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    client.write_all(format!("{head}{why}\n").as_bytes()).await?;
    client.shutdown().await
}
