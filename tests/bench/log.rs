//! A log of its own with a history in it.

use async_nats::{Client, ConnectOptions, Message};
use events::Recorded;
use journeys::bench::progress;
use journeys::{fill, temporary_folder};
use runtime::{Connection, Log, streams};
use secrecy::ExposeSecret;
use servers::nats::Server;
use std::path::Path;
use std::time::Instant;
use tempfile::TempDir;

/// A running log.
pub(crate) struct FilledLog {
    server: Server,
    folder: TempDir,
}

impl FilledLog {
    /// A log that holds `history`, whose facts must be in order from 1.
    pub(crate) async fn new(history: impl Iterator<Item = Recorded>) -> Self {
        let folder = temporary_folder();
        let at = folder.path().join("log");
        let server = Server::start(&at, 0).await.unwrap();
        let operator = Connection::open(&server.access("ctl").unwrap()).await.unwrap();
        streams::provision(&operator, 1).await.unwrap();
        operator.close().await;
        server.stop().await;
        let mut history = history.peekable();
        if history.peek().is_some() {
            let (started, count) = (Instant::now(), fill(&at, history).await);
            let rate = count as f64 / started.elapsed().as_secs_f64();
            progress(format_args!("filled a log with {count} facts, {rate:.0}/s"));
        }
        let server = Server::start(&at, 0).await.unwrap();
        Self { server, folder }
    }

    /// A folder for whatever else the measurement keeps on the same disk.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The log as a service sees it.
    pub(crate) async fn log(&self, service: &str) -> Log {
        Log::new(Connection::open(&self.server.access(service).unwrap()).await.unwrap())
    }

    /// The same without anything of ours.
    pub(crate) async fn bare(&self, service: &str) -> Client {
        let access = self.server.access(service).unwrap();
        let options = ConnectOptions::with_user_and_password(access.user, access.password.expose_secret().to_owned());
        let options = options.add_root_certificates(access.certificate.unwrap());
        options.custom_inbox_prefix(format!("_INBOX_{service}")).connect(&access.url).await.unwrap()
    }

    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }
}

/// Stops if the server did not store what was sent.
pub(crate) fn expect_stored(answer: &Message) {
    assert!(!answer.payload.windows(7).any(|window| window == b"\"error\""), "{:?}", answer.payload);
}
