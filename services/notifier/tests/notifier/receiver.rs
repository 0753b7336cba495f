//! A receiver: an HTTP server that keeps what it is sent, and answers what it is told to.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// What it was sent.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A receiver that listens until it is dropped.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    sent: mpsc::UnboundedReceiver<Sent>,
    answer: Arc<Mutex<StatusCode>>,
    serving: JoinHandle<()>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        Self::listen(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// The same on a port that was taken and left before.
    pub(crate) async fn start_at(address: SocketAddr) -> Self {
        Self::listen(TcpListener::bind(address).await.unwrap())
    }

    fn listen(listener: TcpListener) -> Self {
        let (sender, sent) = mpsc::unbounded_channel();
        let (address, answer) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(StatusCode::NO_CONTENT)));
        let serving = tokio::spawn(serve(listener, sender, Arc::clone(&answer)));
        Self { address, sent, answer, serving }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub(crate) fn answers(&self, status: u16) {
        *self.answer.lock().unwrap() = StatusCode::from_u16(status).unwrap();
    }

    /// The next thing that it is sent.
    pub(crate) async fn next(&mut self) -> Sent {
        crate::world::within(self.sent.recv()).await.unwrap()
    }

    /// Whether it was sent anything else by now.
    pub(crate) fn has_more(&mut self) -> bool {
        self.sent.try_recv().is_ok()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Sent {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no `{name}` in {:?}", self.headers)).to_str().unwrap()
    }
}

async fn serve(listener: TcpListener, sender: mpsc::UnboundedSender<Sent>, answer: Arc<Mutex<StatusCode>>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        let (sender, answer) = (sender.clone(), Arc::clone(&answer));
        let service = service_fn(move |request: Request<Incoming>| {
            let (sender, status) = (sender.clone(), *answer.lock().unwrap());
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
                let _ = sender.send(Sent { path: head.uri.to_string(), headers: head.headers, body });
                let mut response = Response::new(Full::<Bytes>::default());
                *response.status_mut() = status;
                Ok::<_, Infallible>(response)
            }
        });
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}
