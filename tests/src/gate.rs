//! A gate that builds stand at until a story lets them through: how a story knows that a build runs, and keeps it so.
//!
//! Builds reach nothing of this machine but what the operator has named. All gates are therefore in one house, whose place every
//! platform of these stories is told when it starts.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The house of all gates. It outlives the story that first needs it.
static HOUSE: LazyLock<House> = LazyLock::new(House::build);
static GATES: AtomicU64 = AtomicU64::new(1);

/// A closed gate. It opens for good, at the latest when it is dropped.
#[derive(Debug)]
pub struct Gate {
    number: u64,
    arrivals: watch::Receiver<usize>,
    open: CancellationToken,
    _opens: DropGuard,
}

struct House {
    port: u16,
    gates: Arc<Mutex<HashMap<u64, Keeper>>>,
}

#[derive(Clone)]
struct Keeper {
    arrive: Arc<watch::Sender<usize>>,
    opened: CancellationToken,
}

impl House {
    fn build() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let gates = Arc::<Mutex<HashMap<u64, Keeper>>>::default();
        let known = Arc::clone(&gates);
        std::thread::spawn(move || {
            for visitor in listener.incoming().flatten() {
                let known = Arc::clone(&known);
                std::thread::spawn(move || receive(visitor, &known));
            }
        });
        Self { port, gates }
    }
}

/// A visitor says which gate it comes to. At one that is not there it is let go.
fn receive(visitor: TcpStream, gates: &Mutex<HashMap<u64, Keeper>>) {
    let mut number = String::new();
    let read = BufReader::new(&visitor).read_line(&mut number);
    let keeper = number
        .trim()
        .parse()
        .ok()
        .and_then(|number: u64| gates.lock().unwrap_or_else(PoisonError::into_inner).get(&number).cloned());
    if let (Ok(_), Some(Keeper { arrive, opened })) = (read, keeper) {
        arrive.send_modify(|count| *count += 1);
        futures::executor::block_on(opened.cancelled());
    }
}

/// The variable that lets builds come to gates.
pub(crate) fn variable() -> (&'static str, String) {
    ("PAGEFOLD_BUILD_HOSTS", format!("127.0.0.1:{}", HOUSE.port))
}

impl Gate {
    /// Puts up a gate.
    pub async fn closed() -> Self {
        let number = GATES.fetch_add(1, Ordering::Relaxed);
        let (arrive, arrivals) = watch::channel(0);
        let open = CancellationToken::new();
        let keeper = Keeper { arrive: Arc::new(arrive), opened: open.clone() };
        HOUSE.gates.lock().unwrap_or_else(PoisonError::into_inner).insert(number, keeper);
        Self { number, arrivals, _opens: open.clone().drop_guard(), open }
    }

    /// Waits until `count` builds have come to the gate since it was put up.
    ///
    /// # Panics
    /// If they do not come.
    pub async fn reached_by(&self, count: usize) {
        let mut arrivals = self.arrivals.clone();
        let arrived = tokio::time::timeout(crate::DEADLINE, arrivals.wait_for(|arrived| *arrived >= count)).await;
        assert!(arrived.is_ok(), "{} of {count} builds came to the gate", *self.arrivals.borrow());
    }

    /// Lets everybody through, now and later.
    pub fn open(&self) {
        self.open.cancel();
    }

    /// Node.js statements that come to the gate, and run `then` behind it. A gate that is gone is open.
    #[must_use]
    pub fn script(&self, then: &str) -> String {
        format!(
            "const {{ mkdirSync, writeFileSync }} = require('fs');\n\
             const through = () => {{ mkdirSync('_site', {{ recursive: true }}); {then} }};\n\
             console.log('at the gate');\n\
             const way = new URL(process.env.http_proxy);\n\
             require('http').request({{ host: way.hostname, port: way.port, method: 'CONNECT', path: '127.0.0.1:{}' }})\n\
             .on('connect', (answer, socket) => {{\n\
             socket.on('error', () => {{}}).on('close', through).resume().write('{}\\n');\n\
             }}).on('error', through).end();\n",
            HOUSE.port, self.number
        )
    }
}
