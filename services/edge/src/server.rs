//! The HTTP loop: what readers ask has no body, so the head is all that the site sees.

use crate::serve::Site;
use listener::Limits;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) async fn serve(listener: TcpListener, limits: Limits, site: Arc<Site>, stop: CancellationToken) {
    let answer = move |request: hyper::Request<listener::Body>| {
        let site = Arc::clone(&site);
        let (head, body) = request.into_parts();
        async move {
            drop(body);
            site.answer(&head).await
        }
    };
    listener::serve(listener, limits, answer, stop).await;
}
