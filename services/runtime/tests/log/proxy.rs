//! A way to the server that breaks at the worst moment: when the server has the message and the client no answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The way is encrypted, so a fact is known by its size, in bytes: it has headers, and nothing else that a client sends is
/// as long.
const FACT_MIN: usize = 600;
/// What a record of TLS begins with when it is no part of the handshake.
const APPLICATION_DATA: u8 = 23;

pub(crate) struct Proxy {
    pub(crate) port: u16,
    cuts: Arc<AtomicUsize>,
}

impl Proxy {
    pub(crate) async fn before(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (port, cuts) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let left = cuts.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, SocketAddr::from(([127, 0, 0, 1], server)), left.clone()));
            }
        });
        Self { port, cuts }
    }

    /// The next `times` packets with a fact are the last of their connection.
    pub(crate) fn cut(&self, times: usize) {
        self.cuts.store(times, Ordering::SeqCst);
    }

    pub(crate) fn left(&self) -> usize {
        self.cuts.load(Ordering::SeqCst)
    }
}

async fn carry(mut client: TcpStream, server: SocketAddr, cuts: Arc<AtomicUsize>) -> std::io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    let (mut up, mut down) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let read = read?;
                if read == 0 {
                    return Ok(());
                }
                server.write_all(&up[..read]).await?;
                let fact = read > FACT_MIN && up[0] == APPLICATION_DATA;
                let one_less = |left: usize| left.checked_sub(1);
                if fact && cuts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok() {
                    // The answer, if one comes, shows that the server has it; the client never sees it.
                    let _ = tokio::time::timeout(Duration::from_millis(300), server.read(&mut down)).await;
                    return Ok(());
                }
            }
            read = server.read(&mut down) => {
                let read = read?;
                if read == 0 {
                    return Ok(());
                }
                client.write_all(&down[..read]).await?;
            }
        }
    }
}
