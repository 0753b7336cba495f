//! The HTTP loop: what readers ask of a site has no body, so the head is all that is looked at but for the server behind a route.

use crate::body::Body;
use crate::serve::Pages;
use hyper::{Request, Response};
use listener::{Limits, Tls};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) async fn serve(listener: TcpListener, limits: Limits, pages: Arc<Pages>, stop: CancellationToken) {
    listener::serve(listener, limits, move |request| answer(Arc::clone(&pages), request), stop).await;
}

/// The same for readers who speak TLS.
pub(crate) async fn serve_tls(
    listener: TcpListener,
    limits: Limits,
    tls: Tls,
    pages: Arc<Pages>,
    stop: CancellationToken,
) {
    listener::serve_tls(listener, limits, tls, move |request| answer(Arc::clone(&pages), request), stop).await;
}

async fn answer(pages: Arc<Pages>, request: Request<listener::Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    pages.answer(&head, body).await
}
