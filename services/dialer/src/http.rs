//! Requests to where somebody outside chose: over connections that were checked, without following where they lead, and not for ever.

use crate::{Dialer, Unreached};
use ::http::header::{HeaderValue, USER_AGENT};
use ::http::{HeaderMap, Request, StatusCode, Uri};
use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::error::Error as StdError;
use std::io::ErrorKind;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a connection may take in all, the addresses of its host one after another.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much of an answer is read.
const ANSWER_MAX: usize = 4 << 20;

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    /// How it went.
    pub status: StatusCode,
    /// What goes with it.
    pub headers: HeaderMap,
    /// What was said; nothing if that was more than anybody has to say.
    pub body: Bytes,
}

/// Why nothing was answered.
#[derive(Debug, thiserror::Error)]
pub enum Silence {
    /// Nobody may ask there.
    #[error("{0}")]
    Forbidden(String),
    /// Nobody answers there, for now.
    #[error("{0}")]
    Away(String),
}

/// A client of servers that somebody outside chose.
#[derive(Clone)]
pub struct Http {
    client: Client<HttpsConnector<Connector>, Full<Bytes>>,
    agent: HeaderValue,
}

impl Http {
    /// One that connects by `dialer` and says that it is `agent`.
    #[must_use]
    pub fn new(dialer: Dialer, agent: &'static str) -> Self {
        let connector = Connector::within(dialer, PATIENCE).over_tls();
        // Each is asked rarely: a connection that is kept would mostly be found closed.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Self { client, agent: HeaderValue::from_static(agent) }
    }

    /// What is answered.
    ///
    /// # Errors
    /// [`Silence`] if nothing is.
    pub async fn send(&self, mut request: Request<Full<Bytes>>) -> Result<Answer, Silence> {
        request.headers_mut().insert(USER_AGENT, self.agent.clone());
        let response = self.client.request(request).await.map_err(|error| Silence::because(&error))?;
        let (head, body) = response.into_parts();
        // One that says more than anybody has to is not heard out: what it did is told by its status.
        let body = Limited::new(body, ANSWER_MAX).collect().await.map_or_else(|_| Bytes::new(), |body| body.to_bytes());
        Ok(Answer { status: head.status, headers: head.headers, body })
    }
}

impl Silence {
    /// The reason behind what the client says, for people.
    fn because(error: &(dyn StdError + 'static)) -> Self {
        let mut cause = error;
        loop {
            if let Some(unreached) = cause.downcast_ref::<Unreached>() {
                let told = unreached.to_string();
                return if unreached.is_forbidden() { Self::Forbidden(told) } else { Self::Away(told) };
            }
            match cause.source() {
                Some(source) => cause = source,
                None => return Self::Away(format!("no answer: {cause}")),
            }
        }
    }
}

/// The only way out, for a client of HTTP.
#[derive(Debug, Clone)]
pub struct Connector {
    dialer: Arc<Dialer>,
    patience: Duration,
}

impl Connector {
    /// One that connects by `dialer`, in so long or not at all.
    #[must_use]
    pub fn within(dialer: Dialer, patience: Duration) -> Self {
        Self { dialer: Arc::new(dialer), patience }
    }

    /// The same for HTTPS too, whose certificates are vouched for by whom the system trusts, or Mozilla where it trusts nobody.
    #[must_use]
    pub fn over_tls(self) -> HttpsConnector<Self> {
        let tls = HttpsConnectorBuilder::new();
        let tls = tls.with_native_roots().unwrap_or_else(|_| HttpsConnectorBuilder::new().with_webpki_roots());
        tls.https_or_http().enable_http1().wrap_connector(self)
    }
}

impl tower::Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = Unreached;
    type Future = BoxFuture<'static, Result<Self::Response, Unreached>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Unreached>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { dialer, patience } = self.clone();
        Box::pin(async move {
            let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
            let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
            let port = uri.port_u16().unwrap_or(usual);
            let late = |_| Unreached::Failed { host: host.clone(), port, kind: ErrorKind::TimedOut };
            let connected = timeout(patience, dialer.connect(&host, port)).await.map_err(late)?;
            connected.map(TokioIo::new)
        })
    }
}
