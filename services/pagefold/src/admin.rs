//! What an operator's tools ask a single service: is it there, and how does it do.

use anyhow::{Context, Result};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use listener::{Limits, Share};
use runtime::Health;
use std::convert::Infallible;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// Takes the address; port 0 takes a free one.
pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on `{address}`"))?;
    tracing::info!(address = %listener.local_addr()?, "answering /healthz and /metrics");
    Ok(listener)
}

/// Serves `/healthz` and `/metrics` until `stop` fires.
pub(crate) async fn serve(listener: TcpListener, health: Health, stop: CancellationToken) {
    let report = async move || {
        let report = health.report();
        let status = if report.is_fit() { http::StatusCode::OK } else { http::StatusCode::SERVICE_UNAVAILABLE };
        (status, Json(report))
    };
    let router = Router::new()
        .route("/healthz", get(report))
        .route("/metrics", get(|| async { runtime::telemetry::prometheus_text() }));
    let answer = move |request: http::Request<listener::Body>| {
        let router = router.clone();
        async move {
            let (head, body) = request.into_parts();
            if let Some(header) = listener::ambiguous(&head) {
                let refusal = format!("the header {header} is missing, contradicts another or is there twice\n");
                return (http::StatusCode::BAD_REQUEST, refusal).into_response();
            }
            let request = http::Request::from_parts(head, body);
            let answered: Result<Response, Infallible> = router.oneshot(request).await;
            answered.unwrap_or_else(|never| match never {})
        }
    };
    listener::serve(listener, Limits::of(Share::Admin), answer, stop).await;
}
