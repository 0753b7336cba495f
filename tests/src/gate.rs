//! A gate that builds stand at until a story lets them through: how a story knows that a build runs, and keeps it so.

use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A closed gate. It opens for good, at the latest when it is dropped.
#[derive(Debug)]
pub struct Gate {
    port: u16,
    arrivals: watch::Receiver<usize>,
    open: CancellationToken,
    _opens: DropGuard,
}

impl Gate {
    /// Puts up a gate.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn closed() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (arrive, arrivals) = watch::channel(0);
        let (arrive, open) = (Arc::new(arrive), CancellationToken::new());
        let opened = open.clone();
        tokio::spawn(async move {
            while let Ok((visitor, _)) = listener.accept().await {
                arrive.send_modify(|count| *count += 1);
                let opened = opened.clone();
                tokio::spawn(async move {
                    opened.cancelled().await;
                    drop(visitor);
                });
            }
        });
        Self { port, arrivals, _opens: open.clone().drop_guard(), open }
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
             require('net').connect({}, '127.0.0.1').on('error', () => {{}}).on('close', through).resume();\n",
            self.port
        )
    }
}
