//! A line to a server that can break in every way: refuse, fall silent, be cut in the middle of a body, or let one
//! request through at a time.
#![allow(dead_code, clippy::allow_attributes, reason = "each user needs some of its faults")]
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

/// What the line does with what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It carries everything.
    Open,
    /// Every connection ends at once, also those that stand.
    Refusing,
    /// It takes everything and carries nothing.
    Silent,
    /// Each connection ends after it has carried so many bytes.
    Cutting(usize),
    /// Each request waits for [`Line::step`].
    Stepwise,
}

/// A line to one server.
#[derive(Debug)]
pub(crate) struct Line {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    state: Arc<State>,
    _stop: DropGuard,
}

#[derive(Debug)]
struct State {
    server: SocketAddr,
    mode: watch::Receiver<Mode>,
    steps: Semaphore,
    waiting: watch::Sender<usize>,
    visitors: AtomicUsize,
}

impl Line {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let (mode, receiver) = watch::channel(Mode::Open);
        let (steps, waiting, visitors) = (Semaphore::new(0), watch::channel(0).0, AtomicUsize::new(0));
        let state = Arc::new(State { server, mode: receiver, steps, waiting, visitors });
        let shared = Arc::clone(&state);
        let serving = stop.clone();
        tokio::spawn(serving.run_until_cancelled_owned(async move {
            while let Ok((visitor, _)) = listener.accept().await {
                shared.visitors.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(Arc::clone(&shared).carry(visitor));
            }
        }));
        Self { address, mode, state, _stop: stop.drop_guard() }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Connections since the beginning.
    pub(crate) fn visitors(&self) -> usize {
        self.state.visitors.load(Ordering::Relaxed)
    }

    /// Lets one waiting request through; false if none waits.
    pub(crate) fn step(&self) -> bool {
        let waits = *self.state.waiting.borrow() > self.state.steps.available_permits();
        if waits {
            self.state.steps.add_permits(1);
        }
        waits
    }
}

impl State {
    async fn carry(self: Arc<Self>, visitor: TcpStream) {
        let mut mode = self.mode.clone();
        let refused = async {
            let _ = mode.wait_for(|mode| *mode == Mode::Refusing).await;
        };
        tokio::select! {
            () = refused => {}
            () = self.pump(visitor) => {}
        }
    }

    /// Carries until one side ends. A request that is held is forgotten with whoever sent it.
    async fn pump(&self, mut visitor: TcpStream) {
        let Ok(mut server) = TcpStream::connect(self.server).await else { return };
        let (mut asked, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
        let (mut carried, mut between) = (0, true);
        loop {
            let (bytes, ours) = tokio::select! {
                Ok(read) = visitor.read(&mut asked) => (asked[..read].to_vec(), true),
                Ok(read) = server.read(&mut answered) => (answered[..read].to_vec(), false),
                else => return,
            };
            if bytes.is_empty() {
                return;
            }
            carried += bytes.len();
            if !self.lets_through(&visitor, carried, ours && between).await {
                return;
            }
            between = !ours;
            let target = if ours { &mut server } else { &mut visitor };
            if target.write_all(&bytes).await.is_err() {
                return;
            }
        }
    }

    async fn lets_through(&self, visitor: &TcpStream, carried: usize, begins: bool) -> bool {
        let mut mode = self.mode.clone();
        let now = *mode.borrow_and_update();
        match now {
            Mode::Open => true,
            Mode::Refusing => false,
            Mode::Cutting(limit) => carried <= limit,
            Mode::Silent => mode.wait_for(|mode| *mode != Mode::Silent).await.is_ok(),
            Mode::Stepwise if !begins => true,
            Mode::Stepwise => {
                self.waiting.send_modify(|waiting| *waiting += 1);
                let through = tokio::select! {
                    biased;
                    () = gone(visitor) => false,
                    permit = self.steps.acquire() => permit.map(tokio::sync::SemaphorePermit::forget).is_ok(),
                    _ = mode.wait_for(|mode| *mode != Mode::Stepwise) => true,
                };
                self.waiting.send_modify(|waiting| *waiting -= 1);
                through
            }
        }
    }
}

/// Waits until the visitor has hung up. More of a body is not that.
async fn gone(visitor: &TcpStream) {
    loop {
        match visitor.peek(&mut [0]).await {
            Ok(0) | Err(_) => return,
            Ok(_) => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
        }
    }
}
