//! A crowd of senders, each with a connection of its own that it keeps.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use journeys::{Delivery, Ready};
use tokio::net::TcpStream;

/// One sender.
pub(super) struct Sender {
    connection: SendRequest<Full<Bytes>>,
    host: String,
}

impl Sender {
    pub(super) async fn connect(ready: &Ready) -> Self {
        let host = ready.web.trim_start_matches("http://").to_owned();
        let stream = TcpStream::connect(&host).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (connection, driven) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(driven);
        Self { connection, host }
    }

    /// Sends a delivery, which must be taken in; answers what is answered.
    pub(super) async fn send(&mut self, request: Request<Full<Bytes>>) -> Bytes {
        self.connection.ready().await.unwrap();
        let answer = self.connection.send_request(request).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(status, StatusCode::ACCEPTED, "{body:?}");
        body
    }

    /// A delivery as a request, signed.
    pub(super) fn request(&self, delivery: &Delivery, ready: &Ready) -> Request<Full<Bytes>> {
        let request = Request::builder().method(Method::POST).uri("/webhooks/github").header("host", &self.host);
        let headers = delivery.headers(ready).into_iter();
        let request = headers.fold(request, |request, (name, value)| request.header(name, value));
        request.body(Full::new(delivery.body.clone().into())).unwrap()
    }
}
