//! The door before a private server: an address that this process keeps for as long as it lives, whatever port the server has.
//!
//! While a server restarts its port is free, and whoever takes it keeps the server away from there. So the server takes any
//! port, and its clients know this door alone. What passes is their TLS, closed to us too: they see the server's own proof.

use crate::loopback::address;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, BufReader, copy_buf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

/// The server lets go whoever has not introduced itself by then: an older connection is a client's.
const PROVED: Duration = Duration::from_secs(10);
/// Younger connections at the same time. The oldest of them gives way: a stranger cannot keep clients away by staying.
const YOUNG_MAX: usize = 32;
/// All connections at the same time; each holds two open files.
const CONNECTIONS_MAX: usize = 64;
/// The rest after a connection could not be accepted.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// How long a client is held while there is no server: longer than it waits, so that it is its own time that runs out.
const HELD_MAX: Duration = Duration::from_secs(6);
/// How often the server is tried for it.
const REACH_AGAIN: Duration = Duration::from_millis(50);
/// What is read at once, in bytes.
const BUFFER: usize = 64 * 1024;

/// A door that listens, and lets in once it [runs](Relay::run).
#[derive(Debug)]
pub struct Relay {
    listener: TcpListener,
    address: SocketAddr,
}

impl Relay {
    /// Takes a free port of the loopback interface.
    ///
    /// # Errors
    /// If there is none.
    pub async fn bind() -> std::io::Result<Self> {
        let listener = TcpListener::bind(address(0)).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// The port of the door.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Passes every connection on to where the server is; while it is nowhere, clients wait. Ends when it is dropped, and
    /// every connection with it.
    pub async fn run(self, server: watch::Receiver<Option<SocketAddr>>) -> Infallible {
        let (mut passing, mut young) = (JoinSet::new(), VecDeque::<(Instant, AbortHandle)>::new());
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                Some(_) = passing.join_next() => continue,
            };
            let client = match accepted {
                Ok((client, _)) => client,
                Err(error) => {
                    tracing::warn!(%error, "a connection to the log cannot be accepted");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                    continue;
                }
            };
            if passing.len() >= CONNECTIONS_MAX {
                continue;
            }
            young.retain(|(since, passage)| since.elapsed() < PROVED && !passage.is_finished());
            if young.len() >= YOUNG_MAX
                && let Some((_, oldest)) = young.pop_front()
            {
                oldest.abort();
            }
            young.push_back((Instant::now(), passing.spawn(pass(client, server.clone()))));
        }
    }
}

/// Hands on what either says until one of them ends.
async fn pass(mut client: TcpStream, place: watch::Receiver<Option<SocketAddr>>) {
    let Ok(mut server) = tokio::time::timeout(HELD_MAX, reach(place)).await else { return };
    // Both sides decide by themselves what is worth a packet.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((heard, answer), (told, ask)) = (client.split(), server.split());
    tokio::select! {
        () = hand_on(heard, ask) => {}
        () = hand_on(told, answer) => {}
    }
}

/// The server, wherever it is and as soon as it answers.
async fn reach(place: watch::Receiver<Option<SocketAddr>>) -> TcpStream {
    loop {
        let address = *place.borrow();
        if let Some(address) = address
            && let Ok(server) = TcpStream::connect(address).await
        {
            return server;
        }
        tokio::time::sleep(REACH_AGAIN).await;
    }
}

async fn hand_on(from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
    // Who has ended is seen by both; why, concerns neither.
    let _ = copy_buf(&mut BufReader::with_capacity(BUFFER, from), &mut to).await;
}
