//! What the client tells of its connection, for operators and for who waits for it.

use async_nats::{ClientError, ConnectErrorKind, Event, ServerError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What the client has told.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// How often the connection was made.
    pub(super) made: u64,
    /// Why it could not be made, since it was last.
    pub(super) problem: Option<String>,
}

/// Notes what the client tells, and says it once.
pub(super) fn listener(
    service: &str,
    teller: watch::Sender<Seen>,
    closed: CancellationToken,
) -> impl Fn(Event) -> std::future::Ready<()> + Send + Sync + 'static {
    let service = service.to_owned();
    move |event| {
        report(&service, &event);
        let problem = problem(&service, &event);
        if matches!(event, Event::Connected) {
            teller.send_modify(|seen| *seen = Seen { made: seen.made + 1, problem: None });
        } else if matches!(event, Event::Closed) {
            closed.cancel();
        } else if problem.is_some() && teller.borrow().problem != problem {
            tracing::warn!(service, problem, "cannot reach the log, trying again");
            teller.send_modify(|seen| seen.problem = problem);
        }
        std::future::ready(())
    }
}

/// Why there is no connection, as an operator should read it.
fn problem(service: &str, event: &Event) -> Option<String> {
    let denied = || format!("the log's server refuses the password of user `{service}`");
    match event {
        Event::ServerError(ServerError::AuthorizationViolation) => Some(denied()),
        Event::ClientError(ClientError::Other(told))
            if *told == ConnectErrorKind::AuthorizationViolation.to_string() =>
        {
            Some(denied())
        }
        Event::ClientError(error) => {
            Some(format!("the log's server does not answer, or does not prove itself by its certificate ({error})"))
        }
        Event::Connected
        | Event::Disconnected
        | Event::LameDuckMode
        | Event::Draining
        | Event::Closed
        | Event::SlowConsumer(_)
        | Event::ServerError(_) => None,
    }
}

fn report(service: &str, event: &Event) {
    match event {
        Event::Connected => tracing::info!(service, "connected to the log"),
        Event::Disconnected => tracing::warn!(service, "disconnected from the log, reconnecting"),
        Event::LameDuckMode => tracing::warn!(service, "the log's server is shutting down"),
        Event::SlowConsumer(subscription) => tracing::warn!(service, subscription, "slow subscription lost messages"),
        Event::ServerError(error) => tracing::error!(service, %error, "the log's server reports an error"),
        Event::ClientError(error) => tracing::debug!(service, %error, "the log's client reports an error"),
        Event::Draining | Event::Closed => tracing::debug!(service, "connection to the log closes"),
    }
}
