//! What all handlers share, how requests find them, and how the server ends.

use crate::auth::Auth;
use crate::problem::Problem;
use crate::urls::SitesUrl;
use crate::{Config, api, assets, dashboard, health, streams, webhook};
use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, Uri, header};
use projections::Model;
use runtime::shutdown::DRAIN_DEADLINE;
use runtime::{Health, Log, telemetry};
use secrecy::SecretString;
use std::sync::Arc;
use storage::PlatformBucket;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// The state of every handler.
pub(crate) type Shared = Arc<App>;

/// What all handlers share.
pub(crate) struct App {
    pub(crate) log: Log,
    pub(crate) model: Model,
    pub(crate) logs: PlatformBucket,
    pub(crate) health: Health,
    pub(crate) auth: Auth,
    pub(crate) github_webhook_secret: SecretString,
    pub(crate) sites_url: SitesUrl,
    /// Where repositories send their webhooks.
    pub(crate) webhook_url: String,
    pub(crate) streams: streams::Slots,
    pub(crate) stop: CancellationToken,
}

impl App {
    pub(crate) fn new(
        config: &Config,
        (log, read_model, logs, health): (Log, projections::Store, PlatformBucket, Health),
        stop: CancellationToken,
    ) -> Shared {
        let auth = Auth::new(&config.tokens, config.sites_url.scheme == "https");
        Arc::new(Self {
            log,
            model: read_model.live(),
            logs,
            health,
            auth,
            github_webhook_secret: config.github_webhook_secret.clone(),
            sites_url: config.sites_url.clone(),
            webhook_url: format!("{}{}", config.web_url.trim_end_matches('/'), webhook::PATH),
            streams: streams::Slots::default(),
            stop,
        })
    }
}

/// Every route.
fn router(app: &Shared) -> Router {
    Router::new()
        .route("/healthz", get(health::check))
        .route("/metrics", get(|| async { telemetry::prometheus_text() }))
        .merge(webhook::routes())
        .merge(api::routes(app))
        .merge(dashboard::routes(app))
        .merge(assets::routes())
        .fallback(nowhere)
        .layer(middleware::from_fn(observe))
        .with_state(Arc::clone(app))
}

async fn nowhere(uri: Uri) -> Response {
    if uri.path().starts_with("/api/") || uri.path().starts_with("/webhooks/") {
        Problem::NotFound.into_response()
    } else {
        dashboard::failed(&Problem::NotFound)
    }
}

/// A span and the same few headers for every request.
async fn observe(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let span = telemetry::http_span(request.method().as_str(), route);
    let mut response = next.run(request).instrument(span.clone()).await;
    telemetry::http_answered(&span, response.status().as_u16());
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Serves until `stop` fires, then for as long as open requests take, but not past the drain deadline.
pub(crate) async fn serve(listener: TcpListener, app: Shared, stop: CancellationToken) -> std::io::Result<()> {
    let serving = axum::serve(listener, router(&app)).with_graceful_shutdown(stop.clone().cancelled_owned());
    let deadline = async {
        stop.cancelled().await;
        tokio::time::sleep(DRAIN_DEADLINE).await;
    };
    tokio::select! {
        served = serving => served,
        () = deadline => {
            tracing::warn!("requests were still open at the deadline and are cut off");
            Ok(())
        }
    }
}
