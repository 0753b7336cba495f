//! The HTTP loop: what readers ask of a site has no body, so the head is all that is looked at but for the server behind a route.

use crate::serve::Pages;
use listener::Limits;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) async fn serve(listener: TcpListener, limits: Limits, pages: Arc<Pages>, stop: CancellationToken) {
    let answer = move |request: hyper::Request<listener::Body>| {
        let pages = Arc::clone(&pages);
        let (head, body) = request.into_parts();
        async move { pages.answer(&head, body).await }
    };
    listener::serve(listener, limits, answer, stop).await;
}
