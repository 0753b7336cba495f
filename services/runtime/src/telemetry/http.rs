//! Spans of HTTP requests a service answers.

use events::Actor;
use opentelemetry::trace::Status;
use opentelemetry_semantic_conventions::attribute::{
    ERROR_TYPE, HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE, HTTP_ROUTE,
};
use tracing::Span;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The methods a span may be named after; anything else is `_OTHER`, as a caller could invent names without end.
const METHODS: [&str; 9] = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];

/// Who asks.
const ACTOR: &str = "pagefold.actor";
/// The site that is asked about.
const SITE: &str = "pagefold.site";

/// The span of one request, by its method and the route's template (`/sites/{site}`), never by its path.
///
/// It starts a trace: a caller from outside does not choose our trace ids, nor whether we sample.
#[must_use]
pub fn http_span(method: &str, route: &str) -> Span {
    let method = METHODS.into_iter().find(|known| *known == method).unwrap_or("_OTHER");
    let name = if method == "_OTHER" { "HTTP" } else { method };
    tracing::info_span!(
        parent: None,
        "http",
        otel.name = format_args!("{name} {route}"),
        otel.kind = "server",
        { HTTP_REQUEST_METHOD } = method,
        { HTTP_ROUTE } = route,
        { ACTOR } = Empty,
        { SITE } = Empty,
    )
}

/// Notes on the span of the present request who asks. An actor is an id or the name of a token, nothing personal.
pub fn http_asked_by(actor: &Actor) {
    Span::current().record(ACTOR, tracing::field::display(actor));
}

/// Notes on the span of the present request which site it is about, as it names it.
pub fn http_about_site(site: impl std::fmt::Display) {
    Span::current().record(SITE, tracing::field::display(site));
}

/// Records the answer. Only a fault of ours (5xx) makes the span an error.
pub fn http_answered(span: &Span, status: u16) {
    span.set_attribute(HTTP_RESPONSE_STATUS_CODE, i64::from(status));
    if status >= 500 {
        span.set_attribute(ERROR_TYPE, status.to_string());
        span.set_status(Status::error(""));
    }
}
