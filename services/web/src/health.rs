//! Whether the server has what it needs. Open to everybody, so it names what is missing and nothing more.

use crate::server::Shared;
use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

/// How long Postgres may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) async fn check(State(app): State<Shared>) -> (StatusCode, Json<Value>) {
    let log = app.log.connection().is_up().await;
    let read_model = matches!(tokio::time::timeout(PATIENCE, app.model.position()).await, Ok(Ok(_)));
    let missing: Vec<&str> =
        [("log", log), ("read_model", read_model)].into_iter().filter(|(_, up)| !up).map(|(name, _)| name).collect();
    if missing.is_empty() {
        (StatusCode::OK, Json(json!({ "status": "ok" })))
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "unavailable", "missing": missing })))
    }
}
