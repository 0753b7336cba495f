//! The HTTP loop: every request goes to the one service, and what it cannot answer is an error of the server.

use listener::Limits;
use s3s::service::S3Service;
use s3s::{Body, HttpResponse};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) async fn serve(listener: TcpListener, limits: Limits, service: S3Service, stop: CancellationToken) {
    let answer = move |request: hyper::Request<listener::Body>| {
        let service = service.clone();
        async move {
            service.call(request.map(Body::http_body_unsync)).await.unwrap_or_else(|error| {
                tracing::warn!(?error, "a request could not be answered");
                let mut failed = HttpResponse::new(Body::empty());
                *failed.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
                failed
            })
        }
    };
    listener::serve(listener, limits, answer, stop).await;
}
