//! A connection to the log's server that outlives its interruptions.

use crate::error::Error;
use async_nats::jetstream::{self, context::ContextBuilder};
use async_nats::{Client, ConnectOptions, Event};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How long one request to the server may take.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the log is and who asks.
#[derive(Debug, Clone)]
pub struct Config {
    /// `nats://host:port`, or several separated by commas.
    pub url: String,
    /// The service's user: permissions are per service.
    pub user: String,
    /// Its password.
    pub password: SecretString,
}

/// A connection for one service.
#[derive(Debug, Clone)]
pub struct Connection {
    pub(crate) service: String,
    pub(crate) client: Client,
    pub(crate) jetstream: jetstream::Context,
    /// How often it was made.
    made: watch::Receiver<u64>,
    closed: CancellationToken,
}

impl Connection {
    /// Connects as `config.user`, which names the service in facts and inboxes.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if no server answers or the password is wrong. Once connected, it reconnects for ever.
    pub async fn open(config: &Config) -> Result<Self, Error> {
        let service = config.user.clone();
        let (name, closed) = (service.clone(), CancellationToken::new());
        let (ended, (counter, mut made)) = (closed.clone(), watch::channel(0));
        let client =
            ConnectOptions::with_user_and_password(config.user.clone(), config.password.expose_secret().into())
                .name(format!("pagefold-{service}"))
                .custom_inbox_prefix(inbox_prefix(&service))
                .request_timeout(Some(REQUEST_TIMEOUT))
                .max_reconnects(None)
                .reconnect_delay_callback(|attempts| Duration::from_millis(100 * attempts.min(20) as u64))
                .event_callback(move |event| {
                    report(&name, &event);
                    if matches!(event, Event::Connected) {
                        counter.send_modify(|made| *made += 1);
                    } else if matches!(event, Event::Closed) {
                        ended.cancel();
                    }
                    std::future::ready(())
                })
                .connect(config.url.split(',').collect::<Vec<_>>())
                .await
                .map_err(Error::unavailable("connect"))?;
        let jetstream = ContextBuilder::new().timeout(REQUEST_TIMEOUT).build(client.clone());
        // The first connection is no interruption; its event may come after it.
        let _ = tokio::time::timeout(REQUEST_TIMEOUT, made.wait_for(|made| *made > 0)).await;
        Ok(Self { service, client, jetstream, made, closed })
    }

    /// The service this connection belongs to.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Whether the server answers now.
    pub async fn is_up(&self) -> bool {
        !self.closed.is_cancelled() && self.client.connection_state() == async_nats::connection::State::Connected
    }

    /// How often it was made: what was known of the log on an earlier one may be another log's by now.
    pub(crate) fn generation(&self) -> u64 {
        *self.made.borrow()
    }

    /// Ends when the connection was broken and made anew: what was asked before it will not be answered.
    pub(crate) fn interrupted(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut made = self.made.clone();
        made.mark_unchanged();
        async move {
            if made.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Sends what is buffered and closes; waits for that, but not longer than a request may take.
    pub async fn close(&self) {
        if let Err(error) = self.client.drain().await {
            tracing::debug!(%error, "connection was closed before it was drained");
            return;
        }
        if tokio::time::timeout(REQUEST_TIMEOUT, self.closed.cancelled()).await.is_err() {
            tracing::warn!(service = self.service, "connection was not closed in time");
        }
    }
}

/// Each service hears answers only in its own inbox.
pub(crate) fn inbox_prefix(service: &str) -> String {
    format!("_INBOX_{service}")
}

fn report(service: &str, event: &Event) {
    match event {
        Event::Connected => tracing::info!(service, "connected to the log"),
        Event::Disconnected => tracing::warn!(service, "disconnected from the log, reconnecting"),
        Event::LameDuckMode => tracing::warn!(service, "the log's server is shutting down"),
        Event::SlowConsumer(subscription) => tracing::warn!(service, subscription, "slow subscription lost messages"),
        Event::ServerError(error) => tracing::error!(service, %error, "the log's server reports an error"),
        Event::ClientError(error) => tracing::warn!(service, %error, "the log's client reports an error"),
        Event::Draining | Event::Closed => tracing::debug!(service, "connection to the log closes"),
    }
}
