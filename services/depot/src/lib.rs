//! An S3 server in one process over one directory: the object store of an installation that has no other.
//!
//! *Hears* S3 requests over HTTP. *Says* nothing but its answers. *Touches* one data directory, which one process owns.
//! *Safe to repeat because* every request is one index transaction: it has happened whole and durably, or not at all.

mod access;
mod blocking;
mod bodies;
mod bucket;
mod clock;
mod condition;
mod copy;
mod digest;
mod error;
mod fetch;
mod headers;
mod index;
mod list;
mod listing;
mod multipart;
mod object;
mod records;
mod server;
mod service;
mod spool;
mod store;
mod tables;
mod uploads;
mod writer;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use listener::{Limits, Share};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use crate::error::Error;
use crate::store::Store;

/// How long open requests may take once the server is told to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// Where the store keeps its data, where it listens, and who may use it.
#[derive(Clone, Debug)]
pub struct Config {
    /// The data directory. It is created when missing and belongs to one process at a time.
    pub root: PathBuf,
    /// The address of the HTTP listener. Port 0 takes a free port.
    pub listen: SocketAddr,
    /// The region the server answers for.
    pub region: String,
    /// The access keys. A request signed with none of them is refused.
    pub keys: Vec<Key>,
}

/// One access key and what it may do.
#[derive(Clone, Debug)]
pub struct Key {
    /// The access key id, which is not secret.
    pub id: String,
    /// The secret that signs requests.
    pub secret: SecretString,
    /// A request is allowed when one grant allows it.
    pub grants: Vec<Grant>,
}

/// Access to one bucket, to a family of buckets, or to a part of one.
#[derive(Clone, Debug)]
pub struct Grant {
    /// An exact bucket name, a prefix of bucket names ending in `*`, or a bucket's name, `/` and a prefix of keys ending in `*`: then
    /// objects alone, since what is done to a bucket is done to all of them.
    pub buckets: String,
    /// What is allowed there.
    pub access: Access,
}

/// What a grant allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Get, head and list.
    Read,
    /// Put, and list and end unfinished uploads: whoever adds need not read what others have added.
    Add,
    /// Everything, including the creation and deletion of the bucket.
    Write,
}

/// A server that is bound and open, and answers once it runs.
pub struct Depot {
    listener: TcpListener,
    local_addr: SocketAddr,
    limits: Limits,
    store: Arc<Store>,
    keys: access::Keys,
}

impl Depot {
    /// Takes possession of the data directory, clears what a crash left behind, and binds the listener.
    ///
    /// # Errors
    ///
    /// [`Error::InUse`] when another process has the directory; the other variants name what failed.
    pub async fn bind(config: Config) -> Result<Self, Error> {
        let keys = access::Keys::new(config.keys)?;
        let store = Store::open(config.root, config.region).await?;
        let listen = |source| Error::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
        let local_addr = listener.local_addr().map_err(listen)?;
        let limits = Limits { http2: false, drain: DRAIN, ..Limits::of(Share::Depot) };
        Ok(Self { listener, local_addr, limits, store: Arc::new(store), keys })
    }

    /// The address the server listens on, with the port it was given.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `stop` is cancelled, then lets open requests finish for a few seconds and closes the data directory.
    ///
    /// # Errors
    ///
    /// [`Error::Broken`] when the index can no longer be written; start again to recover from the last good state.
    pub async fn run(self, stop: CancellationToken) -> Result<(), Error> {
        let broken = self.store.broken();
        let halt = CancellationToken::new();
        let service = service::build(Arc::clone(&self.store), self.keys);
        let serving = server::serve(self.listener, self.limits, service, halt.clone());
        let watch = async {
            tokio::select! {
                () = stop.cancelled() => {}
                () = broken.cancelled() => {}
            }
            halt.cancel();
        };
        tokio::join!(serving, watch);
        self.store.settle().await;
        if broken.is_cancelled() { Err(Error::Broken) } else { Ok(()) }
    }
}
