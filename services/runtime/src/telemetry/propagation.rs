//! W3C trace context over NATS headers and envelopes, and the spans of sending and processing facts.
//!
//! A message carries two contexts: the plain `traceparent` header is the span that sent it, the envelope's is where
//! the story began. Who processes a fact starts a trace of its own and *links* to the sender, since a fact may be
//! processed by many, much later, and again.

use async_nats::HeaderMap;
use async_nats::header::HeaderValue;
use events::envelope::SPEC_VERSION;
use events::{Envelope, Recorded, subject};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_semantic_conventions::attribute::{
    CLOUDEVENTS_EVENT_ID, CLOUDEVENTS_EVENT_SOURCE, CLOUDEVENTS_EVENT_SPEC_VERSION, CLOUDEVENTS_EVENT_SUBJECT,
    CLOUDEVENTS_EVENT_TYPE, MESSAGING_BATCH_MESSAGE_COUNT, MESSAGING_CONSUMER_GROUP_NAME, MESSAGING_DESTINATION_NAME,
    MESSAGING_MESSAGE_CONVERSATION_ID, MESSAGING_MESSAGE_ID, MESSAGING_OPERATION_NAME, MESSAGING_OPERATION_TYPE,
    MESSAGING_SYSTEM,
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";
/// The value of `messaging.system`; the conventions do not list NATS and allow a name of one's own.
pub(crate) const SYSTEM: &str = "nats";
/// The position of the fact in the log.
const SEQUENCE: &str = "pagefold.event.sequence";

/// Writes the current span's context into `headers`; nothing when there is no span.
pub(crate) fn inject(headers: &mut HeaderMap) {
    TraceContextPropagator::new().inject_context(&Context::current(), &mut Headers(headers));
}

/// `traceparent` and, if there is any, `tracestate` of the current span.
pub(crate) fn current() -> Option<(String, Option<String>)> {
    let mut headers = HeaderMap::new();
    inject(&mut headers);
    let parent = headers.get(TRACEPARENT)?.as_str().to_owned();
    let state = headers.get(TRACESTATE).map(HeaderValue::as_str).filter(|state| !state.is_empty());
    Some((parent, state.map(str::to_owned)))
}

/// The span in which `consumer` processes one fact. It is the root of a trace, linked to what sent the fact.
pub(crate) fn process_span(consumer: &'static str, recorded: &Recorded, headers: Option<&HeaderMap>) -> Span {
    let Recorded { sequence, envelope, event } = recorded;
    // Fields are seen in every log line of the span, attributes in the trace alone.
    let span = tracing::info_span!(
        parent: None,
        "process",
        otel.name = format_args!("process {}", subject::EVENTS),
        otel.kind = "consumer",
        { MESSAGING_CONSUMER_GROUP_NAME } = consumer,
        { CLOUDEVENTS_EVENT_TYPE } = event.type_name(),
        { CLOUDEVENTS_EVENT_SUBJECT } = envelope.subject,
        { SEQUENCE } = sequence,
    );
    let id = envelope.id.to_string();
    for (key, value) in [
        (MESSAGING_SYSTEM, SYSTEM),
        (MESSAGING_OPERATION_NAME, "process"),
        (MESSAGING_OPERATION_TYPE, "process"),
        (MESSAGING_DESTINATION_NAME, subject::EVENTS),
        (MESSAGING_MESSAGE_ID, &id),
        (MESSAGING_MESSAGE_CONVERSATION_ID, &envelope.correlation.to_string()),
        (CLOUDEVENTS_EVENT_ID, &id),
        (CLOUDEVENTS_EVENT_SOURCE, &envelope.source),
        (CLOUDEVENTS_EVENT_SPEC_VERSION, SPEC_VERSION),
    ] {
        span.set_attribute(key, value.to_owned());
    }
    if let Some(sender) = creation_context(envelope, headers) {
        span.add_link(sender);
    }
    span
}

/// The span of sending `count` messages to the stream `destination`; [`inject`] belongs inside it.
pub(crate) fn publish_span(destination: &str, count: usize) -> Span {
    let span = tracing::info_span!(
        "send",
        otel.name = format_args!("send {destination}"),
        otel.kind = "producer",
        { MESSAGING_DESTINATION_NAME } = destination,
    );
    for (key, value) in
        [(MESSAGING_SYSTEM, SYSTEM), (MESSAGING_OPERATION_NAME, "send"), (MESSAGING_OPERATION_TYPE, "send")]
    {
        span.set_attribute(key, value);
    }
    // The conventions ask for the count of a batch only.
    if count > 1 {
        span.set_attribute(MESSAGING_BATCH_MESSAGE_COUNT, i64::try_from(count).unwrap_or(i64::MAX));
    }
    span
}

/// The context of who sent the fact, or else of its story's start.
fn creation_context(envelope: &Envelope, headers: Option<&HeaderMap>) -> Option<SpanContext> {
    let header = |name| headers?.get(name).map(HeaderValue::as_str);
    let sender = Carried { parent: header(TRACEPARENT), state: header(TRACESTATE) };
    let origin = Carried { parent: envelope.traceparent.as_deref(), state: envelope.tracestate.as_deref() };
    sender.span_context().or_else(|| origin.span_context())
}

struct Headers<'a>(&'a mut HeaderMap);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        // A trace state may hold what a header must not, and `insert` would panic on the string itself.
        if let Ok(value) = value.parse::<HeaderValue>() {
            self.0.insert(key, value);
        }
    }
}

/// A context as it was received.
struct Carried<'a> {
    parent: Option<&'a str>,
    state: Option<&'a str>,
}

impl Carried<'_> {
    fn span_context(&self) -> Option<SpanContext> {
        let context = TraceContextPropagator::new().extract_with_context(&Context::new(), self);
        Some(context.span().span_context().clone()).filter(SpanContext::is_valid)
    }
}

impl Extractor for Carried<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            TRACEPARENT => self.parent,
            TRACESTATE => self.state,
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT, TRACESTATE]
    }
}

#[cfg(test)]
mod tests;
