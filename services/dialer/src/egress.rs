//! The only way of git to the network: a SOCKS5 proxy (RFC 1928) on loopback, which lives as long as one fetch.
//!
//! Git resolves and connects by itself, after every redirect anew. Through this door it hands over the name instead, and
//! we connect to an address that we have checked. What is inside a connection passes as it is: TLS is between git and the
//! repository's host.

use crate::{Dialer, Unreached};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

const VERSION: u8 = 5;
const CONNECT: u8 = 1;
const WITHOUT_PASSWORD: u8 = 0;

const DONE: u8 = 0;
const FORBIDDEN: u8 = 2;
const UNREACHABLE: u8 = 4;
const UNSUPPORTED: u8 = 7;

/// An open door, closed when dropped.
#[derive(Debug)]
pub struct Egress {
    address: SocketAddr,
    why: Arc<Mutex<Option<Unreached>>>,
    task: JoinHandle<()>,
}

impl Egress {
    /// Opens a door to where `dialer` connects.
    ///
    /// # Errors
    /// If no port of loopback can be had.
    pub async fn open(dialer: Dialer) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (address, why) = (listener.local_addr()?, Arc::default());
        let task = tokio::spawn(serve(listener, Arc::new(dialer), Arc::clone(&why)));
        Ok(Self { address, why, task })
    }

    /// The proxy, as git's `http.proxy` names it. The `h` hands names over unresolved.
    #[must_use]
    pub fn proxy(&self) -> String {
        format!("socks5h://{}", self.address)
    }

    /// Why the last connection that git asked for was not made.
    #[must_use]
    pub fn why(&self) -> Option<Unreached> {
        self.why.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Egress {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, dialer: Arc<Dialer>, why: Arc<Mutex<Option<Unreached>>>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let (dialer, why) = (Arc::clone(&dialer), Arc::clone(&why));
        connections.spawn(async move {
            // A client that leaves in the middle has its own reasons.
            let _ = relay(client, &dialer, &why).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn relay(mut client: TcpStream, dialer: &Dialer, why: &Mutex<Option<Unreached>>) -> io::Result<()> {
    let Some((host, port)) = asked_for(&mut client).await? else {
        return answer(&mut client, UNSUPPORTED).await;
    };
    match dialer.connect(&host, port).await {
        Ok(mut server) => {
            answer(&mut client, DONE).await?;
            copy_bidirectional(&mut client, &mut server).await.map(|_| ())
        }
        Err(unreached) => {
            let code = if unreached.is_forbidden() { FORBIDDEN } else { UNREACHABLE };
            *why.lock().unwrap_or_else(PoisonError::into_inner) = Some(unreached);
            answer(&mut client, code).await
        }
    }
}

/// Greets the client and reads where it wants to go; `None` if it wants something else.
async fn asked_for(client: &mut TcpStream) -> io::Result<Option<(String, u16)>> {
    let [version, methods] = read(client).await?;
    if version != VERSION {
        return Err(io::ErrorKind::InvalidData.into());
    }
    client.read_exact(&mut vec![0; usize::from(methods)]).await?;
    client.write_all(&[VERSION, WITHOUT_PASSWORD]).await?;
    let [_, command, _, kind] = read(client).await?;
    let host = match kind {
        1 => Ipv4Addr::from(read::<4>(client).await?).to_string(),
        3 => {
            let [length] = read(client).await?;
            let mut name = vec![0; usize::from(length)];
            client.read_exact(&mut name).await?;
            String::from_utf8(name).map_err(|_| io::ErrorKind::InvalidData)?
        }
        4 => Ipv6Addr::from(read::<16>(client).await?).to_string(),
        _ => return Ok(None),
    };
    let port = u16::from_be_bytes(read(client).await?);
    Ok((command == CONNECT).then_some((host, port)))
}

async fn answer(client: &mut TcpStream, code: u8) -> io::Result<()> {
    // Nobody needs the address that we are bound to, so it is left at zero.
    client.write_all(&[VERSION, code, 0, 1, 0, 0, 0, 0, 0, 0]).await
}

async fn read<const N: usize>(client: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}
