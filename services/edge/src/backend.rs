//! Asks the server that a route leads to, and passes on what it says as it comes. Where that server may be is decided when it is
//! connected to: never at the platform itself, and in private networks only where the operator lets it.

mod head;
mod sending;

use crate::body::{Body, Broken};
use crate::refusal::Refusal;
use dialer::{Connector, Dialer, Unreached};
use events::routing::Origin;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use sending::Sending;
use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long a backend may take to accept a connection, its name to resolve included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Requests that are with backends at the same time.
const REQUESTS_MAX: usize = 1024;
/// Connections that are kept for the next request, to each backend, and for how long.
const IDLE_MAX: usize = 32;
const IDLE: Duration = Duration::from_secs(60);

/// The way to all backends.
pub(crate) struct Backends {
    client: Client<HttpsConnector<Connector>, Sending>,
    places: Arc<Semaphore>,
    /// How long a backend may take for the head of its answer, once all was sent to it.
    patience: Duration,
}

impl Backends {
    pub(crate) fn new(dialer: Dialer, patience: Duration) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_MAX)
            .build(Connector::within(dialer, CONNECT_TIMEOUT).over_tls());
        Self { client, places: Arc::new(Semaphore::new(REQUESTS_MAX)), patience }
    }

    /// What the backend answers, or why there is no answer.
    pub(crate) async fn ask(
        &self,
        backend: &Origin,
        asked: &Parts,
        body: listener::Body,
    ) -> Result<Response<Body>, Refusal> {
        let head = head::outgoing(asked, backend).ok_or(Refusal::PathMalformed)?;
        if head::has_been_here(asked) {
            return Err(Refusal::BackendLoop);
        }
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Refusal::BackendBusy)?;
        let (body, sent) = sending::watched(body);
        let asking = self.client.request(Request::from_parts(head, body));
        let response = tokio::select! {
            response = asking => response.map_err(|error| refused(backend, &error))?,
            () = sent.silent_for(self.patience) => {
                tracing::info!(%backend, "a backend is too slow");
                return Err(Refusal::BackendTimeout);
            }
        };
        let (mut head, incoming) = response.into_parts();
        head::incoming(&mut head);
        // The place is given back with the end of the answer.
        let body = incoming.map_frame(move |frame| {
            let _ = &place;
            frame
        });
        Ok(Response::from_parts(head, body.map_err(Broken::Backend).boxed_unsync()))
    }
}

fn refused(backend: &Origin, error: &Error) -> Refusal {
    tracing::info!(%backend, error = error as &dyn StdError, "a backend cannot be asked");
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(Unreached::Failed { kind: io::ErrorKind::TimedOut, .. }) = error.downcast_ref() {
            return Refusal::BackendTimeout;
        }
        cause = error.source();
    }
    Refusal::BackendUnreachable
}
