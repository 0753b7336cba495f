//! Whether the server has what it needs. Open to everybody, so it names parts and nothing more.

use crate::app::{Around, Shared};
use axum::Json;
use axum::extract::State;
use http::StatusCode;
use runtime::error;
use runtime::health::{Need, Report};
use tokio_util::sync::CancellationToken;

pub(crate) async fn check(State(app): State<Shared>) -> (StatusCode, Json<Report>) {
    let report = app.health.report().without_details();
    let status = if report.is_fit() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report))
}

/// Looks after what every answer needs, until `stop` fires.
pub(crate) fn watch(around: &Around, stop: &CancellationToken) {
    let Around { log, read_model, health, .. } = around;
    health.watch_log(Need::Must, log.connection(), stop);
    let store = read_model.clone();
    health.part("read_model", Need::Must).watch(stop, move || {
        let model = store.live();
        async move { model.position().await.map(drop).map_err(|failed| error::chain(&failed)) }
    });
}
