//! How requests find their handlers, and how the server ends.

use crate::app::Shared;
use crate::problem::Problem;
use crate::{api, assets, compression, dashboard, guard, health, hosting, webhook};
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, Uri, header};
use listener::{Encrypted, Limits};
use runtime::telemetry;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tracing::Instrument;

/// Every route.
fn router(app: &Shared) -> Router {
    Router::new()
        .route("/healthz", get(health::check))
        .merge(webhook::routes(app))
        .merge(api::routes(app))
        .merge(dashboard::routes(app))
        .merge(hosting::routes())
        .merge(assets::routes())
        .fallback(nowhere)
        .layer(middleware::from_fn_with_state(Arc::clone(app), guard::recognize))
        .layer(middleware::from_fn_with_state(Arc::clone(app), dashboard::form::issue))
        .layer(middleware::from_fn_with_state(Arc::clone(app), keep_cookies_secure))
        .layer(middleware::from_fn(refuse_ambiguous))
        .layer(compression::layer())
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

/// A request that a proxy may have understood in another way than we would, or that nothing can be at, gets no answer but this.
async fn refuse_ambiguous(request: Request, next: Next) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    // No text that is kept or looked for can hold it: PostgreSQL knows no such text.
    if head.uri.path_and_query().is_some_and(|text| text.as_str().contains("%00")) {
        return Err(Problem::InvalidInput("an address cannot hold the character NUL".to_owned()));
    }
    match listener::ambiguous(&head) {
        Some(header) => Err(Problem::BadHeader(header)),
        None => Ok(next.run(Request::from_parts(head, body)).await),
    }
}

/// Has browsers keep cookies off plain HTTP where they reach us by TLS.
async fn keep_cookies_secure(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let is_behind_tls = request.extensions().get::<Encrypted>().is_some_and(|encrypted| encrypted.0);
    let mut response = next.run(request).await;
    if is_behind_tls || app.web_url.starts_with("https:") {
        for (_, value) in response.headers_mut().iter_mut().filter(|(name, _)| **name == header::SET_COOKIE) {
            if let Ok(secure) = HeaderValue::from_bytes(&[value.as_bytes(), b"; Secure"].concat()) {
                *value = secure;
            }
        }
    }
    response
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
