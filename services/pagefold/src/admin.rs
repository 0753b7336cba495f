//! What an operator's tools ask a single service: is it there, and how does it do.

use anyhow::{Context, Result};
use axum::Router;
use axum::routing::get;
use std::net::SocketAddr;
use tokio_util::sync::CancellationToken;

/// Serves `/healthz` and `/metrics` until `stop` fires.
pub(crate) async fn serve(address: SocketAddr, stop: CancellationToken) -> Result<()> {
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener.with_context(|| format!("cannot listen on `{address}`"))?;
    tracing::info!(address = %listener.local_addr()?, "answering /healthz and /metrics");
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/metrics", get(|| async { runtime::telemetry::prometheus_text() }));
    axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await?;
    Ok(())
}
