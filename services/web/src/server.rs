//! What all handlers share, how requests find them, and how the server ends.

use crate::auth::{self, Auth};
use crate::budget::Budget;
use crate::news::News;
use crate::problem::Problem;
use crate::sessions::Sessions;
use crate::tail::Tails;
use crate::urls::SitesUrl;
use crate::{Config, api, assets, dashboard, health, streams, webhook};
use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use events::address::Allowed;
use http::{HeaderValue, Uri, header};
use listener::Limits;
use projections::Model;
use runtime::{Health, Log, telemetry};
use secrecy::SecretString;
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use storage::PlatformBucket;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tracing::Instrument;

/// The state of every handler.
pub(crate) type Shared = Arc<App>;

/// What all handlers share.
pub(crate) struct App {
    pub(crate) log: Log,
    /// What live views are told of it.
    pub(crate) news: News,
    pub(crate) model: Model,
    pub(crate) logs: PlatformBucket,
    pub(crate) health: Health,
    pub(crate) auth: Auth,
    pub(crate) github_webhook_secret: SecretString,
    pub(crate) sites_url: SitesUrl,
    /// Where repositories may be.
    pub(crate) repositories: Allowed,
    /// Where repositories send their webhooks.
    pub(crate) webhook_url: String,
    pub(crate) streams: streams::Slots,
    /// The build logs that are followed.
    pub(crate) tails: Tails,
    /// What commands and forms may take together.
    pub(crate) bodies: Budget,
    /// The same for webhooks: whoever sends false ones keeps nobody from commanding.
    pub(crate) deliveries: Budget,
    /// Where long ones of them lie while they arrive.
    pub(crate) spool: Arc<Path>,
    pub(crate) stop: CancellationToken,
}

impl App {
    pub(crate) fn new(
        config: &Config,
        (log, read_model, logs, health): (Log, projections::Store, PlatformBucket, Health),
        limits: &Limits,
        stop: CancellationToken,
    ) -> Shared {
        let sessions = Sessions::new(&log, config.sites_url.scheme == "https");
        let auth = Auth::new(&config.tokens, sessions);
        Arc::new(Self {
            news: News::start(log.clone(), stop.clone()),
            log,
            model: read_model.live(),
            logs,
            health,
            auth,
            github_webhook_secret: config.github_webhook_secret.clone(),
            sites_url: config.sites_url.clone(),
            repositories: config.repositories.clone(),
            webhook_url: format!("{}{}", config.web_url.trim_end_matches('/'), webhook::PATH),
            streams: streams::Slots::default(),
            tails: Tails::default(),
            bodies: Budget::new(limits.per_address),
            deliveries: Budget::new(limits.per_address),
            spool: config.spool.as_path().into(),
            stop,
        })
    }
}

/// Every route.
fn router(app: &Shared) -> Router {
    Router::new()
        .route("/healthz", get(health::check))
        .merge(webhook::routes())
        .merge(api::routes(app))
        .merge(dashboard::routes(app))
        .merge(assets::routes())
        .fallback(nowhere)
        .layer(middleware::from_fn_with_state(Arc::clone(app), auth::recognize))
        .layer(middleware::from_fn(refuse_ambiguous))
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

/// A request that a proxy may have understood in another way than we would gets no answer but this.
async fn refuse_ambiguous(request: Request, next: Next) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    match listener::ambiguous(&head) {
        Some(header) => Err(Problem::BadHeader(header)),
        None => Ok(next.run(Request::from_parts(head, body)).await),
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
pub(crate) async fn serve(listener: TcpListener, limits: Limits, app: Shared, stop: CancellationToken) {
    let router = router(&app);
    let answer = move |request: Request<listener::Body>| {
        let router = router.clone();
        async move {
            let answered: Result<Response, Infallible> = router.oneshot(request).await;
            answered.unwrap_or_else(|never| match never {})
        }
    };
    listener::serve(listener, limits, answer, stop).await;
}
