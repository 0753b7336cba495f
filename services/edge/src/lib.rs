//! The edge: published sites over HTTP, straight from their buckets, by a route table folded from the log.
//!
//! *Hears* facts about sites, aliases and routes. *Says* nothing. *Touches* site buckets (reading), its own data directory, and
//! the servers that routes lead to.
//! *Safe to repeat because* the table is a fold with its position, and everything else it keeps is a copy of what never
//! changes. It serves what it knew last when the log is down, and what it has cached when the store is down.

mod backend;
mod body;
mod caching;
mod conditions;
mod content;
mod disk;
mod doors;
mod encoding;
mod error;
mod files;
mod fold;
mod hosts;
mod journal;
mod kept;
mod prefetch;
mod purging;
mod refusal;
mod respond;
mod routes;
mod serve;
mod server;
mod table;
mod variants;

use crate::backend::Backends;
use crate::content::Content;
use crate::doors::Doors;
use crate::fold::Fold;
use crate::purging::Purging;
use crate::serve::Pages;
use crate::table::Purges;
use dialer::{Dialer, Own};
use listener::{Limits, Share};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use storage::Storage;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use crate::doors::SignIn;
pub use error::Error;
pub use table::Table;

/// The domain below which every site has its host, unless configured otherwise.
pub const BASE_DOMAIN: &str = "sites.localhost";
/// Memory for manifests and file contents, unless configured otherwise.
pub const CACHE_BYTES: u64 = 256 * 1024 * 1024;
/// Disk for file contents, unless configured otherwise.
pub const DISK_BYTES: u64 = 1024 * 1024 * 1024;
/// How long a server that a route leads to may take for the head of its answer, unless configured otherwise.
pub const BACKEND_PATIENCE: Duration = Duration::from_secs(20);
/// How long an edge that starts lets its readers wait for what the log has, before it serves what it knew last. It is
/// spent when the log or the store is away.
pub const CATCH_UP_MAX: Duration = Duration::from_secs(2);

/// Where the edge listens and what it may keep.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address of the HTTP listener. Port 0 takes a free port.
    pub listen: SocketAddr,
    /// The domain below which every site has its host: `docs` is served as `docs.<base_domain>`.
    pub base_domain: String,
    /// Where the last table, the manifests in service and what was served are kept. It belongs to one process at a time.
    pub data_dir: PathBuf,
    /// Memory for manifests and file contents, in bytes.
    pub cache_bytes: u64,
    /// Disk for file contents, in bytes.
    pub disk_bytes: u64,
    /// How the servers that routes lead to are connected to.
    pub backends: Dialer,
    /// How long one of them may take for the head of its answer, once all was sent to it.
    pub backend_patience: Duration,
    /// What opens closed sites; without it they stay closed.
    pub key: Option<::doors::Key>,
    /// Where members sign in.
    pub sign_in: SignIn,
}

impl Config {
    /// A configuration with the default domain and cache. Routes lead to public addresses only.
    #[must_use]
    pub fn new(listen: SocketAddr, data_dir: PathBuf) -> Self {
        let (base_domain, backends) = (BASE_DOMAIN.to_owned(), Dialer::default());
        let (key, sign_in) = (None, SignIn::Nowhere);
        let (cache_bytes, disk_bytes, backend_patience) = (CACHE_BYTES, DISK_BYTES, BACKEND_PATIENCE);
        Self { listen, base_domain, data_dir, cache_bytes, disk_bytes, backends, backend_patience, key, sign_in }
    }
}

/// An edge that is bound and knows what it knew last; it answers once it runs.
pub struct Edge {
    listener: TcpListener,
    local_addr: SocketAddr,
    limits: Limits,
    log: runtime::connection::Config,
    fold: Fold,
    purging: Purging,
    purges: Purges,
    pages: Pages,
}

impl Edge {
    /// Reads the last table and binds the listener. Neither the log nor the store is asked for anything yet.
    ///
    /// # Errors
    /// [`Error`] if the data directory cannot be used or the address cannot be listened on.
    pub async fn bind(config: Config, log: runtime::connection::Config, storage: Storage) -> Result<Self, Error> {
        let content = Arc::new(Content::open(&config, storage).await?);
        let fold = Fold::open(&config.data_dir, Arc::clone(&content)).await;
        let (table, kept) = (fold.table(), Arc::clone(&content));
        let (purging, purges) = Purging::open(&config.data_dir, &config.base_domain, kept, table).await;
        let listen = |source| Error::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
        let local_addr = listener.local_addr().map_err(listen)?;
        let mut backends = config.backends.clone();
        // No route leads back here.
        backends.own.push(Own::At(local_addr.to_string()));
        let backends = Backends::new(backends, config.backend_patience);
        let doors = Doors::new(config.key.clone(), config.sign_in.clone());
        let pages = Pages::new(&config.base_domain, fold.table(), content, backends, doors);
        Ok(Self { listener, local_addr, limits: Limits::of(Share::Edge), log, fold, purging, purges, pages })
    }

    /// The same with other limits on what readers may hold.
    #[must_use]
    pub fn within(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The address the edge listens on, with the port it was given.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves and follows the log until `stop` is cancelled, then lets open requests finish for a few seconds. It
    /// connects to the log in the background and for ever.
    ///
    /// # Errors
    /// [`Error::Keep`] if the last table could not be kept at the end.
    pub async fn run(self, stop: CancellationToken) -> Result<(), Error> {
        let current = self.fold.current();
        let serving = async {
            // A table that was kept a moment before the end would show pages older than readers have seen.
            let _ = tokio::time::timeout(CATCH_UP_MAX, stop.run_until_cancelled(current.cancelled())).await;
            server::serve(self.listener, self.limits, Arc::new(self.pages), stop.clone()).await;
        };
        let purging = self.purging.run(stop.clone());
        let (kept, (), ()) = tokio::join!(self.fold.run(self.log, self.purges, stop.clone()), serving, purging);
        kept
    }
}
