//! The way to the machine's Docker engine, which can break while the engine itself serves everybody else.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

const SOCKET: &str = "/var/run/docker.sock";

/// What the way does with what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// It carries everything.
    Open,
    /// Every connection ends at once, also those that stand.
    Broken,
    /// It takes everything and carries nothing.
    Silent,
    /// It keeps back the engine's answer to whoever has a container made.
    KeepingContainers,
}

/// A way to the engine.
pub(crate) struct Line {
    address: SocketAddr,
    way: watch::Sender<Way>,
    _stop: DropGuard,
}

impl Line {
    pub(crate) async fn lay(way: Way) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let way = watch::Sender::new(way);
        let ways = Arc::new(way.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(async move {
            while let Ok((visitor, _)) = listener.accept().await {
                tokio::spawn(carry(visitor, ways.subscribe()));
            }
        }));
        Self { address, way, _stop: stop.drop_guard() }
    }

    pub(crate) fn host(&self) -> String {
        format!("tcp://{}", self.address)
    }

    pub(crate) fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

async fn carry(visitor: TcpStream, mut way: watch::Receiver<Way>) {
    let pumping = pump(visitor, way.clone());
    tokio::select! {
        _ = way.wait_for(|way| *way == Way::Broken) => {}
        () = pumping => {}
    }
}

async fn pump(mut visitor: TcpStream, mut way: watch::Receiver<Way>) {
    let Ok(mut engine) = UnixStream::connect(SOCKET).await else { return };
    let (mut asked, mut answered, mut makes) = (vec![0; 64 * 1024], vec![0; 64 * 1024], false);
    loop {
        let (read, ours) = tokio::select! {
            Ok(read) = visitor.read(&mut asked) => (read, true),
            Ok(read) = engine.read(&mut answered) => (read, false),
            else => return,
        };
        let bytes = if ours { &asked[..read] } else { &answered[..read] };
        makes |= ours && bytes.windows(18).any(|part| part == b"/containers/create");
        let passes = |way: &Way| *way != Way::Silent && (ours || !makes || *way != Way::KeepingContainers);
        if read == 0 || way.wait_for(passes).await.is_err() {
            return;
        }
        let sent = if ours { engine.write_all(bytes).await } else { visitor.write_all(bytes).await };
        if sent.is_err() {
            return;
        }
    }
}

pub(crate) fn remove(label: &str) {
    let left = containers(label);
    if !left.is_empty() {
        Command::new("docker").args(["rm", "-f"]).args(left).output().unwrap();
    }
}

/// The containers with a label, running or not.
pub(crate) fn containers(label: &str) -> Vec<String> {
    let listed = Command::new("docker").args(["ps", "-aq", "--filter", &format!("label={label}")]).output().unwrap();
    assert!(listed.status.success(), "{listed:?}");
    String::from_utf8(listed.stdout).unwrap().lines().map(str::to_owned).collect()
}
