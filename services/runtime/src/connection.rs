//! A connection to the log's server that outlives its interruptions.

mod told;

use crate::error::Error;
use async_nats::connection::State;
use async_nats::jetstream::{self, context::ContextBuilder};
use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions, ServerAddr};
use secrecy::{ExposeSecret, SecretString};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use told::{Seen, listener};

/// How long one request to the server may take.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// The pause before the next try to connect grows by this from try to try, up to so many times as much.
const PAUSE_STEP: Duration = Duration::from_millis(100);
const PAUSE_STEPS_MAX: usize = 10;

/// Where the log is and who asks.
#[derive(Debug, Clone)]
pub struct Config {
    /// `nats://host:port`, or `tls://host:port` for a server that proves itself; several separated by commas.
    pub url: String,
    /// The service's user: permissions are per service.
    pub user: String,
    /// Its password.
    pub password: SecretString,
    /// The certificate (PEM) that the server is known by, or that of who vouches for it. The system's own if absent.
    pub certificate: Option<PathBuf>,
}

/// A connection for one service.
#[derive(Debug, Clone)]
pub struct Connection {
    pub(crate) service: String,
    pub(crate) client: Client,
    pub(crate) jetstream: jetstream::Context,
    /// The server's address, as it is shown.
    address: Arc<str>,
    seen: watch::Receiver<Seen>,
    closed: CancellationToken,
}

impl Connection {
    /// Connects as `config.user`, which names the service in facts and inboxes. For whoever wants to know at once.
    ///
    /// # Errors
    /// [`Error::Denied`] if the password is wrong, [`Error::Unproved`] if the server is not the one it should be,
    /// [`Error::Silent`] if none answers. Once connected, it reconnects for ever.
    pub async fn open(config: &Config) -> Result<Self, Error> {
        let mut connection = Self::connect(config, false).await?;
        // The first connection is no interruption; its event may come after it.
        let _ = tokio::time::timeout(REQUEST_TIMEOUT, connection.seen.wait_for(|seen| seen.made > 0)).await;
        Ok(connection)
    }

    /// Connects as [`open`](Self::open) does, in the background and for as long as it takes: for services, which wait for
    /// what they need. What is asked of the log until then fails as unavailable.
    ///
    /// # Errors
    /// [`Error::Silent`] if the address cannot be one.
    pub async fn establish(config: &Config) -> Result<Self, Error> {
        Self::connect(config, true).await
    }

    async fn connect(config: &Config, patient: bool) -> Result<Self, Error> {
        let (service, address) = (config.user.clone(), shown(&config.url));
        let (teller, seen) = watch::channel(Seen::default());
        let closed = CancellationToken::new();
        let mut options =
            ConnectOptions::with_user_and_password(config.user.clone(), config.password.expose_secret().into())
                .name(format!("pagefold-{service}"))
                .custom_inbox_prefix(inbox_prefix(&service))
                .request_timeout(Some(REQUEST_TIMEOUT))
                .max_reconnects(None)
                .reconnect_delay_callback(|attempts| PAUSE_STEP * attempts.min(PAUSE_STEPS_MAX) as u32)
                .event_callback(listener(&service, teller, closed.clone()));
        if let Some(certificate) = &config.certificate {
            options = options.require_tls(true).add_root_certificates(certificate.clone());
        }
        if patient {
            options = options.retry_on_initial_connect();
        }
        let servers: Result<Vec<ServerAddr>, _> = config.url.split(',').map(|url| url.trim().parse()).collect();
        let servers = servers.map_err(|source| Error::Silent { address: address.clone(), source: Box::new(source) })?;
        let client = options.connect(servers).await.map_err(|source| match source.kind() {
            _ if is_unproved(&source) => Error::Unproved { address: address.clone(), source: source.into() },
            ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
                Error::Denied { address: address.clone(), user: service.clone() }
            }
            ConnectErrorKind::ServerParse
            | ConnectErrorKind::Dns
            | ConnectErrorKind::Tls
            | ConnectErrorKind::TimedOut
            | ConnectErrorKind::Io
            | ConnectErrorKind::MaxReconnects => Error::Silent { address: address.clone(), source: source.into() },
        })?;
        let jetstream = ContextBuilder::new().timeout(REQUEST_TIMEOUT).build(client.clone());
        Ok(Self { service, client, jetstream, address: address.into(), seen, closed })
    }

    /// The service this connection belongs to.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Whether the server has the connection now. It may be silent nevertheless: [`check`](Self::check) asks it.
    pub async fn is_up(&self) -> bool {
        !self.closed.is_cancelled() && self.client.connection_state() == State::Connected
    }

    /// Asks the log whether it is there; the error says why not, for an operator.
    ///
    /// # Errors
    /// A sentence that names the address and the user, and no secret.
    pub async fn check(&self) -> Result<(), String> {
        if !self.is_up().await {
            let problem = self.seen.borrow().problem.clone();
            return Err(problem.unwrap_or_else(|| format!("not connected to `{}`", self.address)));
        }
        let answered = self.jetstream.query_account().await;
        answered.map(drop).map_err(|error| format!("the log at `{}` does not answer: {error}", self.address))
    }

    /// How often it was made: what was known of the log on an earlier one may be another log's by now.
    pub(crate) fn generation(&self) -> u64 {
        self.seen.borrow().made
    }

    /// Ends when the connection was broken and made anew: what was asked before it will not be answered.
    pub(crate) fn interrupted(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut seen = self.seen.clone();
        let made = seen.borrow().made;
        async move {
            if seen.wait_for(|seen| seen.made != made).await.is_err() {
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

/// Each service hears answers only in its own inbox: what the subjects of `service`'s begin with.
#[must_use]
pub fn inbox_prefix(service: &str) -> String {
    format!("_INBOX_{service}")
}

/// An address without what may stand before the host.
fn shown(url: &str) -> String {
    let hidden = |address: &str| match address.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", rest.rsplit('@').next().unwrap_or_default()),
        None => address.rsplit('@').next().unwrap_or_default().to_owned(),
    };
    url.split(',').map(hidden).collect::<Vec<_>>().join(",")
}

/// Whether somebody answered and the proof was wrong. The client takes that for a failure of the line.
fn is_unproved(error: &ConnectError) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<std::io::Error>());
    let inner = source.and_then(std::io::Error::get_ref);
    inner.is_some_and(|inner| inner.is::<async_nats::rustls::Error>())
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn an_address_is_shown_without_its_password() {
        assert_eq!(shown("nats://web:secret@a:1,nats://b:2"), "nats://a:1,nats://b:2");
        assert_eq!(shown("secret@a:1"), "a:1");
    }
}
