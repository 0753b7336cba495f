//! The object store of `pagefold up`, in this process.

use depot::{Access, Config, Depot, Grant, Key};
use secrecy::SecretString;
use std::path::Path;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(super) const REGION: &str = "us-east-1";
pub(super) const KEY: &str = "bench";
pub(super) const SECRET: &str = "no-secret";

pub(super) struct Store {
    pub(super) endpoint: String,
    stop: CancellationToken,
    running: JoinHandle<Result<(), depot::Error>>,
}

impl Store {
    pub(super) async fn start(folder: &Path) -> Self {
        let grants = vec![Grant { buckets: "*".to_owned(), access: Access::Write }];
        let key = Key { id: KEY.to_owned(), secret: SECRET.to_owned().into(), grants };
        let (root, listen) = (folder.join("s3"), "127.0.0.1:0".parse().unwrap());
        let config = Config { root, listen, region: REGION.to_owned(), keys: vec![key] };
        let depot = Depot::bind(config).await.unwrap();
        let (endpoint, stop) = (format!("http://{}", depot.local_addr()), CancellationToken::new());
        Self { endpoint, running: tokio::spawn(depot.run(stop.clone())), stop }
    }

    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap().unwrap();
    }
}

/// The store as the syncer reaches it.
pub(super) fn storage(endpoint: String) -> storage::Storage {
    let secret = SecretString::from(SECRET);
    storage::Storage::connect(&storage::Config::new(endpoint, REGION.to_owned(), KEY.to_owned(), secret))
}
