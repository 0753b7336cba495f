//! A Postgres of its own with a read model in it.

use futures::StreamExt;
use projections::Store;
use secrecy::ExposeSecret;
use servers::postgres::{Config, Role, Server};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use std::path::Path;

/// A private Postgres as `pagefold up` runs it, with an empty live model.
pub(crate) struct ReadModel {
    server: Server,
    pub(crate) store: Store,
}

impl ReadModel {
    pub(crate) async fn new(folder: &Path) -> Self {
        let server = Server::start(&Config::new(folder.join("postgres"))).await.unwrap();
        let store = Store::connect(&server.url(Role::Owner), 4).await.unwrap();
        store.prepare(Some(Role::Reader.name())).await.unwrap();
        Self { server, store }
    }

    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect(self.server.url(Role::Owner).expose_secret()).await.unwrap()
    }

    /// The live rows of the timeline, as COPY writes them.
    pub(crate) async fn rows(&self) -> Vec<bytes::Bytes> {
        let mut connection = self.connect().await;
        let copied = connection.copy_out_raw("COPY pagefold.events TO STDOUT").await.unwrap();
        copied.map(Result::unwrap).collect().await
    }

    pub(crate) async fn stop(self) {
        self.store.close().await;
        self.server.stop().await.unwrap();
    }
}

/// Copies rows of the timeline into a table of their own: with its primary key, and nothing more.
pub(crate) async fn copy(connection: &mut PgConnection, rows: &[bytes::Bytes]) {
    run(connection, "DROP TABLE IF EXISTS copied").await;
    run(connection, "CREATE TABLE copied (LIKE pagefold.events, PRIMARY KEY (sequence))").await;
    let mut into = connection.copy_in_raw("COPY copied FROM STDIN").await.unwrap();
    for row in rows {
        into.send(&row[..]).await.unwrap();
    }
    into.finish().await.unwrap();
}

async fn run(connection: &mut PgConnection, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(connection).await.unwrap();
}
