//! One private server for all tests that run at the same time, one database for each.

use events::Recorded;
use projections::{Applied, Model, Store};
use secrecy::{ExposeSecret, SecretString};
use servers::postgres::{Config, Role, Server};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use tempfile::TempDir;
use tokio::sync::Mutex;

static SHARED: Mutex<Weak<Shared>> = Mutex::const_new(Weak::new());
static DATABASES: AtomicU32 = AtomicU32::new(0);

struct Shared {
    /// Ends before its directory is removed: fields drop in order.
    server: Server,
    _directory: TempDir,
}

/// A database of its own, with an empty live model.
pub(crate) struct Database {
    shared: Arc<Shared>,
    name: String,
    pub(crate) store: Store,
}

/// A directory that the server's user can enter.
pub(crate) fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

/// A server below `directory` that does not wait for the disk.
pub(crate) fn config(directory: &TempDir) -> Config {
    let settings = vec![("fsync".to_owned(), "off".to_owned()), ("max_connections".to_owned(), "200".to_owned())];
    Config { settings, ..Config::new(directory.path().join("postgres")) }
}

impl Database {
    pub(crate) async fn new() -> Self {
        let shared = shared().await;
        let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let mut administrator = connect(&shared.server.url(Role::Administrator)).await;
        for statement in [
            format!("CREATE DATABASE {name} OWNER {}", Role::Owner.name()),
            format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC"),
            format!("GRANT CONNECT ON DATABASE {name} TO {}", Role::Reader.name()),
        ] {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut administrator).await.unwrap();
        }
        administrator.close().await.unwrap();
        let url = named(&shared.server.url(Role::Owner), &name);
        let store = Store::connect(&url, 4).await.unwrap();
        store.prepare(Some(Role::Reader.name())).await.unwrap();
        Self { shared, name, store }
    }

    pub(crate) fn live(&self) -> Model {
        self.store.live()
    }

    pub(crate) fn url(&self, role: Role) -> SecretString {
        named(&self.shared.server.url(role), &self.name)
    }

    /// A store that connects as the role of readers.
    pub(crate) async fn reader(&self) -> Store {
        Store::connect(&self.url(Role::Reader), 4).await.unwrap()
    }

    /// Runs one statement as the owner.
    pub(crate) async fn run(&self, statement: &str) {
        let mut connection = connect(&self.url(Role::Owner)).await;
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}

pub(crate) async fn connect(url: &SecretString) -> PgConnection {
    PgConnection::connect(url.expose_secret()).await.unwrap()
}

pub(crate) fn facts(history: &[Recorded]) -> Vec<Applied> {
    history.iter().cloned().map(Applied::Fact).collect()
}

async fn shared() -> Arc<Shared> {
    let mut held = SHARED.lock().await;
    if let Some(shared) = held.upgrade() {
        return shared;
    }
    let directory = directory();
    let server = Server::start(&config(&directory)).await.unwrap();
    let shared = Arc::new(Shared { server, _directory: directory });
    *held = Arc::downgrade(&shared);
    shared
}

fn named(url: &SecretString, database: &str) -> SecretString {
    let (server, _) = url.expose_secret().rsplit_once('/').unwrap();
    format!("{server}/{database}").into()
}

/// A place that holds no fact.
pub(crate) fn place(sequence: u64) -> events::Position {
    events::Position { sequence, ..events::Position::START }
}
