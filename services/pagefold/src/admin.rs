//! What an operator's tools ask a single service: is it there, and how does it do.

use anyhow::{Context, Result};
use axum::routing::get;
use axum::{Json, Router};
use runtime::Health;
use std::net::SocketAddr;
use tokio_util::sync::CancellationToken;

/// Serves `/healthz` and `/metrics` until `stop` fires.
pub(crate) async fn serve(address: SocketAddr, health: Health, stop: CancellationToken) -> Result<()> {
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener.with_context(|| format!("cannot listen on `{address}`"))?;
    tracing::info!(address = %listener.local_addr()?, "answering /healthz and /metrics");
    let answer = async move || {
        let report = health.report();
        let status =
            if report.is_fit() { axum::http::StatusCode::OK } else { axum::http::StatusCode::SERVICE_UNAVAILABLE };
        (status, Json(report))
    };
    let router = Router::new()
        .route("/healthz", get(answer))
        .route("/metrics", get(|| async { runtime::telemetry::prometheus_text() }));
    axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await?;
    Ok(())
}
