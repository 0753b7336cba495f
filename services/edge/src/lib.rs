//! The edge: published sites over HTTP, straight from their buckets, by a route table folded from the log.
//!
//! *Hears* facts about sites, aliases and routes. *Says* nothing. *Touches* site buckets (reading), its own data directory, and
//! the servers that routes lead to.
//! *Safe to repeat because* the table is a fold with its position, and everything else it keeps is a copy of what never
//! changes. It serves what it knew last when the log is down, and what it has cached when the store is down.

mod backend;
mod body;
mod caching;
mod certificates;
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
mod secure;
mod serve;
mod server;
mod table;
mod variants;

use crate::backend::Backends;
use crate::certificates::Certificates;
use crate::content::Content;
use crate::doors::Doors;
use crate::fold::{Fold, InService};
use crate::purging::Purging;
use crate::secure::Secure;
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

/// Where the edge speaks TLS, and by what.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The address of the listener. Port 0 takes a free port.
    pub listen: SocketAddr,
    /// The folder of an operator's certificates: chains in `NAME.pem`, each key there too or in `NAME.key`.
    pub certificates: Option<PathBuf>,
}

/// Where the edge listens and what it may keep.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address of the HTTP listener. Port 0 takes a free port.
    pub listen: SocketAddr,
    /// Where it speaks TLS, if it does.
    pub tls: Option<Tls>,
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
        let (tls, key, sign_in) = (None, None, SignIn::Nowhere);
        let (cache_bytes, disk_bytes, backend_patience) = (CACHE_BYTES, DISK_BYTES, BACKEND_PATIENCE);
        Self { listen, tls, base_domain, data_dir, cache_bytes, disk_bytes, backends, backend_patience, key, sign_in }
    }
}

/// An edge that is bound and knows what it knew last; it answers once it runs.
pub struct Edge {
    listener: TcpListener,
    local_addr: SocketAddr,
    encrypted: Option<Encrypted>,
    limits: Limits,
    log: runtime::connection::Config,
    fold: Fold,
    purging: Purging,
    purges: Purges,
    pages: Pages,
}

/// The listener that speaks TLS.
struct Encrypted {
    listener: TcpListener,
    local_addr: SocketAddr,
    tls: listener::Tls,
    certificates: Arc<Certificates>,
}

impl Encrypted {
    async fn bind(config: &Tls, table: InService, key: Option<::doors::Key>) -> Result<Self, Error> {
        let (address, certificates) = (config.listen, Certificates::of(config.certificates.as_deref(), table, key));
        let listen = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let local_addr = listener.local_addr().map_err(listen)?;
        let tls = certificates.tls().map_err(|error| listen(std::io::Error::other(error)))?;
        Ok(Self { listener, local_addr, tls, certificates })
    }

    fn secure(&self) -> Secure {
        Secure { certificates: Arc::clone(&self.certificates), port: self.local_addr.port() }
    }

    async fn serve(self, limits: Limits, pages: Arc<Pages>, stop: CancellationToken) {
        let watching = stop.clone().run_until_cancelled_owned(async move { self.certificates.watch().await });
        tokio::join!(server::serve_tls(self.listener, limits, self.tls, pages, stop), watching);
    }
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
        let encrypted = match &config.tls {
            Some(tls) => Some(Encrypted::bind(tls, fold.table(), config.key.clone()).await?),
            None => None,
        };
        backends.own.extend(encrypted.as_ref().map(|encrypted| Own::At(encrypted.local_addr.to_string())));
        let backends = Backends::new(backends, config.backend_patience);
        let doors = Doors::new(config.key.clone(), config.sign_in.clone());
        let pages = Pages::new(&config.base_domain, fold.table(), content, backends, doors);
        let pages = match &encrypted {
            Some(encrypted) => pages.beside(encrypted.secure()),
            None => pages,
        };
        let limits = Limits::of(Share::Edge);
        Ok(Self { listener, local_addr, encrypted, limits, log, fold, purging, purges, pages })
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

    /// The address at which the edge speaks TLS, if it does.
    #[must_use]
    pub fn tls_addr(&self) -> Option<SocketAddr> {
        self.encrypted.as_ref().map(|encrypted| encrypted.local_addr)
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
            let (pages, limits) = (Arc::new(self.pages), self.limits);
            match self.encrypted {
                None => server::serve(self.listener, limits, pages, stop.clone()).await,
                Some(encrypted) => {
                    // Both doors lead into one house.
                    let half = limits.halved();
                    let plain = server::serve(self.listener, half.clone(), Arc::clone(&pages), stop.clone());
                    tokio::join!(plain, encrypted.serve(half, pages, stop.clone()));
                }
            }
        };
        let purging = self.purging.run(stop.clone());
        let (kept, (), ()) = tokio::join!(self.fold.run(self.log, self.purges, stop.clone()), serving, purging);
        kept
    }
}
