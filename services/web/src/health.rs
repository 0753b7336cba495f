//! Whether the server has what it needs. Open to everybody, so it names parts and nothing more.

use crate::server::Shared;
use axum::Json;
use axum::extract::State;
use http::StatusCode;
use runtime::error;
use runtime::health::{Health, Need, Report};
use tokio_util::sync::CancellationToken;

pub(crate) async fn check(State(app): State<Shared>) -> (StatusCode, Json<Report>) {
    let report = app.health.report().without_details();
    let status = if report.is_fit() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report))
}

/// Looks after what every answer needs, until `stop` fires.
pub(crate) fn watch(health: &Health, (log, store): (&runtime::Log, &projections::Store), stop: &CancellationToken) {
    health.watch_log(Need::Must, log.connection(), stop);
    let store = store.clone();
    health.part("read_model", Need::Must).watch(stop, move || {
        let model = store.live();
        async move { model.position().await.map(drop).map_err(|failed| error::chain(&failed)) }
    });
}
