//! The object store of a world: started, stopped, and started again where it was.

use secrecy::SecretString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use storage::Storage;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const REGION: &str = "eu-central-1";
const SECRET: &str = "a secret of the tests";

pub(crate) struct Store {
    root: PathBuf,
    at: SocketAddr,
    running: Mutex<Option<(CancellationToken, JoinHandle<()>)>>,
}

impl Store {
    pub(crate) async fn start(root: PathBuf) -> (Self, Storage) {
        let (at, running) = serve(&root, "127.0.0.1:0".parse().unwrap()).await;
        let endpoint = format!("http://{at}");
        let config = storage::Config::new(endpoint, REGION.to_owned(), "tests".to_owned(), SecretString::from(SECRET));
        (Self { root, at, running: Mutex::new(Some(running)) }, Storage::connect(&config))
    }

    pub(crate) async fn stop(&self) {
        if let Some((stop, running)) = self.running.lock().await.take() {
            stop.cancel();
            running.await.unwrap();
        }
    }

    /// Where it was before.
    pub(crate) async fn start_again(&self) {
        let (_, running) = serve(&self.root, self.at).await;
        *self.running.lock().await = Some(running);
    }
}

async fn serve(root: &Path, listen: SocketAddr) -> (SocketAddr, (CancellationToken, JoinHandle<()>)) {
    let grant = depot::Grant { buckets: "*".to_owned(), access: depot::Access::Write };
    let key = depot::Key { id: "tests".to_owned(), secret: SecretString::from(SECRET), grants: vec![grant] };
    let (root, region) = (root.to_owned(), REGION.to_owned());
    let depot = depot::Depot::bind(depot::Config { root, listen, region, keys: vec![key] }).await.unwrap();
    let (at, stop) = (depot.local_addr(), CancellationToken::new());
    let running = tokio::spawn({
        let stop = stop.clone();
        async move { depot.run(stop).await.unwrap() }
    });
    (at, (stop, running))
}
